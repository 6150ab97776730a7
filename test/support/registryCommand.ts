/** `kubefile registry serve` as a person starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";

const cli = path.resolve(import.meta.dirname, "../../engine/cli.ts");

export interface RunningRegistry extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The first line of standard output: the address; or all of standard error when it ended before. */
  readonly first: string;
  /** Lines of standard error. */
  readonly said: string[];
  readonly ended: Promise<number | null>;
}

export async function startRegistryCommand(...args: readonly string[]): Promise<RunningRegistry> {
  const child = spawn(process.execPath, [cli, "registry", "serve", "--listen", "127.0.0.1:0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", resolve)),
    ended.then(() => said.join("\n")),
  ]);
  return {
    child,
    first,
    said,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Runs another command of the command line to its end. */
export function runCommand(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.once("close", (code) => resolve({ code, output }));
  });
}
