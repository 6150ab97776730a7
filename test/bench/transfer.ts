/**
 * Push and pull beside buildah and skopeo, in one run, interleaved, each on a docker-registry of its own that holds nothing
 * else. Whole processes, medians. `node test/bench/transfer.ts [--l] [--runs 3] [--out FILE]`
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { parseReference } from "../../engine/oci/reference.ts";
import { pull } from "../../engine/remote/pull.ts";
import { push } from "../../engine/remote/push.ts";
import { openStore } from "../../engine/store/store.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/dockerRegistry.ts";
import { testClient } from "../support/registryClient.ts";
import { type BenchSize, storeBenchImage } from "./transferImage.ts";

const { values } = parseArgs({
  options: { l: { type: "boolean" }, runs: { type: "string", default: "3" }, out: { type: "string" } },
});
const signal = new AbortController().signal;
const name = "docker.io/bench/image:v1";
const all = { kind: "all" } as const;

interface Sample {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly mebibytes?: number;
  /** CPU others used, over the wall time: a run above 0.35 is disturbed. */
  readonly others: number;
}

const dir = await mkdtemp(path.join(tmpdir(), "kubefile-bench-"));
/** Bundled as the product is: reading types out of a hundred files is not what users wait for. */
const bundle = path.join(dir, "bundle");
const child = path.join(bundle, "transferChild.js");
const requireForBundles = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;
try {
  await build({
    entryPoints: ["transferChild.ts", "../../engine/remote/compressWorker.ts"].map((file) =>
      path.join(import.meta.dirname, file),
    ),
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    outdir: bundle,
    entryNames: "[name]",
    chunkNames: "chunks/[name]-[hash]",
    banner: { js: requireForBundles },
  });
  await writeFile(path.join(bundle, "package.json"), '{"type":"module"}');
  const report: string[] = [];
  for (const size of values.l === true ? (["M", "L"] as const) : (["M"] as const)) report.push(await measure(size));
  const text = report.join("\n");
  console.log(text);
  if (values.out !== undefined) await writeFile(values.out, text);
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function measure(size: BenchSize): Promise<string> {
  const ours = path.join(dir, `store-${size}`);
  await using store = openStore({ dir: ours, now: Date.now });
  const source = await storeBenchImage(store, name, size, signal);
  const buildah = [
    "buildah",
    "--root",
    path.join(dir, `root-${size}`),
    "--runroot",
    path.join(dir, "run"),
    "--storage-driver",
    "overlay",
  ];
  await using filled = await startDockerRegistry();
  await using client = testClient();
  const destination = parseReference(`${filled.host}/bench:v1`);
  await push(
    client,
    store,
    { source, destination, platforms: all, compression: { algorithm: "gzip", level: 1 } },
    () => undefined,
    signal,
  );
  await timed([...buildah, "pull", "--tls-verify=false", `${filled.host}/bench:v1`]);
  const acts: Record<string, () => Promise<Sample>> = {
    "buildah push (gzip)": () =>
      pushed((to) => timed([...buildah, "push", "--tls-verify=false", `${filled.host}/bench:v1`, `docker://${to}`])),
    "kubefile push gzip": () => pushed((to) => node(["push", ours, to, name, "1"])),
    "kubefile push zstd": () => pushed((to) => node(["push", ours, to, name, "zstd"])),
    "skopeo pull": async () => {
      const layout = path.join(dir, "layout");
      await rm(layout, { recursive: true, force: true });
      return await timed([
        "skopeo",
        "copy",
        "--src-tls-verify=false",
        `docker://${filled.host}/bench:v1`,
        `oci:${layout}:v1`,
      ]);
    },
    "kubefile pull": async () => {
      const fresh = path.join(dir, "fresh");
      await rm(fresh, { recursive: true, force: true });
      return await node(["pull", fresh, `${filled.host}/bench:v1`]);
    },
  };
  const samples = new Map<string, Sample[]>();
  for (let round = 0; round < Number(values.runs); round += 1) {
    for (const [label, act] of Object.entries(acts)) {
      // What was remembered of an earlier push would spare this one the work that is measured.
      for (const kind of ["compressed-layer", "blob-origin"]) {
        for (const record of store.listRecords(kind)) store.removeRecord(kind, record.key);
      }
      const sample = await act();
      samples.set(label, [...(samples.get(label) ?? []), sample]);
      console.error(`${size} ${label}: ${JSON.stringify(sample)}`);
    }
  }
  const present = await pullPresent(filled);
  return `${table(size, samples)}\nA pull of ${size} of which everything is here: ${present.toFixed(1)} ms in a running engine.\n`;
}

/** A push to a registry that has nothing, and how much it has afterwards. */
async function pushed(act: (to: string) => Promise<Sample>): Promise<Sample> {
  await using registry = await startDockerRegistry();
  const sample = await act(`${registry.host}/bench:v1`);
  await using client = testClient();
  const { getManifest } = await import("../../engine/remote/manifests.ts");
  const { bytes } = await getManifest(
    client,
    { what: "bench", host: registry.host, repository: "bench" },
    "v1",
    signal,
  );
  const { layers } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { layers: { size: number }[] };
  return { ...sample, mebibytes: layers.reduce((total, layer) => total + layer.size, 0) / 2 ** 20 };
}

async function pullPresent(registry: DockerRegistry): Promise<number> {
  await using client = testClient();
  await using store = openStore({ dir: path.join(dir, "fresh"), now: Date.now });
  const request = { reference: parseReference(`${registry.host}/bench:v1`), platforms: all, policy: "always" } as const;
  await pull(client, store, request, () => undefined, signal);
  const begin = performance.now();
  await pull(client, store, request, () => undefined, signal);
  return performance.now() - begin;
}

function node(args: readonly string[]): Promise<Sample> {
  return timed([process.execPath, child, ...args]);
}

/** Runs a command under GNU time. */
async function timed(command: readonly string[]): Promise<Sample> {
  const file = path.join(dir, "time");
  const before = await cpuTicks();
  const begin = performance.now();
  const status = await new Promise((resolve, reject) => {
    const run = spawn("/usr/bin/time", ["-o", file, "-f", "%U %S %M", ...command], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    run.once("error", reject);
    run.once("close", resolve);
  });
  const seconds = (performance.now() - begin) / 1000;
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}`);
  const busy = ((await cpuTicks()) - before) / 100;
  const [user = 0, system = 0, kibibytes = 0] = (await readFile(file, "utf8")).trim().split(/\s+/).map(Number);
  const cpuSeconds = user + system;
  return { seconds, cpuSeconds, peakMiB: kibibytes / 1024, others: Math.max(0, busy - cpuSeconds) / seconds };
}

/** Ticks all CPUs have been busy. The registry's own work is in there too. */
async function cpuTicks(): Promise<number> {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
    (await readFile("/proc/stat", "utf8")).split("\n")[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  return user + nice + system + irq + softirq;
}

function table(size: BenchSize, samples: ReadonlyMap<string, readonly Sample[]>): string {
  const median = (list: readonly number[]): number =>
    list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
  const of = (label: string, pick: (sample: Sample) => number): number => median((samples.get(label) ?? []).map(pick));
  const peer = (label: string): string => (label.includes("push") ? "buildah push (gzip)" : "skopeo pull");
  const rows = [...samples.keys()].map((label) => {
    const seconds = of(label, (sample) => sample.seconds);
    const moved = of(label, (sample) => sample.mebibytes ?? Number.NaN);
    const cells = [
      label,
      seconds.toFixed(2),
      Math.min(...(samples.get(label) ?? []).map((sample) => sample.seconds)).toFixed(2),
      of(label, (sample) => sample.cpuSeconds).toFixed(2),
      of(label, (sample) => sample.peakMiB).toFixed(0),
      Number.isNaN(moved) ? "" : moved.toFixed(1),
      `${(of(peer(label), (sample) => sample.seconds) / seconds).toFixed(2)}×`,
      of(label, (sample) => sample.others).toFixed(2),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `## ${size}: ${samples.values().next().value?.length ?? 0} rounds, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, load ${loadavg()[0]?.toFixed(1)}`,
    "",
    "| act | median s | best s | CPU s | peak MiB | layer MiB | times faster than the peer | other CPU per s |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
