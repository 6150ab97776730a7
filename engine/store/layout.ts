import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { type Digest, digestAlgorithm, digestHex } from "../oci/digest.ts";
import type { SegmentId } from "./contract.ts";
import { ownIdentity } from "./liveness.ts";
import { errnoOf, storeError } from "./storeErrors.ts";

/** The version of the disk format: the number in the folder's name. A change that an older Kubefile would misread makes a new number. */
const formatVersion = 1;
const folderName = `store-v${formatVersion}`;
const folderPattern = /^store-v([0-9]+)$/;
const formatFile = "format.json";

/** Additions that an older reader may not ignore; ours are all listed here. */
const knownFeatures: ReadonlySet<string> = new Set();

/** Where everything lies: the one place that knows names of files and folders. */
export interface Layout {
  /** The folder the user named. */
  readonly dir: string;
  /** `store-v1/` in it. */
  readonly root: string;
  readonly names: string;
  readonly records: string;
  readonly segments: string;
  readonly leases: string;
  readonly locks: string;
  readonly sweeps: string;
  readonly tmp: string;
}

/** Folders of whole blobs and of recipes, one below each per algorithm. */
export const blobFolders: readonly string[] = ["blobs/sha256", "blobs/sha512"];
export const recipeFolders: readonly string[] = ["recipes/sha256", "recipes/sha512"];

/** The file of a blob held whole; the same path as in an OCI image layout. */
export function blobPath(layout: Layout, digest: Digest): string {
  return path.join(layout.root, "blobs", digestAlgorithm(digest), digestHex(digest));
}

/** The file that lists the parts of a blob held as a recipe. */
export function recipePath(layout: Layout, digest: Digest): string {
  return path.join(layout.root, "recipes", digestAlgorithm(digest), digestHex(digest));
}

export function segmentPath(layout: Layout, id: SegmentId): string {
  return path.join(layout.segments, id);
}

/**
 * Finds or makes the store in `dir`. A store that exists is not written to.
 * Throws `STORE_NEWER`, `STORE_READ_ONLY`, `STORE_FULL`, `STORE_UNUSABLE`; none of them changes anything.
 */
export function openLayout(dir: string): Layout {
  const absolute = path.resolve(dir);
  const root = path.join(absolute, folderName);
  const layout: Layout = {
    dir: absolute,
    root,
    names: path.join(root, "names"),
    records: path.join(root, "records"),
    segments: path.join(root, "segments"),
    leases: path.join(root, "leases"),
    locks: path.join(root, "locks"),
    sweeps: path.join(root, "sweeps"),
    tmp: path.join(root, "tmp"),
  };
  try {
    refuseNewerFolder(absolute);
    if (existsSync(path.join(root, formatFile))) refuseNewerFormat(layout);
    else create(layout);
  } catch (error) {
    throw storeError(layout.dir, error);
  }
  return layout;
}

function refuseNewerFolder(dir: string): void {
  const newest = entriesOf(dir)
    .map((name) => Number(folderPattern.exec(name)?.[1] ?? 0))
    .reduce((a, b) => Math.max(a, b), 0);
  if (newest > formatVersion) throw new EngineError("STORE_NEWER", { dir, found: `store-v${newest}` });
}

function refuseNewerFormat(layout: Layout): void {
  let features: unknown;
  try {
    const format: unknown = JSON.parse(readFileSync(path.join(layout.root, formatFile), "utf8"));
    features = typeof format === "object" && format !== null && "features" in format ? format.features : undefined;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  if (!Array.isArray(features)) {
    const problem = `${formatFile} in it is damaged`;
    throw new EngineError("STORE_UNUSABLE", { dir: layout.dir, problem });
  }
  const unknown = features.find((feature) => typeof feature !== "string" || !knownFeatures.has(feature)) as unknown;
  if (unknown !== undefined) {
    throw new EngineError("STORE_NEWER", { dir: layout.dir, found: `${folderName} with "${String(unknown)}"` });
  }
}

/** Several processes may do this at once; the format file comes last and says that the rest is there. */
function create(layout: Layout): void {
  for (const folder of [...blobFolders, ...recipeFolders, "locks/prune"]) makeFolder(path.join(layout.root, folder));
  for (const folder of [layout.names, layout.records, layout.segments, layout.leases, layout.sweeps, layout.tmp]) {
    makeFolder(folder);
  }
  const born = path.join(layout.tmp, `${ownIdentity()}_format`);
  writeFileSync(
    born,
    `${JSON.stringify({ kind: "kubefile store", version: formatVersion, features: [...knownFeatures] })}\n`,
  );
  renameSync(born, path.join(layout.root, formatFile));
}

/** Makes a folder and those above it. Node's own recursive way reports a read-only file system as a missing folder. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    if (code !== "ENOENT" || path.dirname(folder) === folder) throw error;
    makeFolder(path.dirname(folder));
    makeFolder(folder);
  }
}

/** Removes a file; false when it was not there. */
export function removeFile(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Names in a folder; none when the folder is not there. */
export function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
