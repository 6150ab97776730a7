/**
 * The language server beside `dockerfile-language-server-nodejs`: both over stdio, on the same machine, with the same
 * questions. Writes docs/benchmarks/lsp.md. `npm run bench -- lsp`.
 *
 * The server's CPU time is what to compare; wall times depend on what else the machine does.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import {
  createProtocolConnection,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver/node";

const rootDir = path.resolve(import.meta.dirname, "../..");
const work = mkdtempSync(path.join(tmpdir(), "kubefile-bench-lsp-"));

interface Rival {
  readonly name: string;
  readonly command: readonly string[];
  readonly languageId: string;
  readonly fileName: string;
  readonly text: (lines: number) => string;
  readonly bundleBytes: number;
}

interface Row {
  readonly what: string;
  readonly values: Readonly<Record<string, string>>;
}

const kubefileBlock = (n: number): string[] => [
  "FROM docker.io/sealerio/kubernetes:v1-22-15-sealerio-2",
  "ARG VERSION=1.0",
  'LABEL app.alpha.sealer.io/title="demo" version="$VERSION"',
  "ENV PORT=8080 NS=demo",
  "# apps",
  `APP nginx${n} local://nginx.yaml`,
  `APP redis${n} helm://charts/redis`,
  'APPCMDS nginx ["kubectl apply -f nginx.yaml"]',
  "COPY nginx.yaml .",
  "COPY imageList manifests",
  "RUN curl -fsSL https://example.org/a.tgz -o /tmp/a.tgz && \\",
  "    tar -xzf /tmp/a.tgz -C /tmp",
  "CNI calico local://calico.sh",
  "CSI alibaba-csi local://csi.sh",
  'LAUNCH ["nginx","redis"]',
  'CMDS ["kubectl get po"]',
];

const dockerfileBlock = (n: number): string[] => [
  "ARG VERSION=1.0",
  `FROM alpine:3.20 AS base${n}`,
  "ENV APP_HOME=/app PORT=8080",
  "WORKDIR $APP_HOME",
  "COPY --chown=1000:1000 . .",
  "# install",
  "RUN apk add --no-cache curl && \\",
  "    curl -fsSL https://example.org/a.tgz -o /tmp/a.tgz && \\",
  "    tar -xzf /tmp/a.tgz -C ${APP_HOME}",
  'LABEL org.example.title="demo" org.example.version="$VERSION"',
  "EXPOSE 8080/tcp",
  "USER 1000",
  'CMD ["sh", "-c", "echo hi"]',
];

function generate(block: (n: number) => string[], lines: number): string {
  const all: string[] = [];
  while (all.length < lines) all.push(...block(all.length));
  return `${all.slice(0, lines).join("\n")}\n`;
}

/** One server process and the questions it is asked. */
class Subject {
  readonly connection: ProtocolConnection;
  readonly #child: ChildProcess;
  #waiting: (() => void) | undefined;

  constructor(command: readonly string[]) {
    const [program = "", ...args] = command;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
    this.#child = child;
    this.connection = createProtocolConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    this.connection.onRequest("workspace/configuration", ({ items }: { items: unknown[] }) => items.map(() => null));
    this.connection.onRequest("client/registerCapability", () => null);
    this.connection.onNotification("textDocument/publishDiagnostics", () => {
      this.#waiting?.();
      this.#waiting = undefined;
    });
    this.connection.listen();
  }

  initialize(): Promise<unknown> {
    return this.connection.sendRequest("initialize", {
      processId: process.pid,
      rootUri: pathToFileURL(work).href,
      workspaceFolders: [{ uri: pathToFileURL(work).href, name: "w" }],
      capabilities: {
        workspace: { configuration: false },
        textDocument: {
          completion: { completionItem: { snippetSupport: true, documentationFormat: ["markdown"] } },
          publishDiagnostics: { relatedInformation: true },
          semanticTokens: { requests: { full: true }, tokenTypes: [], tokenModifiers: [], formats: ["relative"] },
        },
      },
    });
  }

