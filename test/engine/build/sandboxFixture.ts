import { spawnSync } from "node:child_process";
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { materialise } from "../../../engine/build/rootfs.ts";
import { runInSandbox } from "../../../engine/build/sandbox.ts";
import type { LayerSource, OnLine, Rootfs, RunSpec, SandboxRun } from "../../../engine/build/sandboxSpec.ts";
import { digestOf } from "../../../engine/oci/digest.ts";
import { skipUnless } from "../../support/requirement.ts";

/** Why a suite that runs commands cannot run here. */
export function skipWithoutSandbox(): string | false {
  const busybox = skipUnless(
    existsSync("/bin/busybox"),
    "/bin/busybox is not installed (Debian package busybox-static)",
  );
  if (busybox !== false) return busybox;
  const allowed = spawnSync("unshare", [
    ...(process.geteuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
    "--mount",
    "--pid",
    "--fork",
    "true",
  ]);
  return skipUnless(allowed.status === 0, `namespaces are not allowed here: ${allowed.stderr?.toString().trim()}`);
}

/** A scratch directory that goes with the scope. */
export function scratch(): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-sandbox-"));
  return {
    dir,
    [Symbol.dispose]: () => {
      spawnSync("chmod", ["-R", "u+rwx", dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const applets =
  "sh ls cat echo rm mkdir ln mv chmod chown touch id env sleep ps mount hostname ip nc stat find sort true false dd mknod mkfifo umount setsid kill chroot wc tr ulimit unshare cp rmdir readlink od grep test sync nproc nohup".split(
    " ",
  );

/** A root file system of busybox and a few files, as a layer. */
export function busyboxLayer(dir: string): LayerSource {
  const tree = path.join(dir, "busybox");
  mkdirSync(path.join(tree, "bin"), { recursive: true });
  mkdirSync(path.join(tree, "etc"));
  mkdirSync(path.join(tree, "tmp"), { mode: 0o777 });
  mkdirSync(path.join(tree, "root"));
  mkdirSync(path.join(tree, "data/deep"), { recursive: true });
  cpSync("/bin/busybox", path.join(tree, "bin/busybox"));
  for (const applet of applets) symlinkSync("busybox", path.join(tree, "bin", applet));
  writeFileSync(
    path.join(tree, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\nbroken:x:x:0::/:\n",
  );
  writeFileSync(path.join(tree, "etc/group"), "root:x:0:\napps:x:1001:\naudio:x:29:app\nvideo:x:44:other,app\n");
  for (const name of ["one", "two", "three", "deep/four"]) writeFileSync(path.join(tree, "data", name), `${name}\n`);
  return layerOf(tree, path.join(dir, "busybox.tar"));
}

/** A directory packed by GNU tar as a layer. */
export function layerOf(tree: string, file: string, options: readonly string[] = []): LayerSource {
  const packed = spawnSync("tar", [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    ...options,
    "-C",
    tree,
    "-cf",
    file,
    ".",
  ]);
  if (packed.status !== 0) throw new Error(packed.stderr.toString());
  return layerOfTar(file);
}

export function layerOfTar(file: string): LayerSource {
  return {
    diffId: digestOf(readFileSync(file)),
    sizeBytes: statSync(file).size,
    open: () => createReadStream(file, { highWaterMark: 1 << 20 }),
  };
}

export interface Ran {
  readonly run: SandboxRun;
  readonly lines: readonly { readonly stream: "stdout" | "stderr"; readonly line: string }[];
  readonly stdout: readonly string[];
}

export interface Bench {
  readonly dir: string;
  readonly rootfs: Rootfs;
  /** Runs shell text, or what `spec` says instead; `lines` fills while it runs. */
  run(text: string, spec?: Partial<RunSpec>, lines?: Parameters<OnLine>[]): Promise<Ran>;
}

/** A materialised busybox and a way to run commands in it. */
export async function bench(
  dir: string,
  layers: readonly LayerSource[] = [busyboxLayer(dir)],
): Promise<Bench & AsyncDisposable> {
  const never = new AbortController().signal;
  const rootfs = await materialise(layers, { dir: path.join(dir, "rootfs"), signal: never });
  return {
    dir,
    rootfs,
    async run(text, spec, lines = []) {
      const run = await runInSandbox({
        rootfs,
        command: { kind: "shell", shell: ["/bin/sh", "-c"], text },
        env: {},
        user: "",
        workingDir: "/",
        network: "none",
        mounts: [],
        limits: {},
        onLine: (...line) => lines.push(line),
        signal: never,
        ...spec,
      });
      const seen = lines.map(([stream, line]) => ({ stream, line }));
      return { run, lines: seen, stdout: seen.filter(({ stream }) => stream === "stdout").map(({ line }) => line) };
    },
    [Symbol.asyncDispose]: () => rootfs[Symbol.asyncDispose](),
  };
}
