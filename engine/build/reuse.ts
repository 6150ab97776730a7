import { type LayerIndex, sameContent } from "../cache/layerIndex.ts";
import type { Assembled, Piece } from "../layer/assemble.ts";
import type { BlobLocation, RecipePart, SegmentId } from "../store/contract.ts";
import type { KnownCopy } from "./copyStep.ts";
import type { BuildWorkshop } from "./workshop.ts";

/** A layer's pieces, and for each the members it holds. */
export interface PiecePlan {
  readonly pieces: readonly Piece[];
  /** For a range: the part of a segment it is. Same rows as `pieces`. */
  readonly parts: readonly (RecipePart | undefined)[];
  /** First member of each piece; a range may hold several. */
  readonly firstMember: readonly number[];
  /** Length of each member when it is reused, else -1. */
  readonly reusedLengths: Float64Array;
}

/** More parts than this and a layer is written anew: reading it would be seeking. */
const mostParts = 2000;

/**
 * Which members of the layer the newest layer of the same definition already has, byte for byte (times included), and where.
 * All of them are written when that layer is gone, is not ours, or is in too many parts.
 */
export async function planPieces(
  shop: BuildWorkshop,
  known: KnownCopy,
  index: LayerIndex | undefined,
): Promise<PiecePlan> {
  const location = index === undefined ? undefined : await locationOf(shop, index);
  if (index === undefined || location === undefined) return allNew(known);
  const rows = new Map<string, number>();
  for (const [row, path] of index.paths.entries()) rows.set(path, row);
  const slicer = new Slicer(location);
  const plan = new PlanBuilder(known.members.length);
  for (const [row, { entry }] of known.members.entries()) {
    const old = rows.get(entry.path);
    const same =
      old !== undefined &&
      index.facts[old] === known.facts[row] &&
      index.times[old] === entry.mtimeSeconds &&
      sameContent(index.contents, old, known.contents, row);
    if (same) plan.reuse(row, index.lengths[old] ?? 0, slicer.slice(index.starts[old] ?? 0, index.lengths[old] ?? 0));
    else plan.write(row, { kind: "entry", entry });
  }
  return plan.count > mostParts ? allNew(known) : plan.finish();
}

async function locationOf(shop: BuildWorkshop, index: LayerIndex): Promise<BlobLocation | undefined> {
  const stat = await shop.lease.pin(index.diffId, shop.signal);
  const location = stat?.heldAs === "recipe" ? shop.store.locate(index.diffId) : undefined;
  return location !== undefined && location.offsets.length <= mostParts ? location : undefined;
}

function allNew(known: KnownCopy): PiecePlan {
  const plan = new PlanBuilder(known.members.length);
  for (const [row, { entry }] of known.members.entries()) plan.write(row, { kind: "entry", entry });
  return plan.finish();
}

interface Slice {
  readonly path: string;
  readonly part: RecipePart;
}

class PlanBuilder {
  readonly #pieces: Piece[] = [];
  readonly #parts: (RecipePart | undefined)[] = [];
  readonly #firstMember: number[] = [];
  readonly #reusedLengths: Float64Array;

  constructor(members: number) {
    this.#reusedLengths = new Float64Array(members).fill(-1);
  }

  get count(): number {
    return this.#pieces.length;
  }

  write(row: number, piece: Piece): void {
    this.#pieces.push(piece);
    this.#parts.push(undefined);
    this.#firstMember.push(row);
  }

  reuse(row: number, length: number, slices: readonly Slice[]): void {
    this.#reusedLengths[row] = length;
    for (const { path, part } of slices) {
      const last = this.#parts.at(-1);
      if (last !== undefined && last.segment === part.segment && last.offset + last.length === part.offset) {
        const joined = { ...last, length: last.length + part.length };
        this.#parts[this.#parts.length - 1] = joined;
        this.#pieces[this.#pieces.length - 1] = { kind: "range", path, offset: joined.offset, length: joined.length };
        continue;
      }
      this.#pieces.push({ kind: "range", path, offset: part.offset, length: part.length });
      this.#parts.push(part);
      this.#firstMember.push(row);
    }
  }

  finish(): PiecePlan {
    return {
      pieces: this.#pieces,
      parts: this.#parts,
      firstMember: this.#firstMember,
      reusedLengths: this.#reusedLengths,
    };
  }
}

/** Cuts stretches out of a blob that is held in parts. */
class Slicer {
  readonly #location: BlobLocation;
  readonly #ends: Float64Array;

  constructor(location: BlobLocation) {
    this.#location = location;
    this.#ends = new Float64Array(location.lengths.length);
    let end = 0;
    for (const [index, length] of location.lengths.entries()) {
      end += length;
      this.#ends[index] = end;
    }
  }

  slice(start: number, length: number): readonly Slice[] {
    const slices: Slice[] = [];
    let at = start;
    for (let index = this.#partAt(start); at < start + length && index < this.#ends.length; index++) {
      const partStart = (this.#ends[index] ?? 0) - (this.#location.lengths[index] ?? 0);
      const take = Math.min(start + length, this.#ends[index] ?? 0) - at;
      const file = this.#location.pathIndex[index] ?? 0;
      slices.push({
        path: this.#location.paths[file] ?? "",
        part: {
          segment: this.#location.segmentIds[file] ?? ("" as SegmentId),
          offset: (this.#location.offsets[index] ?? 0) + at - partStart,
          length: take,
        },
      });
      at += take;
    }
    return slices;
  }

  #partAt(position: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The recipe of the layer that was assembled: old parts, new parts of `segment`, and the end of the archive. */
export function* recipeOf(
  plan: PiecePlan,
  assembled: Assembled,
  segment: SegmentId,
): Generator<RecipePart, void, undefined> {
  for (const [row, part] of plan.parts.entries()) {
    yield part ?? { segment, offset: assembled.writtenAt[row] ?? 0, length: assembled.lengths[row] ?? 0 };
  }
  yield { segment, offset: assembled.endWrittenAt, length: assembled.writtenBytes - assembled.endWrittenAt };
}

/** Where each member begins and how long it is, from where the pieces do. */
export function rowsOf(
  plan: PiecePlan,
  assembled: Assembled,
): { readonly starts: Float64Array; readonly lengths: Float64Array } {
  const lengths = Float64Array.from(plan.reusedLengths);
  for (const [piece, member] of plan.firstMember.entries()) {
    if (plan.parts[piece] === undefined) lengths[member] = assembled.lengths[piece] ?? 0;
  }
  const starts = new Float64Array(lengths.length);
  for (let row = 1; row < lengths.length; row++) starts[row] = (starts[row - 1] ?? 0) + (lengths[row - 1] ?? 0);
  return { starts, lengths };
}
