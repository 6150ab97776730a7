/**
 * Builds the same contexts here and with buildah, in turns, each as a whole process from the command line, and writes
 * `docs/benchmarks/build.md` and its picture: `npm run bench:build`. `BENCH_SIZES=S,M,L` and `BENCH_RUNS=3` choose what is run;
 * L takes 2 GiB of disk and some minutes.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { type ContextSize, changeOne, makeContext, sizes } from "./contexts.ts";
import { type Measured, measure, median } from "./measure.ts";

const rootDir = path.resolve(import.meta.dirname, "../..");
const cli = path.join(rootDir, "dist/engine/cli.js");
/** A run beside which other work kept more than this of a processor busy is dropped. */
const disturbed = 0.35;

const chosen = (process.env["BENCH_SIZES"] ?? "S,M").split(",").flatMap((name) => sizes[name] ?? []);
const runs = Number(process.env["BENCH_RUNS"] ?? 3);
const patience = Number(process.env["BENCH_TRIES"] ?? 3);

if (!existsSync(cli)) throw new Error("dist/engine/cli.js is missing: npm run build");
if (spawnSync("buildah", ["--version"]).status !== 0)
  throw new Error("buildah is not installed (Debian package buildah)");

type Act = "cold" | "warm" | "changed" | "touched" | "plan";
const acts: readonly Act[] = ["cold", "warm", "changed", "touched", "plan"];
const compared: readonly Act[] = ["cold", "warm", "changed"];
const targets: Readonly<Record<string, Readonly<Partial<Record<Act, number>>>>> = {
  S: { cold: 9, warm: 10, changed: 12 },
  M: { cold: 12, warm: 30, changed: 30 },
  L: { cold: 8, warm: 60, changed: 14 },
};

interface Series {
  readonly clean: Measured[];
  readonly all: Measured[];
}
type Results = Map<string, Series>;

