import { writeFileSync } from "node:fs";
import path from "node:path";
import type { ByteString } from "../byteString.ts";
import { bytesOfText } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { Owner } from "../layer/attributes.ts";
import { diffUpper } from "../layer/diff.ts";
import { diffTree, snapshotTree, type TreeSnapshot } from "../layer/diffTrees.ts";
import { hostToolEnv } from "../layer/hostTool.ts";
import type { LayerEntry } from "../layer/layerEntry.ts";
import { LowerStack } from "../layer/lowerStack.ts";
import { resolvePath } from "../layer/safePath.ts";
import { readWhiteout } from "../layer/whiteout.ts";
import { type MountPlan, planMounts } from "./sandboxMounts.ts";
import { type ProcessOutcome, runSandboxProcess } from "./sandboxProcess.ts";
import { RunDir } from "./sandboxRunDir.ts";
import { type ScriptPlan, sandboxScript, unshareArgv } from "./sandboxScript.ts";
import type { RunSpec, SandboxCommand, SandboxRun } from "./sandboxSpec.ts";
import { openAgentSocket } from "./sandboxSsh.ts";
import { findSandboxTools } from "./sandboxTools.ts";
import { resolveUser, type SandboxUser } from "./sandboxUser.ts";

/** What a command finds as PATH when the image sets none; the same for every Linux image. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a command in a root file system of its own: fresh mount, pid, uts and ipc namespaces (and network when off; and user when we are
 * not root), the tree by overlayfs or, where that is refused, a plain copy. As root the command keeps the capabilities Docker gives and no
 * others. Nothing of the host's environment, files or processes is in sight but what `spec` mounts.
 *
 * Resolves when the command ended with 0. Throws `RUN_FAILED`, `RUN_TIMED_OUT`, `CANCELLED`; before the command starts
 * `SANDBOX_UNAVAILABLE` with the reason, `SANDBOX_TOOL_MISSING`, `RUN_USER_UNKNOWN`, `RUN_WORKDIR_MISSING`, `RUN_MOUNT_INVALID`, `RUN_ENV_INVALID`.
 */
export async function runInSandbox(spec: RunSpec): Promise<SandboxRun> {
  throwIfCancelled(spec);
  const tools = findSandboxTools(process.platform);
  const isRoot = process.geteuid?.() === 0;
  const tree = new LowerStack(spec.rootfs.lowerDirs);
  const user = sandboxUser(spec, tree, isRoot);
  const runDir = await RunDir.open(spec.rootfs);
  try {
    const mountPlan = planMounts(spec.mounts, tree, runDir.baseDir);
    checkWorkingDir(spec, tree, mountPlan);
    const plan: ScriptPlan = {
      runDir: runDir.dir,
      method: "overlay",
      layerCount: spec.rootfs.lowerDirs.length,
      isRoot,
      network: spec.network,
      mountPlan,
      user,
      env: environmentOf(spec, user),
      limits: spec.limits,
      workingDir: spec.workingDir,
      argv: argvOf(spec.command),
      scriptFile: spec.command.kind === "script" ? spec.command : undefined,
      tools,
      interactive: false,
    };
    const attempt = await attemptRun(spec, plan, runDir);
    settle(spec, attempt, runDir);
    return finishedRun(spec, attempt, runDir, tree);
  } catch (error) {
    if (!keptRuns.has(runDir)) await runDir[Symbol.asyncDispose]();
    throw error;
  }
}

/** Directories whose run failed and somebody wants to look at. */
const keptRuns = new WeakSet<RunDir>();

interface Attempt {
  readonly plan: ScriptPlan;
  readonly outcome: ProcessOutcome;
  /** Of the copy, before the command ran. */
  readonly before: TreeSnapshot | undefined;
}

async function attemptRun(spec: RunSpec, plan: ScriptPlan, runDir: RunDir): Promise<Attempt> {
  const sockets: AsyncDisposable[] = [];
  try {
    for (const [index, { mount }] of plan.mountPlan.mounts.entries()) {
      if (mount.kind !== "ssh") continue;
      const { agentSocket: socket, mode, uid, gid } = mount;
      sockets.push(
        await openAgentSocket(runDir.dir, `socket${index}`, { socket, mode, uid, gid, setOwner: plan.isRoot }),
      );
    }
    return await overlayOrCopy(spec, plan, runDir);
  } finally {
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  }
}

async function overlayOrCopy(spec: RunSpec, plan: ScriptPlan, runDir: RunDir): Promise<Attempt> {
  const outcome = await runOnce(spec, plan);
  if (outcome.refusedOverlay === undefined || outcome.stopped !== undefined)
    return { plan, outcome, before: undefined };
  await runDir.copyTree(spec.rootfs, spec.signal);
  const before = snapshotTree(runDir.rootDir);
  const copyPlan: ScriptPlan = { ...plan, method: "copy" };
  return { plan: copyPlan, outcome: await runOnce(spec, copyPlan), before };
}

function runOnce(spec: RunSpec, plan: ScriptPlan): Promise<ProcessOutcome> {
  return runSandboxProcess({
    runDir: plan.runDir,
    argv: unshareArgv(plan, ["-s"]),
    mkfifo: plan.tools.mkfifo,
    script: Buffer.from(sandboxScript(plan), "latin1"),
    secrets: plan.mountPlan.mounts.flatMap(({ mount }) => (mount.kind === "secret" ? [mount.value] : [])),
    timeoutMs: spec.timeoutMs,
    onLine: spec.onLine,
    signal: spec.signal,
  });
}

