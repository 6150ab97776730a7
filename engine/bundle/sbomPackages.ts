/** Packages of distributions, read from the databases that dpkg and apk leave in a root file system. */

import type { FileTree } from "../discover/rootfs.ts";
import { compareBytewise } from "../oci/canonicalJson.ts";

/** A package that is installed. */
export interface DistributionPackage {
  readonly type: "deb" | "apk";
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
}

export interface Distribution {
  /** `ID` of os-release: `debian`; absent where the file is. */
  readonly id?: string;
  readonly packages: readonly DistributionPackage[];
}

const dpkgStatus = "var/lib/dpkg/status";
const dpkgStatusFolder = "var/lib/dpkg/status.d/";
const apkInstalled = /^(?:usr\/)?lib\/apk\/db\/installed$/;

/** Reads the databases there are; sorted by type, name, version and architecture. Throws what reading the tree throws. */
export async function installedPackages(tree: FileTree, signal: AbortSignal): Promise<Distribution> {
  const text = async (path: string): Promise<string> => Buffer.from(await tree.read(path, signal)).toString("utf8");
  const packages: DistributionPackage[] = [];
  const isDpkg = (path: string): boolean =>
    path === dpkgStatus || (path.startsWith(dpkgStatusFolder) && !path.endsWith(".md5sums"));
  for (const path of tree.paths) {
    if (isDpkg(path)) packages.push(...parseDpkg(await text(path), path === dpkgStatus));
    else if (apkInstalled.test(path)) packages.push(...parseApk(await text(path)));
  }
  const release = ["etc/os-release", "usr/lib/os-release"].find((path) => tree.paths.includes(path));
  const id = release === undefined ? undefined : osId(await text(release));
  const keyOf = (one: DistributionPackage): string =>
    [one.type, one.name, one.version, one.architecture ?? ""].join("\0");
  const unique = new Map(packages.map((one) => [keyOf(one), one]));
  const sorted = [...unique].sort(([a], [b]) => compareBytewise(a, b)).map(([, one]) => one);
  return { ...(id === undefined ? {} : { id }), packages: sorted };
}

/**
 * The paragraphs of a dpkg status file. `mustBeInstalled` is for the database itself, which also remembers what was removed; the
 * files that distroless images have instead carry no status.
 * @see deb822(5), dpkg-query(1)
 */
export function parseDpkg(text: string, mustBeInstalled: boolean): readonly DistributionPackage[] {
  return text.split(/\n[ \t]*\n/).flatMap((paragraph) => {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(paragraph)?.[1]?.trim();
    const [name, version, architecture, status] = ["Package", "Version", "Architecture", "Status"].map(field);
    if (name === undefined || version === undefined) return [];
    if (mustBeInstalled && status?.split(/\s+/)[2] !== "installed") return [];
    return [{ type: "deb", name, version, ...(architecture === undefined ? {} : { architecture }) }];
  });
}

/**
 * The entries of apk's database: a line per field, a letter and a colon before its value.
 * @see apk-v2 database, "installed"
 */
export function parseApk(text: string): readonly DistributionPackage[] {
  return text.split(/\n\n+/).flatMap((entry) => {
    const field = (letter: string): string | undefined => new RegExp(`^${letter}:(.*)$`, "m").exec(entry)?.[1]?.trim();
    const [name, version, architecture] = ["P", "V", "A"].map(field);
    if (name === undefined || version === undefined) return [];
    return [{ type: "apk", name, version, ...(architecture === undefined ? {} : { architecture }) }];
  });
}

function osId(text: string): string | undefined {
  return /^ID=["']?([a-z0-9._-]+)["']?\s*$/m.exec(text)?.[1];
}
