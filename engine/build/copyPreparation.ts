import { lstatSync } from "node:fs";
import { type ByteString, bytesOfText } from "../byteString.ts";
import type { Definition } from "../cache/keys.ts";
import { EngineError } from "../errors.ts";
import type { LayerShape, TreeShape } from "../layer/treeShape.ts";
import { type Digest, digestHex, isDigest } from "../oci/digest.ts";
import { hostPath } from "../plan/context.ts";
import {
  type ContextSource,
  type CopyDestination,
  contextSources,
  placeSources,
  type TopSource,
} from "../plan/copyLayout.ts";
import { excludeRules } from "../plan/excludes.ts";
import { cleanPath } from "../plan/sources.ts";
import type { CopySource, CopyStep } from "../plan/steps.ts";
import { tarEntry } from "../tar/entry.ts";
import { type AppDetection, detectApp } from "./apps.ts";
import { knowXattrs, xattrsOf } from "./contextXattrs.ts";
import {
  type CopyAttributes,
  type CopyItem,
  type CopyMember,
  copyMembers,
  type MadeItem,
  shapeOfMembers,
} from "./copyEntries.ts";
import { type CopyInputs, copyInputs } from "./copyStep.ts";
import { ownerIds } from "./owner.ts";
import type { StageState } from "./stageRun.ts";
import type { BuildWorkshop, StageLayer, Workshop } from "./workshop.ts";

/** A COPY laid out: what its layer will hold, or what it is made from. */
export interface PreparedCopy {
  readonly inputs: CopyInputs;
  /** Undefined when only the layer itself can tell. */
  readonly shape: LayerShape | undefined;
  readonly totalBytes: number;
  readonly detected: { readonly app: string; readonly detection: AppDetection } | undefined;
  /**
   * Makes the members when the layer must be built and they are not those of `inputs`: files of another stage, contents of archives.
   * `inputs` then only say what they are made from.
   */
  readonly derive: ((shop: BuildWorkshop) => Promise<readonly CopyMember[]>) | undefined;
  /** While planning: why it cannot be told yet. */
  readonly blocked: string | undefined;
}

/** Finds what a URL holds: while building by fetching it, while planning from memory. */
export type UrlFinder = (url: string, checksum: string | undefined) => Promise<Digest | undefined>;

/** Lays out a COPY, ADD or APP. Throws what finding and placing sources throws. */
export async function prepareCopy(
  shop: Workshop,
  step: CopyStep,
  state: StageState,
  findUrl: UrlFinder,
): Promise<PreparedCopy> {
  const target = await targetOf(shop, step, state);
  if (step.origin.kind !== "context") return prepareFrom(shop, step, state, target);
  const fromContext = await contextSources(
    shop.context,
    {
      instruction: step.place.keyword,
      sources: step.sources.flatMap((source) => (source.kind === "path" ? [source.pattern] : [])),
      parents: step.parents,
      excludes: excludeRules(step.excludes),
    },
    shop.signal,
  );
  await knowXattrs(shop, fromContext);
  const files = await urlSources(shop, step, findUrl);
  const archives = step.unpack ? await archivesAmong(shop, fromContext) : new Set<ContextSource>();
  const direct: readonly TopSource<CopyItem>[] = [...fromContext, ...inlineSources(step)];
  const members = membersOf(shop, [...direct, ...(files ?? [])], target);
  const unpacked = archives.size > 0;
  return {
    inputs: copyInputs({ ...definitionOf(shop, step), ...(unpacked ? targetFacts(target) : {}) }, members),
    shape: unpacked ? undefined : shapeOfMembers(members),
    totalBytes: members.reduce((sum, { entry }) => sum + entry.size, 0),
    detected: detectionOf(shop, step, fromContext),
    derive: unpacked ? (building) => unpackArchives(building, fromContext, archives, files ?? [], target) : undefined,
    blocked: files === undefined ? "it was never downloaded" : undefined,
  };
}

/** Where a copy goes in the image below. */
interface Target {
  readonly destination: CopyDestination;
  readonly shape: TreeShape;
  readonly attributes: CopyAttributes;
  /** `--chown` is given. */
  readonly ownerGiven: boolean;
}

