/** The registry that is measured, in a process of its own: `registryChild.js STORE`; prints its address. */
import { layeredContent } from "../../engine/registry/layeredContent.ts";
import { openPushedContent } from "../../engine/registry/pushedContent.ts";
import { defaultServerLimits, serveRegistry } from "../../engine/registry/server.ts";
import { openStore } from "../../engine/store/store.ts";

const [, , dir = ""] = process.argv;
const store = openStore({ dir, now: Date.now });
const server = await serveRegistry({
  content: layeredContent(openPushedContent(store, "shared"), []),
  host: "127.0.0.1",
  port: 0,
  readOnly: false,
  allowSparse: true,
  limits: defaultServerLimits,
  onError: (what, error) => console.error(what, error),
});
console.log(server.url);
process.once("SIGTERM", () => void server[Symbol.asyncDispose]().then(() => process.exit(0)));
