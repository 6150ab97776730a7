/**
 * The registry beside Debian's docker-registry, in one run, interleaved: manifests and blobs by `wrk`, pushes by curl, and memory over many
 * repositories and requests. `node test/bench/registry.ts [--rounds 5] [--seconds 4] [--repositories 2000] [--requests 200000] [--out FILE]`
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs, promisify } from "node:util";
import { build } from "esbuild";
import { startDockerRegistry } from "../support/dockerRegistry.ts";

const run = promisify(execFile);
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    repositories: { type: "string", default: "2000" },
    requests: { type: "string", default: "200000" },
    out: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const blobBytes = 100 * 1024 * 1024;
const manifestType = "application/vnd.oci.image.manifest.v1+json";

interface Peer {
  readonly name: string;
  readonly url: string;
}

interface Wrk {
  readonly perSecond: number;
  readonly bytesPerSecond: number;
  readonly p99Ms: number;
}

const dir = await mkdtemp(path.join(tmpdir(), "kubefile-bench-"));
try {
  const text = await measure();
  console.log(text);
  if (values.out !== undefined) await writeFile(values.out, text);
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function measure(): Promise<string> {
  await using theirs = await startDockerRegistry();
  await using upstream = await startDockerRegistry();
  await using theirProxy = await startDockerRegistry({ proxy: `http://${upstream.host}` });
  const ours = await startOurs(upstream.host);
  try {
    const peers: readonly Peer[] = [
      { name: "kubefile", url: ours.url },
      { name: "docker-registry", url: `http://${theirs.host}` },
    ];
    const blob = path.join(dir, "blob");
    await writeFile(blob, randomBytes(blobBytes));
    const digest = digestOf(await readFile(blob));
    const pushes = await interleaved(peers, async (peer, round) => push(peer.url, `bench/push${round}`, blob, round));
    for (const peer of peers) {
      await pushFile(peer.url, "bench/a", blob, digest);
      await putManifest(peer.url, "bench/a", digest);
    }
    const proxies: Readonly<Record<string, (digest: string) => string>> = {
      kubefile: (cold) => `${ours.url}/v2/bench/cold/blobs/${cold}?ns=up.example`,
      "docker-registry": (cold) => `http://${theirProxy.host}/v2/bench/cold/blobs/${cold}`,
    };
    const colds = await interleaved(peers, async (peer, round) => {
      const cold = await storeVariant(`http://${upstream.host}`, "bench/cold", blob, `${round} for ${peer.name}`);
      return timedGet(proxies[peer.name]?.(cold) ?? "");
    });
    const rows: string[] = [];
    const row = (what: string, unit: string, figures: Record<string, number>, better: "more" | "less"): void => {
      const [own = 0, other = 0] = peers.map((peer) => figures[peer.name] ?? 0);
      const factor = better === "more" ? own / other : other / own;
      rows.push(`| ${what} | ${format(own)} ${unit} | ${format(other)} ${unit} | ${factor.toFixed(2)}× |`);
    };
    const manifests = await interleaved(peers, (peer) => wrk(`${peer.url}/v2/bench/a/manifests/v1`, 16));
    row(
      "manifest GET, 16 connections",
      "requests/s",
      medians(manifests, (sample) => sample.perSecond),
      "more",
    );
    row(
      "manifest GET, p99",
      "ms",
      medians(manifests, (sample) => sample.p99Ms),
      "less",
    );
    for (const connections of [1, 4, 16]) {
      const blobs = await interleaved(peers, (peer) => wrk(`${peer.url}/v2/bench/a/blobs/${digest}`, connections));
      row(
        `blob GET 100 MiB, ${connections} connections`,
        "GB/s",
        medians(blobs, (sample) => sample.bytesPerSecond / 1e9),
        "more",
      );
    }
    row(
      "cold pull-through, first byte",
      "ms",
      medians(colds, (sample) => sample.firstMs),
      "less",
    );
    row(
      "cold pull-through, all 100 MiB",
      "s",
      medians(colds, (sample) => sample.totalMs / 1000),
      "less",
    );
    row(
      "push 100 MiB",
      "s",
      medians(pushes, (sample) => sample),
      "less",
    );
    const memory = await memoryOf(ours.url, ours.child.pid ?? 0);
    return report(rows, memory);
  } finally {
    ours.child.kill("SIGTERM");
    await ours.gone;
  }
}

async function startOurs(upstream: string): Promise<{
  readonly url: string;
  readonly child: ChildProcess;
  readonly gone: Promise<unknown>;
}> {
  const outfile = path.join(dir, "registryChild.mjs");
  const require = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;
  await build({
    entryPoints: [path.join(import.meta.dirname, "registryChild.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    banner: { js: require },
  });
  const child = spawn(process.execPath, [outfile, path.join(dir, "store"), upstream], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
  return { url, child, gone };
}

/** Each round measures every peer once, in turn, so that a busy moment falls on both. */
async function interleaved<Sample>(
  peers: readonly Peer[],
  act: (peer: Peer, round: number) => Promise<Sample>,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(peers.map((peer) => [peer.name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const peer of round % 2 === 0 ? peers : peers.toReversed())
      samples.get(peer.name)?.push(await act(peer, round));
  return samples;
}

function medians<Sample>(
  samples: ReadonlyMap<string, readonly Sample[]>,
  pick: (sample: Sample) => number,
): Record<string, number> {
  const middle = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
  return Object.fromEntries([...samples].map(([name, list]) => [name, middle(list.map(pick))]));
}

async function wrk(url: string, connections: number): Promise<Wrk> {
  const { stdout } = await run("wrk", [
    "-t1",
    `-c${connections}`,
    `-d${values.seconds}s`,
    "--latency",
    "-H",
    `Accept: ${manifestType}, */*`,
    url,
  ]);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, amount = "", unit = ""] = /Transfer\/sec:\s+([\d.]+)([KMG]?B)/.exec(stdout) ?? [];
  const [, latency = "", latencyUnit = ""] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  if (/Non-2xx/.test(stdout)) throw new Error(`${url}: ${stdout}`);
  return {
    perSecond,
    bytesPerSecond: Number(amount) * ({ B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }[unit] ?? Number.NaN),
    p99Ms: Number(latency) * ({ us: 0.001, ms: 1, s: 1000 }[latencyUnit] ?? Number.NaN),
  };
}

/** Seconds for a blob nobody has: the same bytes with another start. */
async function push(url: string, repository: string, blob: string, round: number): Promise<number> {
  const { file, digest } = await variantOf(blob, `push ${round}`);
  const started = performance.now();
  await pushFile(url, repository, file, digest);
  return (performance.now() - started) / 1000;
}

async function storeVariant(url: string, repository: string, blob: string, mark: string): Promise<string> {
  const { file, digest } = await variantOf(blob, mark);
  await pushFile(url, repository, file, digest);
  return digest;
}

async function variantOf(blob: string, mark: string): Promise<{ readonly file: string; readonly digest: string }> {
  const file = path.join(dir, "variant");
  const bytes = await readFile(blob);
  bytes.write(mark, 0);
  await writeFile(file, bytes);
  return { file, digest: digestOf(bytes) };
}

async function timedGet(url: string): Promise<{ readonly firstMs: number; readonly totalMs: number }> {
  const { stdout } = await run("curl", [
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code} %{time_starttransfer} %{time_total}",
    url,
  ]);
  const [status, first, total] = stdout.split(" ").map(Number);
  if (status !== 200) throw new Error(`${url}: ${stdout}`);
  return { firstMs: (first ?? 0) * 1000, totalMs: (total ?? 0) * 1000 };
}

