import { type DetectedApp, detectAppType, type AppFiles as SourceFiles } from "../kubefile/appType.ts";
import type { App, AppSource, Cni, Csi } from "../kubefile/syntax.ts";
import { type BuildContext, normalisePath } from "./buildContext.ts";
import { pathsIn } from "./files.ts";

/** An application's type and files, as far as the build context tells. */
export interface AppLook extends DetectedApp {
  /** Local sources that do not exist. */
  readonly missing: readonly string[];
  /** Some sources are URLs, or there were too many files to look at all of them. */
  readonly partial: boolean;
}

const mostFiles = 500;

/** Looks at the sources of an application in the build context and tells its type. */
export async function lookAtApp(context: BuildContext, app: App | Cni | Csi, signal: AbortSignal): Promise<AppLook> {
  const missing: string[] = [];
  const sources: SourceFiles[] = [];
  let partial = false;
  for (const source of app.sources) {
    signal.throwIfAborted();
    const path = source.path.value;
    if (!isLocal(source)) {
      partial = true;
      sources.push({ path, kind: "remote", files: [], children: [] });
      continue;
    }
    const kind = await context.kindOf(path);
    if (kind === undefined) missing.push(path);
    else if (kind === "file") sources.push({ path, kind, files: [], children: [] });
    else {
      const children = (await context.entries(path))?.map((entry) => entry.name) ?? [];
      const files = await filesBelow(context, path, signal);
      partial ||= files.length >= mostFiles;
      sources.push({ path, kind, files, children });
    }
  }
  return { ...detectAppType(app.app?.value ?? "", sources), missing, partial };
}

/** `local://` sources; the parser gives their path in the build context. */
function isLocal(source: AppSource): boolean {
  return source.scheme === "local";
}

/** Files below a folder, relative to it, at most `mostFiles`. */
async function filesBelow(context: BuildContext, folder: string, signal: AbortSignal): Promise<string[]> {
  const root = normalisePath(folder) ?? "";
  const found: string[] = [];
  const left = [root];
  for (let path = left.pop(); path !== undefined && found.length < mostFiles; path = left.pop()) {
    signal.throwIfAborted();
    const { files, folders } = pathsIn(path, (await context.entries(path)) ?? []);
    found.push(...files);
    left.push(...folders);
  }
  return found.slice(0, mostFiles).map((path) => (root === "" ? path : path.slice(root.length + 1)));
}
