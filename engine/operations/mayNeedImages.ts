import { existsSync } from "node:fs";
import path from "node:path";
import type { StageResult } from "../build/stageRun.ts";
import { bytesOfText } from "../byteString.ts";
import { labelKeys } from "../oci/clusterImage.ts";
import type { StagePlan } from "../plan/steps.ts";
import type { BuildParams } from "../protocol.ts";

/** Folders whose files discovery reads. */
const scannedFolders: readonly string[] = ["manifests", "charts", "application/apps", "images/shim"];

/**
 * Whether a finished stage can need container images at all: when nothing in it could name one, discovery and all it takes need not even be
 * loaded. Everything that could counts: a base image, applications, commands, a Kubernetes version, the folders that are scanned, an
 * image lock, and every word said about container images.
 */
export async function mayNeedImages(
  params: BuildParams,
  kubefile: string,
  { plan, result }: { readonly plan: StagePlan; readonly result: StageResult },
): Promise<boolean> {
  const { cluster, config } = plan;
  const saysSomething =
    params.containerImages !== undefined && Object.values(params.containerImages).some((choice) => !isNothing(choice));
  if (saysSomething || result.base !== undefined || result.applications.size > 0) return true;
  if (cluster.launchCommands.length > 0 || config.runtime.Cmd !== undefined || config.runtime.Entrypoint !== undefined)
    return true;
  if (config.runtime.Labels?.[labelKeys.supportedKubeVersion] !== undefined) return true;
  if (existsSync(path.join(path.dirname(kubefile), "kubefile.lock"))) return true;
  const shape = await result.shape();
  return shape.hasLinks
    ? scannedFolders.some((folder) => shape.isDirectory(shape.resolve(bytesOfText(folder))))
    : scannedFolders.some((folder) => shape.isDirectory(bytesOfText(folder)));
}

/** A choice that is there and asks for nothing. */
function isNothing(choice: unknown): boolean {
  if (choice === undefined || choice === false || choice === "newer") return true;
  return typeof choice === "object" && choice !== null && Object.keys(choice).length === 0;
}
