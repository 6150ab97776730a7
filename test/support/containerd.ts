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
  readonly socket: string;
}

export interface ContainerdOptions {
  /** The folder of `hosts.toml` files for the kubelet's way of pulling (CRI), which is off without it. */
  readonly configPath?: string;
}

export async function startContainerd(options: ContainerdOptions = {}): Promise<Containerd> {
  const dir = await mkdtemp(path.join(tmpdir(), "kubefile-containerd-"));
  const socket = path.join(dir, "containerd.sock");
  const config = [
    "version = 2",
    `root = "${dir}/root"`,
    `state = "${dir}/state"`,
    ...(options.configPath === undefined ? [`disabled_plugins = ["io.containerd.grpc.v1.cri"]`] : []),
    "[grpc]",
    `  address = "${socket}"`,
    ...(options.configPath === undefined ? [] : criConfig(options.configPath)),
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
    socket,
    async [Symbol.asyncDispose]() {
      await end(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function criConfig(configPath: string): readonly string[] {
  const plugin = `plugins."io.containerd.grpc.v1.cri"`;
  return [
    `[${plugin}.containerd]`,
    `  snapshotter = "native"`,
    `[${plugin}.registry]`,
    `  config_path = "${configPath}"`,
  ];
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}
