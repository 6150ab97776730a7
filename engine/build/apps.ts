import { type AppFiles, detectAppType } from "../../kubefile/appType.ts";
import { textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import {
  type Application,
  type ClusterImageType,
  formatImageExtension,
  type ImageExtension,
} from "../oci/clusterImage.ts";
import { type BuildContext, namesIn } from "../plan/context.ts";
import type { ContextSource } from "../plan/copyLayout.ts";
import type { ClusterFacts } from "../plan/steps.ts";
import { version } from "../version.ts";

/** What the files of an application tell about it. */
export interface AppDetection {
  readonly type: Application["type"];
  readonly files: readonly string[] | undefined;
  /** A sentence: why this type, or why none. */
  readonly reason: string;
}

/** Detects an application's type from what its instruction copies; `urls` are the remote files. */
export function detectApp(
  context: BuildContext,
  name: string,
  sources: readonly ContextSource[],
  urls: readonly string[],
): AppDetection {
  const local = sources.map(({ match, items }): AppFiles => {
    const path = textOfBytes(match.asked);
    if (match.entry.kind !== "directory") return { path, kind: "file", files: [], children: [] };
    const files = items.filter(({ item }) => item.kind === "file").map(({ inside }) => textOfBytes(inside));
    return { path, kind: "directory", files, children: namesIn(context, match.entry.path).map(textOfBytes) };
  });
  const remote = urls.map(
    (url): AppFiles => ({ path: new URL(url).pathname, kind: "remote", files: [], children: [] }),
  );
  const { type, files, reason } = detectAppType(name, [...local, ...remote]);
  return { type, files, reason };
}

/**
 * The applications of a stage: those below, replaced and added to by its own. Throws `APP_TYPE_UNKNOWN` when an application has neither a
 * type nor commands.
 */
export function stageApplications(
  inherited: ReadonlyMap<string, Application>,
  facts: ClusterFacts,
  detected: ReadonlyMap<string, AppDetection>,
): ReadonlyMap<string, Application> {
  const applications = new Map(inherited);
  for (const { name } of facts.apps) {
    const found = detected.get(name);
    applications.set(name, {
      name,
      version: "v1",
      ...(found?.type === undefined ? {} : { type: found.type }),
      ...(found?.files === undefined ? {} : { files: found.files }),
    });
  }
  for (const [name, env] of facts.appEnv) {
    const application = applications.get(name);
    if (application !== undefined) applications.set(name, { ...application, env: { ...application.env, ...env } });
  }
  for (const [name, cmds] of facts.appCommands) {
    const application = applications.get(name);
    if (application !== undefined) applications.set(name, { ...application, cmds });
  }
  for (const application of applications.values()) checkLaunchable(application, detected.get(application.name));
  return applications;
}

function checkLaunchable({ name, type, cmds }: Application, detection: AppDetection | undefined): void {
  if (type !== undefined || (cmds?.length ?? 0) > 0) return;
  throw new EngineError("APP_TYPE_UNKNOWN", { app: name, reason: detection?.reason ?? "It has no files." });
}

/** The text of `sealer.image.extension`. */
export function extensionText(
  type: ClusterImageType,
  applications: ReadonlyMap<string, Application>,
  facts: ClusterFacts,
): string {
  const extension: ImageExtension = {
    buildClient: { sealerVersion: `kubefile ${version}`, buildahVersion: "" },
    schemaVersion: "v1alpha1",
    type,
    applications: [...applications.values()],
    env: facts.env,
    launch: { cmds: facts.launchCommands, app_names: facts.launchApps },
  };
  return formatImageExtension(extension);
}