async function targetOf(shop: Workshop, step: CopyStep, state: StageState): Promise<Target> {
  const shape = await state.shape();
  const path = shape.resolve(cleanPath(bytesOfText(step.destination)));
  // What is copied from the context is root's; other trees and archives say whose their files are.
  const keepsOwners = step.origin.kind !== "context" && step.owner === undefined;
  const owner = keepsOwners ? undefined : await ownerIds(shop, step.owner, state);
  return {
    destination: {
      instruction: step.place.keyword,
      path,
      intoDirectory: step.intoDirectory,
      exists: shape.isDirectory(path),
      sourceCount: step.sources.length,
    },
    shape,
    attributes: {
      owner,
      mode: step.mode,
      sourceDateEpoch: shop.sourceDateEpoch,
      xattrsOf: (source) => xattrsOf(shop, source),
    },
    ownerGiven: step.owner !== undefined,
  };
}

function membersOf(shop: Workshop, sources: readonly TopSource<CopyItem>[], target: Target): readonly CopyMember[] {
  const layout = placeSources(sources, target.destination);
  return copyMembers(shop.context, layout, target.destination.path, target.shape, target.attributes);
}

/** What of the image below a layer depends on whose members are not known before it is made. */
function targetFacts({ destination, shape }: Target): Definition {
  const parents = destination.path.split("/").map((_, count, parts) => parts.slice(0, count + 1).join("/"));
  return {
    path: destination.path,
    exists: destination.exists,
    missing: parents.filter((parent) => !shape.isDirectory(parent as ByteString)),
    links: shape.linkTexts(),
  };
}

/** COPY --from: known by the layers it reads, made from their files. */
async function prepareFrom(shop: Workshop, step: CopyStep, state: StageState, target: Target): Promise<PreparedCopy> {
  const layers = await originLayers(shop, step, state);
  const definition = {
    ...definitionOf(shop, step),
    ...targetFacts(target),
    from: (layers ?? []).map(({ diffId }) => diffId),
  };
  return {
    inputs: copyInputs(definition, []),
    shape: undefined,
    totalBytes: 0,
    detected: undefined,
    async derive(building) {
      const { treeSources } = await import("./treeSources.ts");
      return membersOf(shop, await treeSources(building, step, layers ?? []), target);
    },
    blocked: layers === undefined ? "the stage it copies from is built before it" : undefined,
  };
}

/** The layers of the stage or image a COPY reads; undefined while planning when they are not there yet. */
async function originLayers(
  shop: Workshop,
  step: CopyStep,
  state: StageState,
): Promise<readonly StageLayer[] | undefined> {
  const { origin } = step;
  if (origin.kind === "stage") {
    const stage = await state.stage(origin.index);
    return stage.complete ? stage.layers : undefined;
  }
  if (origin.kind === "image") return (await shop.image(origin.reference, state.job.platform)).layers;
  return [];
}

/** Heredocs are files of mode 0644 with the text as content. */
function inlineSources(step: CopyStep): readonly TopSource<CopyItem>[] {
  return step.sources.flatMap((source) => (source.kind === "inline" ? [inlineSource(source)] : []));
}

function inlineSource(source: Extract<CopySource, { kind: "inline" }>): TopSource<CopyItem> {
  const bytes = Buffer.from(source.content, "utf8");
  const name = bytesOfText(source.name);
  const entry = { ...tarEntry("file", name, { size: bytes.length }), content: { from: "bytes", bytes } as const };
  return single(name, entry);
}

function single(name: ByteString, entry: MadeItem["entry"]): TopSource<CopyItem> {
  const item = { entry, inode: undefined };
  return { name, isDirectory: false, items: [{ inside: "" as ByteString, item }] };
}

