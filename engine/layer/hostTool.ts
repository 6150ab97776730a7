import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";

/** Where programs of the host are looked for. Fixed, so that a build does not depend on somebody's PATH. */
const programDirs: readonly string[] = [
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/usr/local/sbin",
  "/usr/local/bin",
  "/run/current-system/sw/bin",
];

/** The environment every program of the host is started with: none of ours, messages in English. */
export const hostToolEnv: Readonly<Record<string, string>> = { PATH: programDirs.join(":"), LC_ALL: "C" };

/** The absolute path of a program of the host, or undefined when it is not installed. */
export function findHostTool(name: string): string | undefined {
  return programDirs
    .map((dir) => `${dir}/${name}`)
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export interface HostToolResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** What it complained about, trimmed. */
  readonly stderr: string;
}

/** Runs a program of the host to its end with `input` on its standard input. It is killed when the signal fires. */
export function runHostTool(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly input: Uint8Array; readonly signal: AbortSignal },
): Promise<HostToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: hostToolEnv,
      stdio: ["pipe", "pipe", "pipe"],
      signal: options.signal,
      killSignal: "SIGKILL",
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({
        exitCode: code ?? 1,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString("utf8").trim(),
      });
    });
    // A program that ends without reading all of it says why on its standard error.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
  });
}

/** A word for a POSIX shell. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
