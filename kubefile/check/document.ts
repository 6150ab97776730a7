import { inBatches } from "../batches.ts";
import type { Dialect } from "../instructions.ts";
import { moveSpan } from "../parse.ts";
import type { ProblemCode } from "../problems.ts";
import type { Span } from "../span.ts";
import type { Comment, Instruction, InstructionKind, Item, Kubefile } from "../syntax.ts";
import type { FindingDetails } from "./finding.ts";

/** One instruction of a document view. Spans inside `node` lie `delta` characters before where they are now. */
export interface Entry<Node extends Instruction = Instruction> {
  readonly node: Node;
  readonly delta: number;
  /** Counts instructions from 0. */
  readonly order: number;
  /** Counts FROM; -1 above the first. */
  readonly stage: number;
  /** The comment line directly above, if there is one. */
  readonly above: { readonly comment: Comment; readonly delta: number } | undefined;
}

/** What rules about the whole file look at; made by one walk over the items. */
export interface DocumentView {
  readonly kubefile: Kubefile;
  readonly entries: readonly Entry[];
  readonly kinds: ReadonlyMap<InstructionKind, readonly Entry[]>;
  readonly comments: readonly { readonly comment: Comment; readonly delta: number; readonly order: number }[];
  readonly dialect: Dialect | undefined;
  /**
   * Whether a finding of this code has a chance to be shown, and counts it as found. Rules that may find something on each
   * line ask before they write the message. Severity and verdict are the rule's own when they are not given.
   */
  wants(code: ProblemCode, details?: Pick<FindingDetails, "severity" | "verdict" | "only">): boolean;
}

/** What one walk over the items gives; the rest is up to the settings. */
export type WalkedDocument = Omit<DocumentView, "dialect" | "wants">;

const none: readonly Entry[] = [];

/** The instructions of one kind, in order. */
export function ofKind<Kind extends InstructionKind>(
  view: DocumentView,
  kind: Kind,
): readonly Entry<Extract<Instruction, { kind: Kind }>>[] {
  return (view.kinds.get(kind) ?? none) as readonly Entry<Extract<Instruction, { kind: Kind }>>[];
}

/** A span of an entry's node in the text as it is now. */
export function place(entry: Pick<Entry, "delta">, span: Span): Span {
  return moveSpan(span, entry.delta);
}

export function viewDocument(kubefile: Kubefile): WalkedDocument {
  const entries: Entry[] = [];
  const kinds = new Map<InstructionKind, Entry[]>();
  const comments: { comment: Comment; delta: number; order: number }[] = [];
  let stage = -1;
  let above: Entry["above"];
  const { items, starts } = kubefile;
  const visit = (item: Item, delta: number): void => {
    if (item.kind === "comment") {
      above = { comment: item.node, delta };
      comments.push({ comment: item.node, delta, order: entries.length });
    } else if (item.kind !== "instruction") {
      above = undefined;
    } else {
      const { node } = item;
      if (node.kind === "FROM") stage++;
      const entry: Entry = { node, delta, order: entries.length, stage, above };
      above = undefined;
      entries.push(entry);
      append(kinds, entry);
    }
  };
  inBatches(items.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const item = items[index];
      if (item !== undefined) visit(item, (starts[index] ?? 0) - item.base);
    }
  });
  return { kubefile, entries, kinds, comments };
}

function append(kinds: Map<InstructionKind, Entry[]>, entry: Entry): void {
  const same = kinds.get(entry.node.kind);
  if (same === undefined) kinds.set(entry.node.kind, [entry]);
  else same.push(entry);
}
