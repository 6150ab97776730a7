import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, openSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { EngineError } from "../errors.ts";
import { hostToolEnv, runHostTool } from "../layer/hostTool.ts";
import { readLines } from "./sandboxOutput.ts";
import type { OnLine } from "./sandboxSpec.ts";

export interface ProcessSpec {
  /** The sandbox's own directory. */
  readonly runDir: string;
  readonly argv: readonly string[];
  readonly mkfifo: string;
  /** What the shell reads. */
  readonly script: Uint8Array;
  readonly secrets: readonly Uint8Array[];
  readonly timeoutMs: number | undefined;
  readonly onLine: OnLine;
  readonly signal: AbortSignal;
}

export interface ProcessOutcome {
  /** Whether the command was reached, or what was said instead: reason and exit code of the preparation. */
  readonly started: boolean;
  readonly refusedOverlay: string | undefined;
  readonly complaint: string;
  readonly exitCode: number;
  readonly endedBy: NodeJS.Signals | undefined;
  readonly stopped: "cancelled" | "timeout" | undefined;
  readonly durationMs: number;
}

/**
 * Runs the sandbox to its end. Every process in it dies with it: when the command ends, is cancelled or takes too long, the first process
 * of its pid namespace goes and the kernel takes the rest along.
 */
export async function runSandboxProcess(spec: ProcessSpec): Promise<ProcessOutcome> {
  const startedAt = performance.now();
  const output = await openOutput(spec);
  const [program, ...args] = spec.argv;
  const child = spawn(program ?? "", args, {
    cwd: spec.runDir,
    env: hostToolEnv,
    stdio: ["pipe", output.stdout.writeFd, output.stderr.writeFd, "pipe", "pipe"],
    // A session of its own: Ctrl-C in a terminal is ours to turn into a cancel.
    detached: true,
  });
  const exited = exitOf(child);
  output.releaseWriters();
  const lines = new HeldLines(spec.onLine);
  const stopper = new Stopper(child, spec);
  try {
    const said = readSaid(child.stdio[3] as Readable, () => lines.release());
    feed(child.stdin as Writable, spec.script);
    feed(
      child.stdio[4] as Writable,
      Buffer.from(spec.secrets.map((value) => `${Buffer.from(value).toString("base64")}\n`).join("")),
    );
    const read = Promise.all([
      readLines(output.stdout.reader, (line) => lines.add("stdout", line)),
      readLines(output.stderr.reader, (line) => lines.add("stderr", line)),
    ]);
    const exit = await exited;
    await read;
    const words = await said;
    return {
      started: words.includes("ready"),
      refusedOverlay: /^overlay (.*)$/m.exec(words)?.[1],
      complaint: lines.complaint(),
      ...exit,
      stopped: stopper.reason,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    stopper.stop();
    output.stdout.reader.destroy();
    output.stderr.reader.destroy();
  }
}

/**
 * Ends what a sandbox of a dead process left running, from the note in its directory. The start time tells a number used again from the
 * process that was noted.
 */
export function killLeftover(runDir: string): void {
  try {
    const [pid, started] = readFileSync(path.join(runDir, "init"), "utf8").split(" ");
    if (started !== undefined && startOf(Number(pid)) === started) process.kill(Number(pid), "SIGKILL");
  } catch {
    // No note, or nothing runs any more.
  }
}

/** Lines wait until the command has started: before, they are complaints of the preparation. */
class HeldLines {
  readonly #held: { readonly stream: "stdout" | "stderr"; readonly line: string }[] = [];
  readonly #onLine: OnLine;
  #released = false;

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  add(stream: "stdout" | "stderr", line: string): void {
    if (this.#released) this.#onLine(stream, line);
    else this.#held.push({ stream, line });
  }

  release(): void {
    this.#released = true;
    for (const { stream, line } of this.#held.splice(0)) this.#onLine(stream, line);
  }

  complaint(): string {
    return this.#held
      .map(({ line }) => line.trim())
      .filter((line) => line !== "")
      .slice(-3)
      .join("; ");
  }
}

/** Kills the sandbox when it is told to or time is up; the first reason counts. */
class Stopper {
  reason: "cancelled" | "timeout" | undefined;
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#kill("cancelled");

  constructor(child: ChildProcess, { timeoutMs, signal, runDir }: ProcessSpec) {
    this.#child = child;
    this.#signal = signal;
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#kill("timeout"), timeoutMs);
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.#kill("cancelled");
    this.#noteInit(runDir);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  #kill(reason: "cancelled" | "timeout"): void {
    this.reason ??= reason;
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    // The first process of the namespace: with another user's rights it may have lost the death signal of its parent.
    for (const init of childrenOf(pid)) killQuietly(init);
    killQuietly(pid);
  }

  /** Notes the first process of the namespace, so that it can be ended should this process die. */
  #noteInit(runDir: string, attempt = 0): void {
    const [init] = this.#child.pid === undefined ? [] : childrenOf(this.#child.pid);
    const started = init === undefined ? undefined : startOf(init);
    if (started !== undefined) writeFileSync(path.join(runDir, "init"), `${init} ${started}`);
    else if (attempt < 100) setTimeout(() => this.#noteInit(runDir, attempt + 1), 5).unref();
  }
}

function exitOf(child: ChildProcess): Promise<Pick<ProcessOutcome, "exitCode" | "endedBy">> {
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(new EngineError("SANDBOX_UNAVAILABLE", { reason: cause.message }, { cause })));
    child.on("exit", (code, signal) => resolve({ exitCode: code ?? 128, endedBy: signal ?? undefined }));
  });
}

