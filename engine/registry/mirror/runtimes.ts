import { EngineError } from "../../errors.ts";
import { containerd, docker, k0s } from "./containerdRuntimes.ts";
import type { MirrorRuntime } from "./mirrorConfig.ts";
import { containersRuntime, dockerClassic, k3s } from "./otherRuntimes.ts";

export type MirrorRuntimeName = "containerd" | "docker" | "docker-classic" | "crio" | "podman" | "k3s" | "k0s";

/** Every runtime that can be told to use a mirror, by the name a person gives it. */
export const mirrorRuntimes: Readonly<Record<MirrorRuntimeName, MirrorRuntime>> = {
  containerd,
  docker,
  "docker-classic": dockerClassic,
  crio: containersRuntime,
  podman: containersRuntime,
  k3s,
  k0s,
};

/** A runtime by its name; throws `MIRROR_RUNTIME_UNKNOWN`. */
export function readRuntimeName(text: string): MirrorRuntimeName {
  if (Object.hasOwn(mirrorRuntimes, text)) return text as MirrorRuntimeName;
  const known = Object.keys(mirrorRuntimes).join(", ");
  throw new EngineError("MIRROR_RUNTIME_UNKNOWN", { runtime: text, known });
}
