import { isEngineError } from "../errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { parseReference } from "../oci/reference.ts";
import type { BundledImage } from "./bundleIndex.ts";
import type { ReadName } from "./upstream.ts";

/** The names of a bundle, which its layout cannot tell apart: which host's image has which digest under a path and tag. */
export interface BundleNames {
  /**
   * What a tag means: its digest; `undefined` when the index knows the tag under other hosts only; `"unlisted"` when the index does not
   * know it and the layout's own tag decides.
   *
   * Without a host a path is resolved when all hosts agree, else it is Docker Hub's.
   */
  target(name: ReadName, tag: string): Digest | "unlisted" | undefined;
  /** Tags of a repository that belong to its host, and those that belong to others only. */
  tags(name: ReadName): { readonly own: readonly string[]; readonly others: ReadonlySet<string> };
  /** Every host and path, `quay.io/coreos/etcd`, sorted bytewise. */
  readonly repositories: readonly string[];
}

/** The names of an index; a folder without one has none, and its layout alone decides. */
export function bundleNames(images: readonly BundledImage[]): BundleNames {
  const targets = new Map<string, Map<string, Map<string, Digest>>>();
  const repositories = new Set<string>();
  for (const image of images) {
    const reference = readName(image.image);
    if (reference === undefined || !isDigest(image.digest)) continue;
    repositories.add(`${reference.host}/${reference.repository}`);
    if (reference.tag === undefined) continue;
    const tags = entry(targets, reference.repository, () => new Map<string, Map<string, Digest>>());
    entry(tags, reference.tag, () => new Map<string, Digest>()).set(reference.host, image.digest);
  }
  const target = (name: ReadName, tag: string): Digest | "unlisted" | undefined => {
    const hosts = targets.get(name.repository)?.get(tag);
    if (hosts === undefined) return "unlisted";
    if (name.host !== undefined) return hosts.get(name.host);
    const distinct = new Set(hosts.values());
    return distinct.size === 1 ? [...distinct][0] : hosts.get("docker.io");
  };
  return {
    target,
    tags(name) {
      const all = [...(targets.get(name.repository)?.keys() ?? [])];
      const own = all.filter((tag) => target(name, tag) !== undefined);
      return { own, others: new Set(all.filter((tag) => target(name, tag) === undefined)) };
    },
    repositories: [...repositories].sort(),
  };
}

function readName(image: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(image);
  } catch (error) {
    if (isEngineError(error, "REFERENCE_INVALID")) return undefined;
    throw error;
  }
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