/** Turns an end that is not a success into its error. */
function settle(spec: RunSpec, { plan, outcome }: Attempt, runDir: RunDir): void {
  const command = shownCommand(spec.command);
  if (outcome.stopped === "cancelled") throw new EngineError("CANCELLED", { what: `RUN ${command}` });
  if (outcome.started && outcome.stopped === undefined && outcome.exitCode === 0) return;
  if (!outcome.started && outcome.stopped === undefined) {
    throw new EngineError("SANDBOX_UNAVAILABLE", {
      reason: outcome.complaint || `preparation ended with ${outcome.exitCode}`,
    });
  }
  if (spec.keepFailed !== undefined && outcome.started) {
    keptRuns.add(runDir);
    spec.keepFailed({
      enterArgv: enterArgv(plan, runDir),
      [Symbol.asyncDispose]: () => runDir[Symbol.asyncDispose](),
    });
  }
  if (outcome.stopped === "timeout")
    throw new EngineError("RUN_TIMED_OUT", { command, timeoutMs: spec.timeoutMs ?? 0 });
  throw new EngineError("RUN_FAILED", { command, exitCode: outcome.exitCode, signal: outcome.endedBy });
}

function enterArgv(plan: ScriptPlan, runDir: RunDir): readonly string[] {
  const file = path.join(runDir.dir, "enter.sh");
  const script = sandboxScript({ ...plan, interactive: true, argv: ["/bin/sh"], scriptFile: undefined });
  writeFileSync(file, Buffer.from(script, "latin1"), { mode: 0o600 });
  const environment = Object.entries(hostToolEnv).map(([name, value]) => `${name}=${value}`);
  return [plan.tools.env, "-i", ...environment, ...unshareArgv(plan, [file])];
}

function finishedRun(spec: RunSpec, { plan, outcome, before }: Attempt, runDir: RunDir, tree: LowerStack): SandboxRun {
  const options = {
    ignore: mountPoints(plan.mountPlan, tree),
    ownerOf: ownerRule(spec, plan.isRoot),
    signal: spec.signal,
  };
  return {
    method: plan.method,
    changesDir: plan.method === "overlay" ? runDir.upperDir : runDir.rootDir,
    durationMs: outcome.durationMs,
    changes: (): Promise<readonly LayerEntry[]> =>
      before === undefined
        ? diffUpper(runDir.upperDir, { ...options, lowerDirs: spec.rootfs.lowerDirs })
        : ofTheImage(diffTree(runDir.rootDir, before, options), tree),
    [Symbol.asyncDispose]: () => runDir[Symbol.asyncDispose](),
  };
}

/** Without deletions of mount points, which the copy had and the image has not. */
async function ofTheImage(entries: Promise<readonly LayerEntry[]>, tree: LowerStack): Promise<readonly LayerEntry[]> {
  return (await entries).filter((entry) => {
    const whiteout = readWhiteout(entry.path);
    return whiteout?.kind !== "whiteout" || tree.node(whiteout.path) !== undefined;
  });
}

/** Places that are there only to be mounted on: not the image's, so not a change of the command's. */
function mountPoints(plan: MountPlan, tree: LowerStack): ReadonlySet<ByteString> {
  const own = [...plan.places, plan.hosts, plan.resolvConf];
  return new Set(own.filter((place) => tree.node(place) === undefined));
}

/** Without root every file is ours on disk and root's in the image, unless a layer below said whose it is and nobody changed that. */
function ownerRule(spec: RunSpec, isRoot: boolean): (path: ByteString, onDisk: Owner) => Owner {
  if (isRoot) return (_path, onDisk) => onDisk;
  return (file) => spec.rootfs.ownerOf(file) ?? { uid: 0, gid: 0 };
}

function sandboxUser(spec: RunSpec, tree: LowerStack, isRoot: boolean): SandboxUser {
  const user = resolveUser(spec.user, tree);
  if (!isRoot && (user.uid !== 0 || user.gid !== 0)) {
    const reason =
      "without root this host maps only root into the sandbox: run the build as root, or this step as root";
    throw new EngineError("RUN_USER_UNKNOWN", { user: spec.user, reason });
  }
  return user;
}

function checkWorkingDir(spec: RunSpec, tree: LowerStack, plan: MountPlan): void {
  const place = resolvePath(tree, bytesOfText(spec.workingDir), { followLast: true });
  const isMounted = plan.mounts.some((mount) => place === mount.place || place.startsWith(`${mount.place}/`));
  if (place === "" || isMounted || /^(?:dev|proc|sys)(?:\/|$)/.test(place)) return;
  if (tree.lookup(place)?.kind !== "directory") throw new EngineError("RUN_WORKDIR_MISSING", { dir: spec.workingDir });
}

function environmentOf(spec: RunSpec, user: SandboxUser): ReadonlyMap<string, string> {
  for (const [name, value] of Object.entries(spec.env)) {
    if (name === "" || /[=\0]/.test(name) || value.includes("\0")) throw new EngineError("RUN_ENV_INVALID", { name });
  }
  return new Map(Object.entries({ PATH: defaultPath, HOME: user.home, ...spec.env }));
}

function argvOf(command: SandboxCommand): readonly string[] {
  switch (command.kind) {
    case "exec":
      return command.argv;
    case "shell":
      return [...command.shell, command.text];
    case "script":
      return [`/dev/pipes/${command.name}`];
    default:
      return command satisfies never;
  }
}

/** The command as the Kubefile has it, short enough for a message. */
function shownCommand(command: SandboxCommand): string {
  const text = command.kind === "exec" ? JSON.stringify(command.argv) : command.text;
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > 120 || line !== text.trim() ? `${line.slice(0, 120)}…` : line;
}

function throwIfCancelled({ signal, command }: RunSpec): void {
  if (signal.aborted)
    throw new EngineError("CANCELLED", { what: `RUN ${shownCommand(command)}` }, { cause: signal.reason });
}
