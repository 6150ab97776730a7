/** Indexes made by hand: images of several platforms under one name, as `docker manifest` and sealer's `alpha manifest` do. */
import { EngineError } from "../errors.ts";
import { maxManifestBytes } from "../oci/checkedJson.ts";
import { parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeIndex, type Index, parseManifestOrIndex } from "../oci/index.ts";
import { isIndexType, mediaTypes } from "../oci/mediaTypes.ts";
import { normalizePlatform, type Platform } from "../oci/platform.ts";
import type { Store } from "../store/contract.ts";
import { findImage, normalise } from "./images.ts";

/** What an entry may say otherwise than its image's configuration. */
export interface EntryChanges {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A list of the store: its name, and what it holds. */
export interface ManifestList {
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly index: Index;
}

/** Makes a list of images of the store, empty when none are given. Throws `IMAGE_EXISTS` where the name is taken, unless `amend`. */
export async function createList(
  store: Store,
  name: string,
  images: readonly string[],
  options: { readonly amend: boolean },
  signal: AbortSignal,
): Promise<ManifestList> {
  const known = store.lookup(normalise(name));
  if (known !== undefined && !options.amend) throw new EngineError("IMAGE_EXISTS", { reference: normalise(name) });
  const manifests = known === undefined ? [] : readList(store, name).index.manifests;
  const added = images.flatMap((image) => entriesOf(store, image, {}));
  return await writeList(store, name, withEntries(manifests, added), signal);
}

/** Adds images; a list among them gives all its entries. An entry of the same platform is replaced. The list is made when missing. */
export async function addToList(
  store: Store,
  name: string,
  images: readonly string[],
  changes: EntryChanges,
  signal: AbortSignal,
): Promise<ManifestList> {
  const known = store.lookup(normalise(name)) === undefined ? [] : readList(store, name).index.manifests;
  const added = images.flatMap((image) => entriesOf(store, image, changes));
  return await writeList(store, name, withEntries(known, added), signal);
}

/** Removes the entries with these digests. Throws `IMAGE_NOT_FOUND` for a digest that is not in the list. */
export async function removeFromList(
  store: Store,
  name: string,
  digests: readonly string[],
  signal: AbortSignal,
): Promise<ManifestList> {
  const { index } = readList(store, name);
  const unknown = digests.find((digest) => !index.manifests.some((entry) => entry.digest === digest));
  if (unknown !== undefined)
    throw new EngineError("IMAGE_NOT_FOUND", { reference: unknown, where: `the list ${name}` });
  return await writeList(
    store,
    name,
    index.manifests.filter((entry) => !digests.includes(entry.digest)),
    signal,
  );
}

/** Reads a list. Throws `IMAGE_NOT_FOUND`, and `DOCUMENT_INVALID` when the name is one image's. */
export function readList(store: Store, name: string): ManifestList {
  const { target } = findImage(store, name);
  const parsed = parseManifestOrIndex(store.readBytes(target.digest, maxManifestBytes), name);
  if (parsed.kind === "index") return { name: normalise(name), descriptor: target, index: parsed.index };
  throw new EngineError("DOCUMENT_INVALID", {
    document: name,
    path: "",
    problem: "it is one image, not a list of images",
  });
}

async function writeList(
  store: Store,
  name: string,
  manifests: readonly Descriptor[],
  signal: AbortSignal,
): Promise<ManifestList> {
  const reference = normalise(name);
  await using lease = store.lease(`manifest ${reference}`);
  await lease.pinAll(
    manifests.map((entry) => entry.digest),
    signal,
  );
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  const { digest, sizeBytes } = await lease.putBytes(encodeIndex(index));
  const descriptor = { mediaType: mediaTypes.ociIndex, digest, size: sizeBytes };
  await store.tag(reference, descriptor, signal);
  return { name: reference, descriptor, index };
}

/** The entries an image brings: itself with the platform of its configuration, or those of the index it is. */
function entriesOf(store: Store, image: string, changes: EntryChanges): readonly Descriptor[] {
  const { target } = findImage(store, image);
  const parsed = parseManifestOrIndex(store.readBytes(target.digest, maxManifestBytes), image);
  if (isIndexType(target.mediaType) || parsed.kind === "index") {
    return parsed.kind === "index"
      ? parsed.index.manifests.map((entry) => changed(entry, entry.platform, changes))
      : [];
  }
  const config = parseConfig(store.readBytes(parsed.manifest.config.digest, maxManifestBytes), image);
  const { os, architecture, variant } = config;
  const platform = normalizePlatform({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(config["os.version"] === undefined ? {} : { "os.version": config["os.version"] }),
  });
  const entry = { mediaType: parsed.manifest.mediaType, digest: target.digest, size: target.size };
  return [changed(entry, platform, changes)];
}

function changed(entry: Descriptor, platform: Platform | undefined, changes: EntryChanges): Descriptor {
  const { annotations, ...platformChanges } = changes;
  const whole = { ...(platform ?? { os: "linux", architecture: "unknown" }), ...platformChanges };
  return {
    ...entry,
    ...(platform === undefined && Object.keys(platformChanges).length === 0 ? {} : { platform: whole }),
    ...(annotations === undefined ? {} : { annotations: { ...entry.annotations, ...annotations } }),
  };
}

/** An entry replaces one of the same digest, and one of exactly the same platform: a list that names two would be a coin's toss. */
function withEntries(known: readonly Descriptor[], added: readonly Descriptor[]): readonly Descriptor[] {
  const result = [...known];
  for (const entry of added) {
    const at = result.findIndex((each) => each.digest === entry.digest || samePlatform(each, entry));
    if (at === -1) result.push(entry);
    else result[at] = entry;
  }
  return result;
}

function samePlatform(a: Descriptor, b: Descriptor): boolean {
  if (a.platform === undefined || b.platform === undefined) return false;
  return (
    JSON.stringify(sorted(normalizePlatform(a.platform))) === JSON.stringify(sorted(normalizePlatform(b.platform)))
  );
}

function sorted(platform: Platform): readonly unknown[] {
  return [platform.os, platform.architecture, platform.variant, platform["os.version"], platform["os.features"]];
}