/** Files behind URLs; undefined when one is not known (while planning). Their mode is Docker's 0600 for ADD. */
async function urlSources(
  shop: Workshop,
  step: CopyStep,
  findUrl: UrlFinder,
): Promise<readonly TopSource<CopyItem>[] | undefined> {
  const found: TopSource<CopyItem>[] = [];
  for (const source of step.sources) {
    if (source.kind !== "url") continue;
    const name = urlName(source.url, step);
    const digest = await findUrl(source.url, step.checksum);
    const location = digest === undefined ? undefined : shop.store.locate(digest)?.paths[0];
    if (digest === undefined || location === undefined) return undefined;
    const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(location, { bigint: true });
    const entry = {
      ...tarEntry("file", name, { mode: step.app === undefined ? 0o600 : 0o644, size: Number(size) }),
      content: {
        from: "file",
        path: bytesOfText(location),
        identity: { dev, ino, size: Number(size), mtimeNs, ctimeNs },
      } as const,
    };
    const item = { entry, inode: undefined, digest: digestBytes(digest) };
    found.push({ name, isDirectory: false, items: [{ inside: "" as ByteString, item }] });
  }
  return found;
}

/** The bytes of a SHA-256 digest. */
function digestBytes(digest: Digest): Uint8Array {
  return Buffer.from(digestHex(digest).slice(0, 64), "hex");
}

function urlName(url: string, step: CopyStep): ByteString {
  const last = URL.canParse(url) ? (new URL(url).pathname.split("/").at(-1) ?? "") : "";
  if (last !== "" || !step.intoDirectory) return bytesOfText(decodeURIComponent(last === "" ? "file" : last));
  throw new EngineError("DOWNLOAD_FAILED", { url, reason: "the address ends without a file name" });
}

async function archivesAmong(shop: Workshop, sources: readonly ContextSource[]): Promise<ReadonlySet<ContextSource>> {
  const { isArchive } = await import("./archiveSources.ts");
  const archives = new Set<ContextSource>();
  for (const source of sources) {
    const { entry } = source.match;
    if (entry.kind === "file" && (await isArchive(hostPath(shop.context, entry.path)))) archives.add(source);
  }
  return archives;
}

async function unpackArchives(
  shop: BuildWorkshop,
  sources: readonly ContextSource[],
  archives: ReadonlySet<ContextSource>,
  files: readonly TopSource<CopyItem>[],
  target: Target,
): Promise<readonly CopyMember[]> {
  const [{ archiveSource }, { Spool }] = await Promise.all([import("./archiveSources.ts"), import("./spool.ts")]);
  const spool = new Spool(shop.lease.scratchDir());
  const all: TopSource<CopyItem>[] = [];
  for (const source of sources) {
    const file = hostPath(shop.context, source.match.entry.path);
    if (archives.has(source)) all.push(await archiveSource(shop, source.name, file, spool));
    else all.push(rooted(source));
  }
  // An archive says whose its files are, unless the instruction does.
  const attributes = target.ownerGiven ? target.attributes : { ...target.attributes, owner: undefined };
  return membersOf(shop, [...all, ...files], { ...target, attributes });
}

/** Files of the context are root's, also where those of an archive are somebody's. */
function rooted(source: ContextSource): TopSource<CopyItem> {
  const items = source.items.map(({ inside, item }) => ({ inside, item: { ...item, uid: 0, gid: 0 } }));
  return { name: source.name, isDirectory: source.isDirectory, items };
}

function detectionOf(shop: Workshop, step: CopyStep, sources: readonly ContextSource[]): PreparedCopy["detected"] {
  if (step.app === undefined) return undefined;
  const urls = step.sources.flatMap((source) => (source.kind === "url" ? [source.url] : []));
  return { app: step.app, detection: detectApp(shop.context, step.app, sources, urls) };
}

/** What the instruction says, for the name of its definition. */
function definitionOf(shop: Workshop, step: CopyStep): Definition {
  return {
    step: "copy",
    sources: step.sources.map((source) => ({ ...source })),
    destination: step.destination,
    intoDirectory: step.intoDirectory,
    owner: step.owner ?? null,
    mode: step.mode ?? null,
    link: step.link,
    parents: step.parents,
    excludes: step.excludes,
    unpack: step.unpack,
    sourceDateEpoch: shop.sourceDateEpoch ?? null,
  };
}

/** A checksum as written, when it is a digest. */
export function writtenChecksum(checksum: string | undefined): Digest | undefined {
  return checksum !== undefined && isDigest(checksum) ? checksum : undefined;
}
