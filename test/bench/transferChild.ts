/** One push or pull in a process of its own, as a command line would do it. Prints bytes moved and the peak of memory. */
import { parseReference } from "../../engine/oci/reference.ts";
import { defaultTransport, RegistryClient } from "../../engine/remote/client.ts";
import { anonymous } from "../../engine/remote/credentials.ts";
import { openStore } from "../../engine/store/store.ts";

const [, , act, dir = "", name = "", source = "", algorithm = ""] = process.argv;
const signal = new AbortController().signal;
const platforms = { kind: "all" } as const;
await using store = openStore({ dir, now: Date.now });
await using client = new RegistryClient({
  ...defaultTransport,
  credentials: anonymous,
  environment: {},
  certificateDirs: [],
  insecureRegistries: [],
  now: Date.now,
  userAgent: "kubefile/bench",
});
let movedBytes = 0;
if (act === "push") {
  const { push } = await import("../../engine/remote/push.ts");
  const target = store.lookup(source)?.target;
  if (target === undefined) throw new Error(`${source} is not in the store`);
  const compression =
    algorithm === "zstd"
      ? ({ algorithm, level: 3 } as const)
      : ({ algorithm: "gzip", level: Number(algorithm) || 1 } as const);
  const request = { source: target, destination: parseReference(name), platforms, compression };
  movedBytes = (await push(client, store, request, () => undefined, signal)).movedBytes;
} else {
  const { pull } = await import("../../engine/remote/pull.ts");
  const request = { reference: parseReference(name), platforms, policy: "always" } as const;
  movedBytes = (await pull(client, store, request, () => undefined, signal)).movedBytes;
}
console.log(JSON.stringify({ movedBytes, peakKiB: process.resourceUsage().maxRSS }));
