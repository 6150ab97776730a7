import type { Dialect } from "../instructions.ts";
import { moveSpan } from "../parse.ts";
import type { Span } from "../span.ts";
import type { Comment, Instruction, InstructionKind, Kubefile } from "../syntax.ts";

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
}

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

export function viewDocument(kubefile: Kubefile): Omit<DocumentView, "dialect"> {
  const entries: Entry[] = [];
  const kinds = new Map<InstructionKind, Entry[]>();
  const comments: { comment: Comment; delta: number; order: number }[] = [];
  let stage = -1;
  let above: Entry["above"];
  const { items, starts } = kubefile;
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (item === undefined) continue;
    const delta = (starts[index] ?? 0) - item.base;
    if (item.kind === "comment") {
      above = { comment: item.node, delta };
      comments.push({ ...above, order: entries.length });
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
  }
  return { kubefile, entries, kinds, comments };
}

function append(kinds: Map<InstructionKind, Entry[]>, entry: Entry): void {
  const same = kinds.get(entry.node.kind);
  if (same === undefined) kinds.set(entry.node.kind, [entry]);
  else same.push(entry);
}
