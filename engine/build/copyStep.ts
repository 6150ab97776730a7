import { hash } from "node:crypto";
import { contentKey, type Definition, definitionKey, memberFacts } from "../cache/keys.ts";
import type { LayerIndex } from "../cache/layerIndex.ts";
import type { Assembled } from "../layer/assemble.ts";
import { assembleLayer } from "../layer/assemble.ts";
import { digestFiles } from "../layer/digestFiles.ts";
import { digestSize } from "../layer/readFiles.ts";
import type { Digest } from "../oci/digest.ts";
import type { CopyMember } from "./copyEntries.ts";
import { planPieces, recipeOf, rowsOf } from "./reuse.ts";
import type { BuildWorkshop, Workshop } from "./workshop.ts";

/** A COPY that is ready to be looked up or packed: its members, and the name of all that is not content. */
export interface CopyInputs {
  readonly definition: Digest;
  readonly members: readonly CopyMember[];
}

/** Inputs whose every content is known. */
export interface KnownCopy extends CopyInputs {
  readonly contents: Uint8Array;
  readonly facts: readonly string[];
  readonly key: Digest;
}

/** A layer that was made or found. No `diffId` means that there was nothing to put into one. */
export interface MadeLayer {
  readonly diffId: Digest | undefined;
  readonly sizeBytes: number;
  readonly writtenBytes: number;
}

/** Names a copy's definition; members are its content. */
export function copyInputs(definition: Definition, members: readonly CopyMember[]): CopyInputs {
  return { definition: definitionKey(definition), members };
}

/** Contents known without reading; `unknown` are the rows that must be read. */
export function rememberedContents(
  shop: Workshop,
  members: readonly CopyMember[],
): { readonly contents: Uint8Array; readonly unknown: readonly number[] } {
  const contents = new Uint8Array(members.length * digestSize);
  const unknown: number[] = [];
  for (const [row, { entry, source, digest: known }] of members.entries()) {
    if (entry.content.from === "nothing") continue;
    if (entry.content.from === "bytes") {
      contents.set(hash("sha256", entry.content.bytes, "buffer"), row * digestSize);
      continue;
    }
    const digest = known ?? (source === undefined ? undefined : shop.contextMemory.lookup(source));
    if (digest === undefined) unknown.push(row);
    else contents.set(digest, row * digestSize);
  }
  return { contents, unknown };
}

/** Reads what is not remembered, and gives the inputs their key. Throws what reading the context throws. */
export async function knowContents(
  shop: Workshop,
  inputs: CopyInputs,
  { contents, unknown }: ReturnType<typeof rememberedContents>,
): Promise<KnownCopy> {
  const files = unknown.flatMap((row) => {
    const member = inputs.members[row];
    return member?.entry.content.from === "file" ? [{ row, member, content: member.entry.content }] : [];
  });
  const bytes = files.reduce((sum, { content }) => sum + content.identity.size, 0);
  const readers = await shop.readersFor(files.length, bytes);
  const digests = await digestFiles(
    files.map(({ content }) => content),
    readers,
    shop.signal,
  );
  for (const [index, { row, member }] of files.entries()) {
    const digest = digests.subarray(index * digestSize, (index + 1) * digestSize);
    contents.set(digest, row * digestSize);
    if (member.source !== undefined) shop.contextMemory.learn(member.source, digest);
  }
  return keyed(inputs, contents);
}

/** Inputs with all contents, and their key. */
export function keyed(inputs: CopyInputs, contents: Uint8Array): KnownCopy {
  const facts = inputs.members.map(({ entry }) => memberFacts(entry));
  const paths = inputs.members.map(({ entry }) => entry.path);
  return { ...inputs, contents, facts, key: contentKey(inputs.definition, { paths, facts, contents }) };
}

