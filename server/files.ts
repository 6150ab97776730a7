/** What stands at a path. A link counts as what it points at. */
export type EntryKind = "file" | "directory";

export interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
}

/**
 * The files the server may look at: only those below the folders of the workspace, links followed only as long as they
 * stay inside. Paths are URIs. Nothing rejects; what cannot be read is absent.
 */
export interface Files {
  /** Names in a folder in bytewise order, at most `limit` of them, or undefined when there is no such folder. */
  list(folder: string, limit: number, signal: AbortSignal): Promise<readonly Entry[] | undefined>;
  /** What stands at a path, or undefined. */
  kindOf(path: string, signal: AbortSignal): Promise<EntryKind | undefined>;
  /** The text of a file of at most `limitBytes`, or undefined. */
  read(path: string, limitBytes: number, signal: AbortSignal): Promise<string | undefined>;
  /** The folders of the workspace, as URIs. */
  setRoots(roots: readonly string[]): void;
}

/** The URI of a path below a folder's URI. `..` is resolved; the result may lie outside the folder. */
export function joinUri(folder: string, path: string): string {
  const base = folder.endsWith("/") ? folder : `${folder}/`;
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return new URL(encoded.replace(/^\/+/u, ""), base).href.replace(/\/+$/u, "");
}

/** The folder a file's URI lies in, without a slash at the end. */
export function parentUri(uri: string): string {
  const slash = uri.lastIndexOf("/");
  return slash < 0 ? uri : uri.slice(0, slash);
}

/** `uri` is `folder` or lies below it. */
export function isBelow(folder: string, uri: string): boolean {
  const base = folder.endsWith("/") ? folder.slice(0, -1) : folder;
  return uri === base || uri.startsWith(`${base}/`);
}

/** The files and folders of a folder by their paths. */
export function pathsIn(folder: string, entries: readonly Entry[]): { files: string[]; folders: string[] } {
  const paths = { files: [] as string[], folders: [] as string[] };
  for (const { name, kind } of entries) {
    (kind === "directory" ? paths.folders : paths.files).push(folder === "" ? name : `${folder}/${name}`);
  }
  return paths;
}
