import path, { posix } from "node:path";
import { bytesOfText, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { HeldUntil } from "../heldUntil.ts";
import { hostPath, resolveInContext } from "../plan/context.ts";
import { cleanPath } from "../plan/sources.ts";
import type { RunMount, RunStep } from "../plan/steps.ts";
import { materialise } from "./rootfs.ts";
import { layerSource } from "./runCarryOut.ts";
import { openCacheMount } from "./sandboxCacheMount.ts";
import type { RootfsOptions, SandboxMount } from "./sandboxSpec.ts";
import type { StageState } from "./stageRun.ts";
import type { BuildWorkshop } from "./workshop.ts";

/** The mounts of a RUN, and all that is held for them until it ended. */
export interface OpenMounts extends AsyncDisposable {
  readonly mounts: readonly SandboxMount[];
}

/**
 * Opens what `--mount` asks for: bind (context, stage, image), cache, tmpfs, secret and ssh. Throws `RUN_MOUNT_INVALID`,
 * `RUN_SECRET_MISSING`, and what finding images and unpacking them throws.
 * @see Dockerfile reference, "RUN --mount"
 */
export async function openMounts(
  shop: BuildWorkshop,
  step: RunStep,
  state: StageState,
  options: RootfsOptions,
): Promise<OpenMounts> {
  const held = new HeldUntil();
  const mounts: SandboxMount[] = [];
  try {
    for (const mount of step.mounts) {
      const opened = await openMount(shop, step, mount, state, options, held);
      if (opened !== undefined) mounts.push(opened);
    }
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
  return { mounts, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
}

async function openMount(
  shop: BuildWorkshop,
  step: RunStep,
  mount: RunMount,
  state: StageState,
  options: RootfsOptions,
  held: HeldUntil,
): Promise<SandboxMount | undefined> {
  const type = mount.get("type") ?? "bind";
  switch (type) {
    case "bind":
      return openBind(shop, step, mount, state, options, held);
    case "cache":
      return openCache(shop, step, mount, held);
    case "tmpfs":
      return { kind: "tmpfs", target: targetOf(step, mount), ...sizeOf(mount) };
    case "secret":
      return openSecret(shop, step, mount);
    case "ssh":
      return openSsh(shop, mount);
    default:
      throw invalid(mount, `type=${type} is not one of bind, cache, tmpfs, secret and ssh`);
  }
}

async function openBind(
  shop: BuildWorkshop,
  step: RunStep,
  mount: RunMount,
  state: StageState,
  options: RootfsOptions,
  held: HeldUntil,
): Promise<SandboxMount> {
  const target = targetOf(step, mount);
  const source = mount.get("source") ?? mount.get("src") ?? "/";
  const readOnly = !isOn(mount.get("rw") ?? mount.get("readwrite"));
  const from = mount.get("from");
  if (from === undefined) {
    const entry = resolveInContext(shop.context, cleanPath(bytesOfText(source)));
    const hidden = entry !== undefined && shop.context.ignore.verdict(entry.path).hidden;
    if (entry === undefined || hidden) throw invalid(mount, `${source} is not in the build context`);
    return { kind: "bind", target, source: textOfBytes(hostPath(shop.context, entry.path)) || "/", readOnly };
  }
  const index = step.mountStages.get(from);
  const layers =
    index === undefined ? (await shop.image(from, state.job.platform)).layers : (await state.stage(index)).layers;
  const rootfs = held.use(
    await materialise(
      layers.map((layer) => layerSource(shop, layer)),
      options,
    ),
  );
  return { kind: "stage", target, rootfs, path: posix.join("/", source), readOnly };
}

async function openCache(shop: BuildWorkshop, step: RunStep, mount: RunMount, held: HeldUntil): Promise<SandboxMount> {
  const target = targetOf(step, mount);
  const sharing = mount.get("sharing") ?? "shared";
  if (sharing !== "shared" && sharing !== "private" && sharing !== "locked") {
    throw invalid(mount, `sharing=${sharing} is not one of shared, private and locked`);
  }
  const directory = await openCacheMount({
    dir: shop.runDirs.cacheMounts,
    id: mount.get("id") ?? target,
    sharing,
    mode: octal(mount, "mode", 0o755),
    uid: integer(mount, "uid"),
    gid: integer(mount, "gid"),
    signal: shop.signal,
  });
  held.use(directory);
  return { kind: "cache", target, source: directory.source, readOnly: isOn(mount.get("ro") ?? mount.get("readonly")) };
}

function openSecret(shop: BuildWorkshop, step: RunStep, mount: RunMount): SandboxMount | undefined {
  const target = mount.get("target") ?? mount.get("dst") ?? mount.get("destination");
  const id = mount.get("id") ?? (target === undefined ? undefined : path.posix.basename(target));
  if (id === undefined) throw invalid(mount, "it needs an id");
  const value = shop.secret(id);
  if (value === undefined) {
    if (isOn(mount.get("required"))) throw new EngineError("RUN_SECRET_MISSING", { id });
    return undefined;
  }
  return {
    kind: "secret",
    target: posix.resolve(step.workingDirectory, target ?? `/run/secrets/${id}`),
    value,
    mode: octal(mount, "mode", 0o400),
    uid: integer(mount, "uid"),
    gid: integer(mount, "gid"),
  };
}

function openSsh(shop: BuildWorkshop, mount: RunMount): SandboxMount | undefined {
  const id = mount.get("id") ?? "default";
  const agentSocket = shop.agentSocket(id);
  if (agentSocket === undefined) {
    if (isOn(mount.get("required"))) throw new EngineError("RUN_SECRET_MISSING", { id });
    return undefined;
  }
  const target = mount.get("target") ?? mount.get("dst") ?? mount.get("destination") ?? "/run/buildkit/ssh_agent.0";
  return {
    kind: "ssh",
    target,
    agentSocket,
    mode: octal(mount, "mode", 0o600),
    uid: integer(mount, "uid"),
    gid: integer(mount, "gid"),
  };
}

function targetOf(step: RunStep, mount: RunMount): string {
  const target = mount.get("target") ?? mount.get("dst") ?? mount.get("destination");
  if (target === undefined) throw invalid(mount, "it needs a target");
  return posix.resolve(step.workingDirectory, target);
}

function sizeOf(mount: RunMount): { readonly sizeBytes?: number } {
  const text = mount.get("size");
  return text === undefined || !/^\d+$/.test(text) ? {} : { sizeBytes: Number(text) };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value.toLowerCase() !== "false";
}

function octal(mount: RunMount, name: string, otherwise: number): number {
  const text = mount.get(name);
  if (text === undefined) return otherwise;
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  throw invalid(mount, `${name}=${text} is not a mode in octal`);
}

function integer(mount: RunMount, name: string): number {
  const text = mount.get(name);
  if (text === undefined) return 0;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw invalid(mount, `${name}=${text} is not a number`);
}

function invalid(mount: RunMount, reason: string): EngineError {
  const target = mount.get("target") ?? mount.get("dst") ?? mount.get("destination") ?? mount.get("id") ?? "";
  return new EngineError("RUN_MOUNT_INVALID", { target, reason });
}