const dir = mkdtempSync(path.join(process.env["BENCH_DIR"] ?? tmpdir(), "kubefile-bench-"));
try {
  const kubefile = path.join(dir, "Kubefile");
  writeFileSync(kubefile, "FROM scratch\nCOPY . /\n");
  const results = new Map<string, Results>();
  for (const size of chosen) results.set(size.name, await compare(size, kubefile));
  const file = path.join(rootDir, "docs/benchmarks/build.md");
  writeFileSync(path.join(rootDir, "docs/benchmarks/build.svg"), picture(results));
  writeFileSync(file, page(results));
  process.stdout.write(`${readFileSync(file, "utf8")}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function compare(size: ContextSize, kubefile: string): Promise<Results> {
  const contextDir = makeContext(path.join(dir, size.name), size);
  changeOne(contextDir, 0);
  const results: Results = new Map();
  const take = async (key: string, run: () => Promise<Measured>): Promise<void> => {
    const series = results.get(key) ?? { clean: [], all: [] };
    results.set(key, series);
    const measured = await run();
    series.all.push(measured);
    if (measured.othersBusy <= disturbed) series.clean.push(measured);
    process.stderr.write(
      `${size.name} ${key}: ${(measured.wallMs / 1000).toFixed(2)} s, others ${measured.othersBusy.toFixed(2)}\n`,
    );
  };
  for (let round = 1; round <= runs * patience; round++) {
    if (round > runs && [...results.values()].every(({ clean }) => clean.length >= runs)) break;
    const ours = oursOn(path.join(dir, `store-${size.name}`), kubefile, contextDir);
    const theirs = buildahOn(path.join(dir, `buildah-${size.name}`), kubefile, contextDir);
    theirs.forget();
    ours.forget();
    await take("buildah cold", theirs.build);
    await take("kubefile cold", ours.build);
    await take("buildah warm", theirs.build);
    await take("kubefile warm", ours.build);
    await take("kubefile plan", ours.plan);
    changeOne(contextDir, round);
    await take("buildah changed", theirs.build);
    await take("kubefile changed", ours.build);
    touchAll(contextDir, round);
    await take("kubefile touched", ours.build);
  }
  return results;
}

interface Contender {
  readonly build: () => Promise<Measured>;
  readonly forget: () => void;
}

function oursOn(
  store: string,
  kubefile: string,
  contextDir: string,
): Contender & { readonly plan: () => Promise<Measured> } {
  return {
    build: () =>
      measure(process.execPath, [cli, "build", "--store", store, "-q", "-t", "bench:1", "-f", kubefile, contextDir]),
    plan: () => measure(process.execPath, [cli, "plan", "--store", store, "-f", kubefile, contextDir]),
    forget: () => rmSync(store, { recursive: true, force: true }),
  };
}

function buildahOn(root: string, kubefile: string, contextDir: string): Contender {
  const storage = [
    "--root",
    path.join(root, "root"),
    "--runroot",
    path.join(root, "run"),
    "--storage-driver",
    "overlay",
  ];
  const bud = ["bud", "--isolation", "chroot", "--layers", "-q", "-t", "bench:1", "-f", kubefile, contextDir];
  return {
    build: () => measure("buildah", [...storage, ...bud]),
    forget() {
      // Its storage has mounts of its own; only it can take them away.
      spawnSync("buildah", [...storage, "rmi", "-a", "-f"], { stdio: "ignore" });
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** New times for every file, as a fresh checkout has. */
function touchAll(root: string, round: number): void {
  for (const file of globSync("**/*.yaml", { cwd: root })) utimesSync(path.join(root, file), 1e9 + round, 1e9 + round);
}

/** Medians of the runs nothing disturbed; of all runs when there is none. */
function summary(
  results: Results | undefined,
  key: string,
):
  | {
      readonly seconds: number;
      readonly cpu: number;
      readonly peak: number;
      readonly clean: number;
      readonly all: number;
    }
  | undefined {
  const series = results?.get(key);
  if (series === undefined) return undefined;
  const counted = series.clean.length > 0 ? series.clean : series.all;
  return {
    seconds: median(counted.map(({ wallMs }) => wallMs / 1000)),
    cpu: median(counted.map(({ cpuSeconds }) => cpuSeconds)),
    peak: Math.max(...series.all.map(({ peakBytes }) => peakBytes)),
    clean: series.clean.length,
    all: series.all.length,
  };
}

function page(results: ReadonlyMap<string, Results>): string {
  const rows = [...results].flatMap(([name, found]) => acts.map((act) => row(name, act, found)));
  const buildah = execFileSync("buildah", ["--version"]).toString().trim();
  return `# Building, beside buildah

\`FROM scratch\`, \`COPY . /\`; every figure is a whole process from the command line, medians of runs taken in turns. A run during which
other work kept more than ${disturbed} of a processor busy is dropped ("runs": kept of taken; with none kept, all count). Half of every file is
random, half is text. "changed": one small file is another; "touched": every file has a new time and the same content.

${[...results.keys()].map((name) => `- ${name}: ${sizes[name]?.what}`).join("\n")}

| context | build | kubefile | CPU | peak | runs | buildah | CPU | runs | faster | goal |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}

![Seconds per build, logarithmic](build.svg)

${buildah}, overlay driver, chroot isolation, \`--layers\`; Node ${process.versions.node}; ${cpus().length} processors (${cpus()[0]?.model ?? "unknown"}).
Written by \`npm run bench:build\`.
`;
}

function row(name: string, act: Act, found: Results): string {
  const ours = summary(found, `kubefile ${act}`);
  const theirs = summary(found, `buildah ${act}`);
  if (ours === undefined) return "";
  const mine = [
    `${ours.seconds.toFixed(2)} s`,
    `${ours.cpu.toFixed(2)} s`,
    `${Math.round(ours.peak / 1024 ** 2)} MiB`,
    `${ours.clean} of ${ours.all}`,
  ];
  const others =
    theirs === undefined
      ? ["", "", ""]
      : [`${theirs.seconds.toFixed(2)} s`, `${theirs.cpu.toFixed(2)} s`, `${theirs.clean} of ${theirs.all}`];
  const goal = targets[name]?.[act];
  const faster = theirs === undefined ? "" : `**${(theirs.seconds / ours.seconds).toFixed(1)}×**`;
  return `| ${[name, act, ...mine, ...others, faster, goal === undefined ? "" : `≥ ${goal}×`].join(" | ")} |`;
}

/** Bars on a logarithmic scale, one pair for each comparison. */
function picture(results: ReadonlyMap<string, Results>): string {
  const bars = [...results].flatMap(([name, found]) =>
    compared.flatMap((act) =>
      (["kubefile", "buildah"] as const).map((who) => ({
        label: `${name} ${act}`,
        who,
        seconds: summary(found, `${who} ${act}`)?.seconds ?? 0,
      })),
    ),
  );
  const width = 720;
  const left = 110;
  const most = Math.max(...bars.map(({ seconds }) => seconds), 1);
  const least = 0.03;
  const scale = (seconds: number): number =>
    (Math.log(Math.max(seconds, least) / least) / Math.log(most / least)) * (width - left - 80);
  const height = bars.length * 18 + Math.ceil(bars.length / 2) * 8 + 20;
  const lines = bars.map(({ label, who, seconds }, index) => {
    const y = 10 + index * 18 + Math.floor(index / 2) * 8;
    const colour = who === "kubefile" ? "#2b7de9" : "#9aa4b2";
    const text = index % 2 === 0 ? `<text x="0" y="${y + 12}">${label}</text>` : "";
    return `${text}<rect x="${left}" y="${y}" width="${scale(seconds).toFixed(1)}" height="15" fill="${colour}"/><text x="${(left + scale(seconds) + 6).toFixed(1)}" y="${y + 12}">${seconds.toFixed(2)} s ${who}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">\n<rect width="${width}" height="${height}" fill="#fff"/>\n${lines.join("\n")}\n</svg>\n`;
}
