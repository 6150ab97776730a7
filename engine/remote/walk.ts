/** Following an image in a registry from its name down: indexes, manifests, configurations and layers. */
import { EngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type ManifestOrIndex, parseManifestOrIndex } from "../oci/index.ts";
import { isIndexType, isManifestType } from "../oci/mediaTypes.ts";
import { choosePlatform, formatPlatform, type Platform } from "../oci/platform.ts";
import type { RegistryClient } from "./client.ts";
import { getManifest, type RemoteDocument } from "./manifests.ts";
import type { RemoteRepository } from "./repository.ts";

/** Which images of an index are meant. */
export type PlatformChoice = { readonly kind: "all" } | { readonly kind: "one"; readonly platform: Platform };

/** Indexes may nest; deeper than this nobody does, and a circle must end. */
const deepest = 4;

/** The children of an index that are meant: all, or the one that serves the platform best. `IMAGE_PLATFORM_MISSING`. */
export function chosenChildren(
  manifests: readonly Descriptor[],
  choice: PlatformChoice,
  what: string,
): readonly Descriptor[] {
  if (choice.kind === "all") return manifests;
  const chosen = choosePlatform(manifests, choice.platform);
  if (chosen !== undefined) return [chosen];
  // An index inside an index has no platform of its own: the answer may be in there.
  const nested = manifests.filter((each) => isIndexType(each.mediaType));
  if (nested.length > 0) return nested;
  const known = manifests.flatMap((each) => (each.platform === undefined ? [] : [formatPlatform(each.platform)]));
  const found = [...new Set(known)].filter((each) => each !== "unknown/unknown").join(", ");
  throw new EngineError("IMAGE_PLATFORM_MISSING", { what, wanted: formatPlatform(choice.platform), found });
}

/** Gets a document by its descriptor: from the registry, or from nearer by when the caller has it. */
export type GetDocument = (descriptor: Descriptor, signal: AbortSignal) => Promise<Uint8Array>;

/** An image, or several, with everything in it. */
export interface ImageGraph {
  /** Manifests and indexes, children before those that name them; the last is the root. */
  readonly documents: readonly RemoteDocument[];
  /** Configurations and layers, each once. Layers that are to be had elsewhere (`urls`) are among them. */
  readonly blobs: readonly Descriptor[];
}

/**
 * Collects what an image is made of.
 *
 * @param choice which platforms of an index to go into; the index itself stays whole
 * @throws EngineError IMAGE_PLATFORM_MISSING, DOCUMENT_INVALID, and what `get` throws
 */
export async function collectImage(
  root: Descriptor,
  choice: PlatformChoice,
  what: string,
  get: GetDocument,
  signal: AbortSignal,
): Promise<ImageGraph> {
  const documents = new Map<string, RemoteDocument>();
  const blobs = new Map<string, Descriptor>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (documents.has(descriptor.digest)) return;
    const bytes = await get(descriptor, signal);
    const { children, leaves } = partsOf(parseChecked(bytes, descriptor), choice, what);
    if (children.length > 0 && depth >= deepest) throw tooDeep(descriptor, depth);
    for (const child of children) await visit(child, depth + 1);
    for (const leaf of leaves) blobs.set(leaf.digest, leaf);
    documents.set(descriptor.digest, { descriptor, bytes });
  };
  await visit(root, 0);
  return { documents: [...documents.values()], blobs: [...blobs.values()] };
}

/** What a document names: documents to go on with, and blobs. */
function partsOf(
  parsed: ManifestOrIndex,
  choice: PlatformChoice,
  what: string,
): { readonly children: readonly Descriptor[]; readonly leaves: readonly Descriptor[] } {
  if (parsed.kind === "manifest") return { children: [], leaves: [parsed.manifest.config, ...parsed.manifest.layers] };
  const chosen = chosenChildren(parsed.index.manifests, choice, what);
  const isDocument = (child: Descriptor): boolean => isManifestType(child.mediaType) || isIndexType(child.mediaType);
  return { children: chosen.filter(isDocument), leaves: chosen.filter((child) => !isDocument(child)) };
}

function tooDeep(descriptor: Descriptor, depth: number): EngineError {
  const document = `index ${descriptor.digest}`;
  return new EngineError("DOCUMENT_INVALID", { document, path: "", problem: `it lies ${depth} indexes deep` });
}

/** A document must be what the descriptor that led to it says: one that reads as something else is an attack or a defect. */
function parseChecked(bytes: Uint8Array, descriptor: Descriptor): ManifestOrIndex {
  const parsed = parseManifestOrIndex(bytes, `manifest ${descriptor.digest}`);
  const isIndex = isIndexType(descriptor.mediaType);
  if ((parsed.kind === "index") === isIndex) return parsed;
  throw new EngineError("DOCUMENT_INVALID", {
    document: `manifest ${descriptor.digest}`,
    path: "mediaType",
    problem: `it was announced as ${descriptor.mediaType}`,
  });
}

/** Gets documents from a repository, checked against their descriptors. */
export function fromRegistry(client: RegistryClient, where: RemoteRepository): GetDocument {
  return async (descriptor, signal) => {
    const { bytes } = await getManifest(client, where, descriptor.digest, signal);
    return bytes;
  };
}
