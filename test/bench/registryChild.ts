/** The registry that is measured, in a process of its own: `registryChild.js STORE UPSTREAM`; prints its address. */
import { layeredContent } from "../../engine/registry/layeredContent.ts";
import { openMirror } from "../../engine/registry/mirrorContent.ts";
import { openPushedContent } from "../../engine/registry/pushedContent.ts";
import { defaultServerLimits, serveRegistry } from "../../engine/registry/server.ts";
import { addressGuard } from "../../engine/registry/upstreamGuard.ts";
import { defaultTransport, RegistryClient } from "../../engine/remote/client.ts";
import { anonymous } from "../../engine/remote/credentials.ts";
import { openStore } from "../../engine/store/store.ts";

const [, , dir = "", upstream = ""] = process.argv;
const store = openStore({ dir, now: Date.now });
const named = new Map([["up.example", upstream]]);
const client = new RegistryClient({
  ...defaultTransport,
  credentials: anonymous,
  environment: {},
  certificateDirs: [],
  insecureRegistries: [upstream],
  now: Date.now,
  userAgent: "kubefile/bench",
  refuseAddress: addressGuard(named),
});
const mirror = openMirror({
  store,
  client,
  rules: { named, deny: [] },
  offline: false,
  tagTtlMs: 60_000,
  missTtlMs: 10_000,
  now: Date.now,
  signal: new AbortController().signal,
});
const server = await serveRegistry({
  content: layeredContent(openPushedContent(store, "shared"), [mirror]),
  host: "127.0.0.1",
  port: 0,
  readOnly: false,
  allowSparse: true,
  limits: defaultServerLimits,
  onError: (what, error) => console.error(what, error),
});
console.log(server.url);
process.once("SIGTERM", () => void server[Symbol.asyncDispose]().then(() => process.exit(0)));