function readSaid(stream: Readable, onReady: () => void): Promise<string> {
  let said = "";
  return new Promise((resolve) => {
    stream.on("data", (chunk: Buffer) => {
      const wasReady = said.includes("ready\n");
      said += chunk.toString("utf8");
      if (!wasReady && said.includes("ready\n")) onReady();
    });
    stream.on("error", () => resolve(said));
    stream.on("close", () => resolve(said));
  });
}

/** A shell that gives up early closes the other end; that is seen in its exit code. */
function feed(stream: Writable, bytes: Uint8Array): void {
  stream.on("error", () => undefined);
  stream.end(bytes);
}

interface Channel {
  readonly reader: Socket;
  readonly writeFd: number;
}

/**
 * Real pipes for output: Node would give sockets, and a command that opens /dev/stdout or /dev/stderr by name cannot open a socket.
 * They are fifos in the sandbox's directory, open to the command's user whoever that is.
 */
async function openOutput(
  spec: ProcessSpec,
): Promise<{ readonly stdout: Channel; readonly stderr: Channel; releaseWriters(): void }> {
  const names = ["stdout", "stderr"].map((name) => path.join(spec.runDir, name));
  const made = await runHostTool(spec.mkfifo, ["-m", "666", "--", ...names], {
    cwd: spec.runDir,
    input: new Uint8Array(0),
    signal: new AbortController().signal,
  });
  if (made.exitCode !== 0) throw new EngineError("SANDBOX_UNAVAILABLE", { reason: made.stderr });
  const [stdout, stderr] = names.map((name) => {
    // A reader that does not wait, then a writer: neither blocks this thread.
    const readFd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeFd = openSync(name, constants.O_WRONLY);
    unlinkSync(name);
    return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd };
  }) as [Channel, Channel];
  return {
    stdout,
    stderr,
    releaseWriters: () => {
      closeSync(stdout.writeFd);
      closeSync(stderr.writeFd);
    },
  };
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === pid)
      .map(Number);
  }
}

function parentOf(pid: number): number | undefined {
  const parent = statFields(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function startOf(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

/** Fields of proc_pid_stat(5) after the name: state first. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
