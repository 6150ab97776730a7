import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";

/**
 * A YAML or JSON document as discovery needs it: every value with its line, anchors resolved, nothing else. Own shape, so that the
 * walkers do not depend on the library's node classes.
 */
export type Tree = MapTree | SeqTree | ScalarTree;

export interface MapTree {
  readonly kind: "map";
  readonly line: number;
  readonly entries: ReadonlyMap<string, Tree>;
}

export interface SeqTree {
  readonly kind: "seq";
  readonly line: number;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: "scalar";
  readonly line: number;
  /** The value as text when it is a string; `undefined` for numbers, booleans and null. */
  readonly text: string | undefined;
  /** Whether the value spans several lines (a block scalar): then its text may be a document of its own. */
  readonly block: boolean;
}

/** One document of a stream, or the reason why it could not be read. */
export interface ParsedDocument {
  readonly tree: Tree | undefined;
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** Nodes a document may unfold to through its anchors; a larger one is an attack or a mistake. */
const maxNodes = 500_000;

/**
 * Reads a stream of YAML documents (JSON is YAML too). Never throws: what cannot be read is a problem with its line.
 *
 * @param firstLine line number of the text's first line, for text that lies inside another file
 */
export function parseDocuments(text: string, firstLine = 1): readonly ParsedDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    version: "1.1",
    merge: true,
    strict: false,
    uniqueKeys: false,
    logLevel: "silent",
  });
  if ("empty" in documents) return [];
  const lineAt = (offset: number): number => lines.linePos(offset).line + firstLine - 1;
  return documents.map((document) => {
    // The first error is the cause; the parser's others follow from it.
    const problems = document.errors.slice(0, 1).map((error) => ({
      line: lineAt(error.pos[0]),
      message: firstSentence(error.message),
    }));
    if (problems.length > 0) return { tree: undefined, problems };
    const unfolding: Unfolding = { nodes: 0, open: new Set(), lineAt, document };
    try {
      return { tree: document.contents === null ? undefined : unfold(document.contents as Node, unfolding), problems };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { tree: undefined, problems: [{ line: firstLine, message: error.message }] };
    }
  });
}

interface Unfolding {
  nodes: number;
  readonly open: Set<Node>;
  readonly lineAt: (offset: number) => number;
  readonly document: { readonly contents: unknown };
}

function unfold(node: Node, to: Unfolding): Tree {
  to.nodes += 1;
  if (to.nodes > maxNodes) throw new RangeError(`the document unfolds to more than ${maxNodes} values`);
  if (isAlias(node)) return unfoldAlias(node, to);
  const line = to.lineAt(node.range?.[0] ?? 0);
  if (isScalar(node)) {
    const block = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
    return { kind: "scalar", line, block, text: typeof node.value === "string" ? node.value : undefined };
  }
  if (isSeq(node)) return { kind: "seq", line, items: node.items.map((item) => unfold(item as Node, to)) };
  if (isMap(node)) return { kind: "map", line, entries: unfoldEntries(node, to) };
  return { kind: "scalar", line, block: false, text: undefined };
}

function unfoldEntries(node: { readonly items: readonly unknown[] }, to: Unfolding): ReadonlyMap<string, Tree> {
  const entries = new Map<string, Tree>();
  const merged: Tree[] = [];
  for (const pair of node.items as readonly { key: unknown; value: unknown }[]) {
    const key = keyText(pair.key);
    if (pair.value === null || pair.value === undefined) continue;
    const value = unfold(pair.value as Node, to);
    if (key === "<<") merged.push(value);
    else entries.set(key, value);
  }
  // A merge key gives only what the map itself does not say, the first of several winning (YAML 1.1 merge type).
  for (const source of merged.flatMap((tree) => (tree.kind === "seq" ? tree.items : [tree]))) {
    if (source.kind !== "map") continue;
    for (const [key, value] of source.entries) if (!entries.has(key)) entries.set(key, value);
  }
  return entries;
}

/** YAML 1.1's merge key is a symbol in the library; every other key is its text. */
function keyText(key: unknown): string {
  const value = isScalar(key) ? key.value : key;
  return typeof value === "symbol" ? (value.description ?? "") : String(value);
}

function unfoldAlias(node: Alias, to: Unfolding): Tree {
  const target = node.resolve(to.document as Parameters<Alias["resolve"]>[0]);
  if (target === undefined)
    return { kind: "scalar", line: to.lineAt(node.range?.[0] ?? 0), block: false, text: undefined };
  if (to.open.has(target)) throw new RangeError("an anchor contains itself");
  to.open.add(target);
  const tree = unfold(target, to);
  to.open.delete(target);
  return tree;
}

function firstSentence(message: string): string {
  return message.split("\n", 1)[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? message;
}

/** The value below `tree` at a key, when `tree` is a map that has it. */
export function child(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === "map" ? tree.entries.get(key) : undefined;
}

/** The value below `tree` along several keys. */
export function descend(tree: Tree | undefined, keys: readonly string[]): Tree | undefined {
  return keys.reduce<Tree | undefined>(child, tree);
}

/** The text of a string value; `undefined` for anything else and for an empty string. */
export function textOf(tree: Tree | undefined): string | undefined {
  if (tree?.kind !== "scalar" || tree.text === undefined || tree.text === "") return undefined;
  return tree.text;
}

/** The items of a sequence; none for anything else. */
export function itemsOf(tree: Tree | undefined): readonly Tree[] {
  return tree?.kind === "seq" ? tree.items : [];
}