async function pushFile(url: string, repository: string, file: string, digest: string): Promise<void> {
  const location = await startUpload(url, repository);
  location.searchParams.set("digest", digest);
  const type = ["-H", "Content-Type: application/octet-stream", "-H", "Expect:"];
  const { stdout } = await run("curl", [
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{http_code}",
    "-X",
    "PUT",
    ...type,
    "-T",
    file,
    location.href,
  ]);
  if (stdout !== "201") throw new Error(`push to ${url}: ${stdout}`);
}

async function startUpload(url: string, repository: string): Promise<URL> {
  const start = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
  await start.arrayBuffer();
  return new URL(start.headers.get("location") ?? "", url);
}

async function putManifest(url: string, repository: string, layer: string): Promise<void> {
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const digest = digestOf(config);
  const location = await startUpload(url, repository);
  location.searchParams.set("digest", digest);
  const headers = { "Content-Type": "application/octet-stream" };
  await fetch(location, { method: "PUT", body: config, headers });
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer, size: blobBytes }],
  };
  const answer = await fetch(`${url}/v2/${repository}/manifests/v1`, {
    method: "PUT",
    body: JSON.stringify(manifest),
    headers: { "Content-Type": manifestType },
  });
  if (answer.status !== 201) throw new Error(`${url}: ${await answer.text()}`);
}

/** Resident memory of the process before, after many repositories, and after many requests. */
async function memoryOf(url: string, pid: number): Promise<readonly (readonly [string, number])[]> {
  const figures: (readonly [string, number])[] = [["after the runs above", await residentMiB(pid)]];
  const repositories = Number(values.repositories);
  const body = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, layers: [] });
  for (let at = 0; at < repositories; at += 16)
    await Promise.all(
      Array.from({ length: Math.min(16, repositories - at) }, async (_, index) => {
        const answer = await fetch(`${url}/v2/many/r${at + index}/manifests/v1`, {
          method: "PUT",
          body,
          headers: { "Content-Type": manifestType },
        });
        await answer.arrayBuffer();
      }),
    );
  figures.push([`after ${repositories} repositories were pushed`, await residentMiB(pid)]);
  const script = path.join(dir, "many.lua");
  await writeFile(
    script,
    `local n = 0\nrequest = function()\n n = (n + 7919) % ${repositories}\n return wrk.format("GET", "/v2/many/r" .. n .. "/manifests/v1")\nend\n`,
  );
  const wanted = Number(values.requests);
  for (let done = 0; done < wanted; ) {
    const { stdout } = await run("wrk", ["-t1", "-c16", "-d5s", "-s", script, url]);
    done += Number(/(\d+) requests in/.exec(stdout)?.[1] ?? wanted);
    if (/Non-2xx/.test(stdout)) throw new Error(stdout);
    if (done >= wanted) figures.push([`after ${done} requests over all of them`, await residentMiB(pid)]);
    else if (done > wanted / 2 && figures.length === 2)
      figures.push([`after ${done} requests`, await residentMiB(pid)]);
  }
  return figures;
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

function report(rows: readonly string[], memory: readonly (readonly [string, number])[]): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? "?"}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)} at the end`;
  return [
    `${machine}; medians of ${rounds} interleaved rounds, one process each.`,
    "",
    "| | kubefile | docker-registry 2.8 | better by |",
    "|---|---:|---:|---:|",
    ...rows,
    "",
    "| memory of the kubefile process | MiB |",
    "|---|---:|",
    ...memory.map(([what, mebibytes]) => `| ${what} | ${mebibytes.toFixed(0)} |`),
    "",
  ].join("\n");
}