  diagnostics(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** CPU time used so far, in milliseconds. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8")
      .replace(/^.*\) /u, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  rssMiB(): number {
    return Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill();
    await ended;
    this.connection.dispose();
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

/** Pseudo-random numbers that are the same in every run. */
function randomness(): () => number {
  let seed = 12345;
  return () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
}

async function measure(rival: Rival, lines: number, semanticRuns: number): Promise<Record<string, string>> {
  const text = rival.text(lines);
  const file = path.join(work, rival.fileName);
  writeFileSync(file, text);
  const uri = pathToFileURL(file).href;
  const initial: number[] = [];
  const open: number[] = [];
  const openRss: number[] = [];
  for (let run = 0; run < 5; run++) {
    const subject = new Subject(rival.command);
    await subject.initialize();
    initial.push(subject.cpuMs());
    const before = subject.cpuMs();
    const said = subject.diagnostics();
    void subject.connection.sendNotification("initialized", {});
    void subject.connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri, languageId: rival.languageId, version: 1, text },
    });
    await said;
    open.push(subject.cpuMs() - before);
    openRss.push(subject.rssMiB());
    await subject.stop();
  }
  const subject = new Subject(rival.command);
  await subject.initialize();
  const first = subject.diagnostics();
  void subject.connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: rival.languageId, version: 1, text },
  });
  await first;
  const random = randomness();
  const all = text.split("\n");
  const position = (): object => {
    const line = Math.floor(random() * (all.length - 1));
    return { line, character: Math.floor(random() * ((all[line] ?? "").length + 1)) };
  };
  const textDocument = { uri };
  const walls: number[] = [];
  let before = subject.cpuMs();
  for (let at = 0; at < 200; at++) {
    const started = performance.now();
    await subject.connection.sendRequest("textDocument/completion", {
      textDocument,
      position: position(),
      context: { triggerKind: 1 },
    });
    walls.push(performance.now() - started);
  }
  const completionCpu = (subject.cpuMs() - before) / 200;
  before = subject.cpuMs();
  for (let at = 0; at < semanticRuns; at++)
    await subject.connection.sendRequest("textDocument/semanticTokens/full", { textDocument });
  const semanticCpu = (subject.cpuMs() - before) / Math.max(1, semanticRuns);
  before = subject.cpuMs();
  const middle = Math.floor(all.length / 2);
  const edits = 20;
  for (let at = 0; at < edits; at++) {
    const said = subject.diagnostics();
    const start = { line: middle, character: 0 };
    const change =
      at % 2 === 0
        ? { range: { start, end: start }, text: "#" }
        : { range: { start, end: { line: middle, character: 1 } }, text: "" };
    void subject.connection.sendNotification("textDocument/didChange", {
      textDocument: { uri, version: at + 2 },
      contentChanges: [change],
    });
    await said;
  }
  const editCpu = (subject.cpuMs() - before) / edits;
  const rss = subject.rssMiB();
  await subject.stop();
  // The kernel counts CPU time in steps of 10 ms.
  const ms = (value: number): string =>
    value === 0 ? "< 2 ms" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  return {
    "initialize, CPU": ms(percentile(initial, 0.5)),
    "open → diagnostics, CPU": ms(percentile(open, 0.5)),
    "one-character edit → diagnostics, CPU": ms(editCpu),
    "completion, CPU": ms(completionCpu),
    "completion p50 / p99, wall": `${ms(percentile(walls, 0.5))} / ${ms(percentile(walls, 0.99))}`,
    "semantic tokens full, CPU": semanticRuns === 0 ? "not run" : ms(semanticCpu),
    "RSS after open": `${Math.round(percentile(openRss, 0.5))} MiB`,
    "RSS at the end": `${Math.round(rss)} MiB`,
  };
}

