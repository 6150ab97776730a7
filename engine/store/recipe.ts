import { crc32 } from "node:zlib";
import type { RecipePart, SegmentId } from "./contract.ts";

/**
 * The file of a recipe, all numbers little-endian:
 *
 *     0   8   "KFRECIPE"
 *     8   4   count of segments S
 *     12  4   count of parts N
 *     16  8   size of the blob, float64
 *     24  16S segment ids
 *     …   4N  per part: which segment, uint32
 *     …   8N  per part: offset, float64
 *     …   8N  per part: length, float64
 *     end 4   CRC-32 of all before it
 *
 * Columns rather than rows, so that two hundred thousand parts load in a millisecond or two.
 */
export interface Recipe {
  readonly sizeBytes: number;
  readonly segments: readonly SegmentId[];
  readonly segmentIndex: Uint32Array;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
}

const magic = Buffer.from("KFRECIPE", "latin1");
export const recipeHeadBytes = 24;
const idBytes = 16;
const partBytes = 20;

/** Joins neighbouring parts, leaves out empty ones and numbers the segments in order of first use. */
export function makeRecipe(parts: Iterable<RecipePart>): Recipe {
  const numbers = new Map<SegmentId, number>();
  const segmentIndex: number[] = [];
  const offsets: number[] = [];
  const lengths: number[] = [];
  let sizeBytes = 0;
  let last = { segment: -1, end: 0 };
  for (const part of parts) {
    if (part.length === 0) continue;
    sizeBytes += part.length;
    const segment = numbers.get(part.segment) ?? numbers.size;
    numbers.set(part.segment, segment);
    if (last.segment === segment && last.end === part.offset) {
      lengths.push((lengths.pop() ?? 0) + part.length);
    } else {
      segmentIndex.push(segment);
      offsets.push(part.offset);
      lengths.push(part.length);
    }
    last = { segment, end: part.offset + part.length };
  }
  return {
    sizeBytes,
    segments: [...numbers.keys()],
    segmentIndex: Uint32Array.from(segmentIndex),
    offsets: Float64Array.from(offsets),
    lengths: Float64Array.from(lengths),
  };
}

export function encodeRecipe(recipe: Recipe): Uint8Array {
  const segmentCount = recipe.segments.length;
  const partCount = recipe.segmentIndex.length;
  const file = Buffer.alloc(recipeHeadBytes + idBytes * segmentCount + partBytes * partCount + 4);
  magic.copy(file);
  file.writeUInt32LE(segmentCount, 8);
  file.writeUInt32LE(partCount, 12);
  file.writeDoubleLE(recipe.sizeBytes, 16);
  recipe.segments.forEach((id, i) => {
    file.write(id, recipeHeadBytes + idBytes * i, idBytes, "hex");
  });
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = recipeHeadBytes + idBytes * segmentCount;
  for (const value of recipe.segmentIndex) {
    view.setUint32(at, value, true);
    at += 4;
  }
  for (const column of [recipe.offsets, recipe.lengths]) {
    for (const value of column) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  view.setUint32(at, crc32(file.subarray(0, at)), true);
  return file;
}

/** Reads a recipe file; the text of what is wrong with it when it is damaged. */
export function decodeRecipe(file: Uint8Array): Recipe | string {
  const head = decodeRecipeHead(file);
  if (typeof head === "string") return head;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const columnsAt = recipeHeadBytes + idBytes * head.segmentCount;
  const end = columnsAt + partBytes * head.partCount;
  if (file.byteLength !== end + 4) return `its recipe has ${file.byteLength} bytes, not ${end + 4}`;
  if (view.getUint32(end, true) !== crc32(file.subarray(0, end))) return "its recipe has a wrong checksum";
  const { partCount } = head;
  return {
    sizeBytes: head.sizeBytes,
    segments: decodeSegments(file, head.segmentCount),
    segmentIndex: readUint32s(view, columnsAt, partCount),
    offsets: readDoubles(view, columnsAt + 4 * partCount, partCount),
    lengths: readDoubles(view, columnsAt + 12 * partCount, partCount),
  };
}

/** The counts and the size at the head of a recipe file. */
export function decodeRecipeHead(
  file: Uint8Array,
): { readonly segmentCount: number; readonly partCount: number; readonly sizeBytes: number } | string {
  if (file.byteLength < recipeHeadBytes || !magic.equals(file.subarray(0, magic.length)))
    return "its recipe is cut off";
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return {
    segmentCount: view.getUint32(8, true),
    partCount: view.getUint32(12, true),
    sizeBytes: view.getFloat64(16, true),
  };
}

function decodeSegments(file: Uint8Array, count: number): readonly SegmentId[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  return Array.from({ length: count }, (_, i) => {
    const at = recipeHeadBytes + idBytes * i;
    return bytes.toString("hex", at, at + idBytes) as SegmentId;
  });
}

function readUint32s(view: DataView, at: number, count: number): Uint32Array {
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint32(at + 4 * i, true);
  return values;
}

function readDoubles(view: DataView, at: number, count: number): Float64Array {
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getFloat64(at + 8 * i, true);
  return values;
}