/** Packs a layer whose contents are known, from the parts an earlier layer of the same definition has and the files that changed. */
export async function packKnown(
  shop: BuildWorkshop,
  known: KnownCopy,
  onProgress: (done: number) => void,
): Promise<MadeLayer> {
  const index = shop.noCache ? undefined : shop.memory.index(known.definition);
  const plan = await planPieces(shop, known, index);
  const bytes = known.members.reduce((sum, { entry }) => sum + entry.size, 0);
  const readers = await shop.readersFor(plan.pieces.length, bytes);
  await using segment = shop.lease.createSegment();
  const assembled = await assembleLayer(plan.pieces, segment.path, { readers, onProgress, signal: shop.signal });
  await segment.commit();
  await shop.lease.putRecipe(assembled.diffId, recipeOf(plan, assembled, segment.id));
  const rows = rowsOf(plan, assembled);
  shop.memory.rememberIndex(known.definition, indexOf(known, assembled.diffId, rows.starts, rows.lengths));
  return { diffId: assembled.diffId, sizeBytes: assembled.sizeBytes, writtenBytes: assembled.writtenBytes };
}

/** Packs and reads at once, for inputs nothing is known of; says what was in them. The layer is kept only when `accept` says so. */
export async function packUnknown(
  shop: BuildWorkshop,
  inputs: CopyInputs,
  onProgress: (done: number) => void,
  accept: (known: KnownCopy) => boolean,
): Promise<{ readonly known: KnownCopy; readonly made: MadeLayer | undefined }> {
  const pieces = inputs.members.map(({ entry }) => ({ kind: "entry", entry }) as const);
  const bytes = inputs.members.reduce((sum, { entry }) => sum + entry.size, 0);
  const readers = await shop.readersFor(pieces.length, bytes);
  await using segment = shop.lease.createSegment();
  const assembled = await assembleLayer(pieces, segment.path, { readers, onProgress, signal: shop.signal });
  learnAll(shop, inputs.members, assembled);
  const known = keyed(inputs, assembled.contentDigests);
  if (!accept(known)) return { known, made: undefined };
  await segment.commit();
  const whole = [{ segment: segment.id, offset: 0, length: assembled.sizeBytes }];
  await shop.lease.putRecipe(assembled.diffId, whole);
  shop.memory.rememberIndex(known.definition, indexOf(known, assembled.diffId, assembled.starts, assembled.lengths));
  return {
    known,
    made: { diffId: assembled.diffId, sizeBytes: assembled.sizeBytes, writtenBytes: assembled.writtenBytes },
  };
}

/** Packs members that were made for this layer alone; nothing of them is remembered but the layer. */
export async function packDerived(
  shop: BuildWorkshop,
  inputs: CopyInputs,
  onProgress: (done: number) => void,
): Promise<MadeLayer> {
  if (inputs.members.length === 0) return { diffId: undefined, sizeBytes: 0, writtenBytes: 0 };
  const pieces = inputs.members.map(({ entry }) => ({ kind: "entry", entry }) as const);
  const bytes = inputs.members.reduce((sum, { entry }) => sum + entry.size, 0);
  const readers = await shop.readersFor(pieces.length, bytes);
  await using segment = shop.lease.createSegment();
  const assembled = await assembleLayer(pieces, segment.path, { readers, onProgress, signal: shop.signal });
  await segment.commit();
  await shop.lease.putRecipe(assembled.diffId, [{ segment: segment.id, offset: 0, length: assembled.sizeBytes }]);
  return { diffId: assembled.diffId, sizeBytes: assembled.sizeBytes, writtenBytes: assembled.writtenBytes };
}

function learnAll(shop: Workshop, members: readonly CopyMember[], assembled: Assembled): void {
  for (const [row, { entry, source }] of members.entries()) {
    if (source === undefined || entry.content.from !== "file") continue;
    shop.contextMemory.learn(source, assembled.contentDigests.subarray(row * digestSize, (row + 1) * digestSize));
  }
}

function indexOf(known: KnownCopy, diffId: Digest, starts: Float64Array, lengths: Float64Array): LayerIndex {
  return {
    diffId,
    paths: known.members.map(({ entry }) => entry.path),
    facts: known.facts,
    contents: known.contents,
    times: Float64Array.from(known.members, ({ entry }) => entry.mtimeSeconds),
    starts,
    lengths,
  };
}