async function bundled(entry: string, name: string, external: readonly string[] = []): Promise<string> {
  const outfile = path.join(work, name);
  await build({
    absWorkingDir: rootDir,
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    logLevel: "error",
    plugins: external.map((file) => ({
      name: file,
      setup: ({ onResolve }) => {
        onResolve({ filter: /clusterfile\/check\.ts$/ }, () => ({ path: `./${file}`, external: true }));
      },
    })),
  });
  return outfile;
}

async function main(): Promise<void> {
  const own = await bundled("server/main.ts", "server.cjs", ["clusterfile.cjs"]);
  const late = await bundled("server/clusterfile/check.ts", "clusterfile.cjs");
  const rivalDir = path.join(work, "rival");
  const installed = spawnSync(
    "npm",
    ["install", "--silent", "--no-audit", "--no-fund", "--prefix", rivalDir, "dockerfile-language-server-nodejs"],
    { stdio: "inherit" },
  );
  if (installed.status !== 0) throw new Error("dockerfile-language-server-nodejs could not be installed");
  const rivalMain = path.join(rivalDir, "node_modules/dockerfile-language-server-nodejs/lib/server.js");
  const rivalBundle = await bundled(rivalMain, "rival.cjs");
  const rivals: Rival[] = [
    {
      name: "Kubefile",
      command: [process.execPath, own, "--stdio"],
      languageId: "kubefile",
      fileName: "Kubefile",
      text: (lines) => generate(kubefileBlock, lines),
      bundleBytes: statSync(own).size,
    },
    {
      name: "Kubefile, a Dockerfile",
      command: [process.execPath, own, "--stdio"],
      languageId: "kubefile",
      fileName: "Kubefile.docker",
      text: (lines) => generate(dockerfileBlock, lines),
      bundleBytes: statSync(own).size,
    },
    {
      name: "dockerfile-language-server-nodejs",
      command: [process.execPath, rivalMain, "--stdio"],
      languageId: "dockerfile",
      fileName: "Dockerfile",
      text: (lines) => generate(dockerfileBlock, lines),
      bundleBytes: statSync(rivalBundle).size,
    },
  ];
  const report: string[] = [];
  for (const lines of [50, 10_000]) {
    const found = new Map<string, Record<string, string>>();
    for (const rival of rivals) {
      const slow = rival.languageId === "dockerfile" && lines > 1000;
      // Its semantic tokens are quadratic: at 10,000 lines one answer takes most of a minute.
      found.set(rival.name, await measure(rival, lines, slow ? 0 : 5));
    }
    report.push(`## ${lines.toLocaleString("en")} lines`, "", ...table(found), "");
  }
  const sizes = rivals
    .filter((_, index) => index !== 1)
    .map((rival) => `| ${rival.name} | ${Math.round(rival.bundleBytes / 1000)} kB |`);
  const lateSize = Math.round(statSync(late).size / 1000);
  const page = `# Language server

Written by \`npm run bench -- lsp\` (${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores).
Each server runs alone over stdio on a generated file. CPU is the server process's own time; wall times depend on what else the
machine did. The generated Kubefile is a worst case on purpose: a stage, four applications, LAUNCH and CMDS every 16 lines, so
it has thousands of problems. \`dockerfile-language-server-nodejs\` reads the Dockerfile of the second column.

${report.join("\n")}
## Size of the bundle, minified

| server | size |
|---|---|
${sizes.join("\n")}

Checking Clusterfiles is loaded when the first one is opened: ${lateSize} kB more, with the YAML parser.
`;
  writeFileSync(path.join(rootDir, "docs/benchmarks/lsp.md"), page);
  console.log(page);
}

function table(found: ReadonlyMap<string, Record<string, string>>): string[] {
  const names = [...found.keys()];
  const rows: Row[] = Object.keys([...found.values()][0] ?? {}).map((what) => ({
    what,
    values: Object.fromEntries(names.map((name) => [name, found.get(name)?.[what] ?? ""])),
  }));
  return [
    `| | ${names.join(" | ")} |`,
    `|---|${names.map(() => "---|").join("")}`,
    ...rows.map(({ what, values }) => `| ${what} | ${names.map((name) => values[name]).join(" | ")} |`),
  ];
}

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
