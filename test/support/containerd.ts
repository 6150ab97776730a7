/** containerd by hand, with its own folders and socket, for `ctr` to pull with. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Containerd extends AsyncDisposable {
  /** Runs `ctr` and returns what it prints. */
  ctr(...args: readonly string[]): Promise<string>;
}

export async function startContainerd(): Promise<Containerd> {
  const dir = await mkdtemp(path.join(tmpdir(), "kubefile-containerd-"));
  const socket = path.join(dir, "containerd.sock");
  const config = [
    "version = 2",
    `root = "${dir}/root"`,
    `state = "${dir}/state"`,
    `disabled_plugins = ["io.containerd.grpc.v1.cri"]`,
    "[grpc]",
    `  address = "${socket}"`,
  ];
  await mkdir(path.join(dir, "root"), { recursive: true });
  await writeFile(path.join(dir, "config.toml"), `${config.join("\n")}\n`);
  const child = spawn("containerd", ["--config", path.join(dir, "config.toml")], { stdio: "ignore" });
  const ctr = async (...args: readonly string[]): Promise<string> =>
    (await run("ctr", ["--address", socket, ...args], { timeout: 60_000 })).stdout;
  for (let tries = 0; ; tries += 1) {
    try {
      await ctr("version");
      break;
    } catch (error) {
      if (tries > 100 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    ctr,
    async [Symbol.asyncDispose]() {
      await end(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}
