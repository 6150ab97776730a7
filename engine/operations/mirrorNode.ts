/** A node's runtime and its mirror: written, checked with a pull through the runtime itself, taken away. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { parseReference } from "../oci/reference.ts";
import { openBundleDirectory } from "../registry/bundleFiles.ts";
import { bundleIndexPath, parseBundleIndex } from "../registry/bundleIndex.ts";
import { configPathOf } from "../registry/mirror/containerdConfig.ts";
import type { Finding, MirrorConfig } from "../registry/mirror/mirrorConfig.ts";
import { type MirrorRuntimeName, readRuntimeName } from "../registry/mirror/runtimes.ts";
import {
  examineMirror,
  type FileChange,
  nodeFiles,
  removeMirror,
  writeMirror,
} from "../registry/mirror/writeMirror.ts";

export interface MirrorNodeParams {
  readonly runtime: string;
  /** Root of the node's files; `/` for this machine. */
  readonly root: string;
  readonly config: MirrorConfig;
  /** An image to pull through the runtime. */
  readonly canary?: string;
  /** Socket of the runtime, where it is not the usual one. */
  readonly address?: string;
}

/** A pull through the runtime, as a person would try it. */
export interface Canary {
  readonly image: string;
  /** The command, for a person to try again. */
  readonly command: string;
  readonly pulled: boolean;
  /** The last lines the runtime wrote. */
  readonly output: string;
  /** Lines of the mirror's own log about this image; `undefined` when the mirror does not show its log here. */
  readonly mirrorLog?: readonly string[];
}

export interface MirrorCheck {
  /** What was written, when something was. */
  readonly changes?: readonly FileChange[];
  readonly findings: readonly Finding[];
  readonly canary?: Canary;
}

/** Writes the files, then checks them. */
export async function writeNodeMirror(params: MirrorNodeParams, signal: AbortSignal): Promise<MirrorCheck> {
  const changes = await writeMirror(params.root, readRuntimeName(params.runtime), params.config);
  return { changes, ...(await checkNodeMirror(params, signal)) };
}

/** Looks at the files and, when an image is named, pulls it. */
export async function checkNodeMirror(params: MirrorNodeParams, signal: AbortSignal): Promise<MirrorCheck> {
  const runtime = readRuntimeName(params.runtime);
  const findings = examineMirror(params.root, runtime, params.config);
  if (params.canary === undefined) return { findings };
  return { findings, canary: await pullCanary(params, runtime, params.canary, signal) };
}

/** Puts everything back. */
export function removeNodeMirror(runtime: string, root: string): Promise<readonly FileChange[]> {
  return removeMirror(root, readRuntimeName(runtime));
}

/** The hosts whose images a bundle's folder has, from its index; sorted. */
export async function hostsOfBundle(dir: string): Promise<readonly string[]> {
  const files = await openBundleDirectory(dir);
  const index = parseBundleIndex(readFileSync(path.join(files.where, bundleIndexPath), "utf8"));
  if (index === undefined)
    throw new EngineError("BUNDLE_UNREADABLE", { where: dir, problem: `its ${bundleIndexPath} cannot be read` });
  return [...new Set(index.map((image) => parseReference(image.image).host))].sort();
}

const canaryTimeoutMs = 120_000;
const shownOutput = 2000;

async function pullCanary(
  params: MirrorNodeParams,
  runtime: MirrorRuntimeName,
  image: string,
  signal: AbortSignal,
): Promise<Canary> {
  const command = canaryCommand(params, runtime, image);
  const before = await mirrorLog(params.config, signal);
  const { code, output } = await run(command, AbortSignal.any([signal, AbortSignal.timeout(canaryTimeoutMs)]));
  signal.throwIfAborted();
  const after = await mirrorLog(params.config, signal);
  const { repository } = parseReference(image);
  const lines = after
    ?.slice(before?.length === after.length ? 0 : (before?.length ?? 0))
    .filter((line) => line.includes(repository));
  return {
    image,
    command: command.join(" "),
    pulled: code === 0,
    output: output.slice(-shownOutput).trim(),
    ...(lines === undefined ? {} : { mirrorLog: lines }),
  };
}

/** The pull itself. `ctr` does not read the kubelet's configuration and is told the folder; `crictl` goes the kubelet's way. */
function canaryCommand(params: MirrorNodeParams, runtime: MirrorRuntimeName, image: string): readonly string[] {
  const { root, address } = params;
  const certs = (folder: string): string => path.join(root, folder);
  const at = (flag: string): readonly string[] => (address === undefined ? [] : [flag, address]);
  const ctr = (folder: string): readonly string[] => [
    "-n",
    "k8s.io",
    "images",
    "pull",
    "--hosts-dir",
    certs(folder),
    image,
  ];
  switch (runtime) {
    case "containerd": {
      const folder =
        configPathOf(nodeFiles(root).read("/etc/containerd/config.toml") ?? "") ?? "/etc/containerd/certs.d";
      return ["ctr", ...at("--address"), ...ctr(folder)];
    }
    case "k0s":
      return ["k0s", "ctr", ...at("--address"), ...ctr("/etc/k0s/containerd.d/certs.d")];
    case "k3s":
      return ["k3s", "crictl", ...at("--runtime-endpoint"), "pull", image];
    case "crio":
      return ["crictl", ...at("--runtime-endpoint"), "pull", image];
    case "docker":
    case "docker-classic":
      return ["docker", ...at("--host"), "pull", image];
    case "podman": {
      const file = certs("/etc/containers/registries.conf.d/00-kubefile-mirror.conf");
      return ["skopeo", ...(root === "/" ? [] : ["--registries-conf", file]), "inspect", "--raw", `docker://${image}`];
    }
    default:
      return runtime satisfies never;
  }
}

function run(
  [program = "", ...args]: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], signal });
    let output = "";
    const add = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-2 * shownOutput);
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.once("error", (error) => resolve({ code: -1, output: `${program}: ${error.message}` }));
    child.once("close", (code) => resolve({ code: code ?? -1, output }));
  });
}

/** The last lines of the mirror's log; `undefined` when it does not show them to us. */
async function mirrorLog(config: MirrorConfig, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const headers = config.token === undefined ? {} : { authorization: `Bearer ${config.token}` };
  try {
    const answer = await fetch(new URL("/_kubefile/status", config.endpoint), { headers, signal });
    if (!answer.ok) return undefined;
    const { recent } = (await answer.json()) as { recent?: unknown };
    return Array.isArray(recent) ? recent.filter((line) => typeof line === "string") : undefined;
  } catch {
    signal.throwIfAborted();
    // A mirror on another machine, behind a certificate of its own: its log is read there.
    return undefined;
  }
}
