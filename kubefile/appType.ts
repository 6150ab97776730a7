/** How an application is launched when nothing else says so. */
export type AppType = "helm" | "kube" | "shell";

/** What one source of APP, CNI or CSI holds. */
export interface AppFiles {
  /** As written behind the scheme. */
  readonly path: string;
  readonly kind: "file" | "directory" | "remote";
  /** All files below a directory, relative to it, with slashes. Empty for files. */
  readonly files: readonly string[];
  /** Names directly inside a directory, of files and directories. */
  readonly children: readonly string[];
}

export interface DetectedApp {
  /** Absent when the files are of no one type: then the application needs APPCMDS. */
  readonly type: AppType | undefined;
  /** The `files` of the image's extension. Absent without a type. */
  readonly files: readonly string[] | undefined;
  /** A sentence for the user. */
  readonly reason: string;
}

const chartParts = ["Chart.yaml", "values.yaml", "templates"];

/**
 * The type of an application and the files its launch command names, from a listing of its sources.
 * @see sealer f4f89c58 pkg/define/application and build/kubefile: order of tests, and what counts as a chart
 */
export function detectAppType(name: string, sources: readonly AppFiles[]): DetectedApp {
  const chart = sources.find((source) => source.kind === "directory" && isChart(source));
  if (chart !== undefined) {
    return { type: "helm", files: [name], reason: `${chart.path} holds Chart.yaml, values.yaml and templates.` };
  }
  const all = sources.flatMap((source) => launchFiles(source));
  if (all.length === 0) return { type: undefined, files: undefined, reason: "It has no files." };
  const other = all.find((file) => !isYaml(file) && !isShell(file));
  if (other !== undefined) {
    return { type: undefined, files: undefined, reason: `${trimSlash(other)} is neither YAML nor a shell script.` };
  }
  const yaml = all.find(isYaml);
  const shell = all.find(isShell);
  if (yaml !== undefined && shell !== undefined) {
    return {
      type: undefined,
      files: undefined,
      reason: `It mixes YAML (${trimSlash(yaml)}) and shell scripts (${trimSlash(shell)}).`,
    };
  }
  if (shell === undefined) return { type: "kube", files: all, reason: "All files are YAML." };
  const [first] = sources;
  return {
    type: "shell",
    files: first === undefined ? [] : launchFiles(first),
    reason: "All files are shell scripts.",
  };
}

function isChart(source: AppFiles): boolean {
  return chartParts.every((part) => source.children.includes(part));
}

/** Files as the extension lists them: below a directory with a slash in front, else the last part of the path. */
function launchFiles(source: AppFiles): string[] {
  if (source.kind !== "directory") return [source.path.slice(source.path.lastIndexOf("/") + 1)];
  return [...source.files].sort(compareWalk).map((file) => `/${file}`);
}

function trimSlash(file: string): string {
  return file.startsWith("/") ? file.slice(1) : file;
}

function extension(file: string): string {
  const base = file.slice(file.lastIndexOf("/") + 1);
  const dot = base.lastIndexOf(".");
  return dot < 0 ? "" : base.slice(dot).toLowerCase();
}

function isYaml(file: string): boolean {
  const found = extension(file);
  return found === ".yaml" || found === ".yml";
}

function isShell(file: string): boolean {
  return extension(file) === ".sh";
}

/** The order in which a walk meets files: folder by folder, names in the order of their bytes. */
function compareWalk(a: string, b: string): number {
  const left = a.split("/");
  const right = b.split("/");
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const order = compareBytes(left[index] ?? "", right[index] ?? "");
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Compares by code point, which is the order of the UTF-8 bytes. */
function compareBytes(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const order = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
