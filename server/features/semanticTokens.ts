import type {
  SemanticTokens,
  SemanticTokensDelta,
  SemanticTokensEdit,
  SemanticTokensLegend,
} from "vscode-languageserver";
import type { Span } from "../../kubefile/span.ts";
import type { Instruction, Item, Kubefile } from "../../kubefile/syntax.ts";
import { itemTokens, type Token, type TokenKind } from "../../kubefile/tokens.ts";
import type { OpenKubefile } from "../documents.ts";
import { ShellScanner, type ShellTokenKind } from "../shellTokens.ts";

const types = [
  "comment",
  "keyword",
  "string",
  "number",
  "operator",
  "variable",
  "parameter",
  "property",
  "namespace",
  "class",
  "type",
  "function",
  "macro",
  "enumMember",
] as const;
type TypeName = (typeof types)[number];
const modifiers = ["declaration", "deprecated", "readonly"] as const;
type ModifierName = (typeof modifiers)[number];

export const semanticTokensLegend: SemanticTokensLegend = { tokenTypes: [...types], tokenModifiers: [...modifiers] };

const typeNumbers = Object.fromEntries(types.map((name, index) => [name, index])) as Readonly<Record<TypeName, number>>;
const modifierBits: Readonly<Record<ModifierName, number>> = { declaration: 1, deprecated: 2, readonly: 4 };

/** Kinds of tokens that have a colour of their own; the rest keeps the grammar's. */
const colours: Partial<Record<TokenKind, TypeName>> = {
  comment: "comment",
  directive: "macro",
  directiveValue: "string",
  keyword: "keyword",
  flag: "parameter",
  flagValue: "enumMember",
  operator: "operator",
  string: "string",
  image: "type",
  stage: "namespace",
  app: "class",
  path: "string",
  property: "property",
  value: "string",
  variable: "variable",
  heredocMarker: "macro",
  heredocBody: "string",
};

/**
 * Tokens of one item: for each, its line counted from the item's first, column, length, type, modifier bits. An item is made
 * of whole lines, so this holds wherever the item stands.
 */
interface ItemColours {
  readonly data: readonly number[];
  /** Line ends in the item. */
  readonly lines: number;
}

// Items live through edits that do not touch them, and so do their tokens.
const coloursByItem = new WeakMap<Item, ItemColours>();

/** Tokens of the whole file. */
export function semanticTokens(document: OpenKubefile): number[] {
  return encode(document, 0, document.tree.items.length);
}

/** Tokens of the items that `span` touches. */
export function semanticTokensInRange(document: OpenKubefile, span: Span): number[] {
  const { starts, items } = document.tree;
  let first = 0;
  while (first < items.length && (starts[first] ?? 0) + (items[first]?.length ?? 0) <= span.start) first++;
  let last = first;
  while (last < items.length && (starts[last] ?? 0) < span.end) last++;
  return encode(document, first, last);
}

/** The one edit that turns the tokens sent before into those of now. */
export function semanticTokensDelta(before: readonly number[], now: readonly number[]): SemanticTokensEdit[] {
  let start = 0;
  const shorter = Math.min(before.length, now.length);
  while (start < shorter && before[start] === now[start]) start++;
  if (start === before.length && start === now.length) return [];
  let same = 0;
  while (same < shorter - start && before[before.length - 1 - same] === now[now.length - 1 - same]) same++;
  return [{ start, deleteCount: before.length - start - same, data: now.slice(start, now.length - same) }];
}

/** Keeps the tokens sent last for each document, so that the next answer can be a difference. */
export class SentTokens {
  readonly #sent = new Map<string, { readonly id: string; readonly data: readonly number[] }>();
  #count = 0;

  full(document: OpenKubefile): SemanticTokens {
    const data = semanticTokens(document);
    return { resultId: this.#keep(document.uri, data), data };
  }

  delta(document: OpenKubefile, previousId: string): SemanticTokens | SemanticTokensDelta {
    const before = this.#sent.get(document.uri);
    if (before?.id !== previousId) return this.full(document);
    const data = semanticTokens(document);
    return { resultId: this.#keep(document.uri, data), edits: semanticTokensDelta(before.data, data) };
  }

  forget(uri: string): void {
    this.#sent.delete(uri);
  }

  #keep(uri: string, data: readonly number[]): string {
    const id = String(++this.#count);
    this.#sent.set(uri, { id, data });
    return id;
  }
}

function encode(document: OpenKubefile, first: number, last: number): number[] {
  const { tree, lines } = document;
  const data: number[] = [];
  // Lines between the last token sent and the item at hand.
  let ahead = lines.positionAt(tree.starts[first] ?? 0).line;
  for (let index = first; index < last; index++) {
    const item = coloursOf(tree, index);
    let line = -ahead;
    let character = 0;
    for (let at = 0; at < item.data.length; at += 5) {
      const tokenLine = item.data[at] ?? 0;
      const column = item.data[at + 1] ?? 0;
      const deltaLine = tokenLine - line;
      data.push(deltaLine, deltaLine === 0 ? column - character : column);
      data.push(item.data[at + 2] ?? 0, item.data[at + 3] ?? 0, item.data[at + 4] ?? 0);
      line = tokenLine;
      character = column;
    }
    ahead = item.lines - line;
  }
  return data;
}

function coloursOf(tree: Kubefile, index: number): ItemColours {
  const item = tree.items[index];
  if (item === undefined) return { data: [], lines: 0 };
  const known = coloursByItem.get(item);
  if (known !== undefined) return known;
  const start = tree.starts[index] ?? 0;
  const painter = new Painter(tree.text, start, item);
  if (item.kind !== "blank") for (const token of itemTokens(tree, index)) painter.paint(token);
  const colours: ItemColours = { data: painter.data, lines: painter.linesUpTo(start + item.length) };
  coloursByItem.set(item, colours);
  return colours;
}

/** Turns the tokens of one item into colours. */
class Painter {
  readonly data: number[] = [];
  readonly #text: string;
  /** The line at hand, counted from the item's first, and where it starts. */
  #line = 0;
  #lineStart: number;
  readonly #node: Instruction | undefined;
  readonly #shift: number;
  readonly #shell = new ShellScanner();
  readonly #deprecated: boolean;
  #inHeredoc = false;

  constructor(text: string, start: number, item: Item) {
    this.#text = text;
    this.#lineStart = start;
    this.#shift = start - item.base;
    this.#node = item.kind === "instruction" ? item.node : undefined;
    this.#deprecated = this.#node?.kind === "MAINTAINER";
  }

  paint(token: Token): void {
    const { kind, span } = token;
    switch (kind) {
      case "command":
        this.#shellText(span);
        return;
      case "heredocBody":
        this.#inHeredoc = true;
        if (this.#node?.kind === "RUN") this.#shellText(span);
        else this.#add("string", span, 0);
        return;
      case "string":
        if (this.#holdsShell(span)) this.#shellString(span);
        else this.#add("string", span, 0);
        return;
      case "variable":
        this.#shell.variable();
        this.#add("variable", span, 0);
        return;
      case "whitespace":
        this.#shell.blank();
        return;
      case "newline":
        if (this.#inHeredoc) this.#shell.newline();
        else this.#shell.blank();
        return;
      default:
    }
    const type = colours[kind];
    if (type !== undefined) this.#add(type, span, this.#modifiersOf(kind, span));
  }

  #modifiersOf(kind: TokenKind, span: Span): number {
    if (kind === "keyword" && this.#deprecated) return modifierBits.deprecated;
    if (kind === "stage" && this.#node?.kind === "FROM") return this.#declares(span, this.#node.stageName?.span);
    if (kind === "app" && (this.#node?.kind === "APP" || this.#node?.kind === "CNI" || this.#node?.kind === "CSI"))
      return modifierBits.declaration;
    if (kind === "property" && (this.#node?.kind === "ENV" || this.#node?.kind === "ARG"))
      return modifierBits.declaration;
    return 0;
  }

  #declares(span: Span, name: Span | undefined): number {
    return name !== undefined && span.start === name.start + this.#shift ? modifierBits.declaration : 0;
  }

  #shellText(span: Span): void {
    this.#shell.scan(this.#text.slice(span.start, span.end), (kind, start, end) =>
      this.#add(kind satisfies ShellTokenKind, { start: span.start + start, end: span.start + end }, 0),
    );
  }

  /** A string of a JSON array whose content a shell reads: the quotes stay strings. */
  #shellString(span: Span): void {
    const open = this.#text[span.start] === '"' ? 1 : 0;
    const close = span.end - span.start > open && this.#text[span.end - 1] === '"' ? 1 : 0;
    if (open === 1) this.#add("string", { start: span.start, end: span.start + 1 }, 0);
    this.#shellText({ start: span.start + open, end: span.end - close });
    if (close === 1) {
      this.#add("string", { start: span.end - 1, end: span.end }, 0);
      this.#shell.blank();
    }
  }

  /** CMDS and APPCMDS hold command lines; elsewhere the string behind `-c`, or a single one with blanks, does. */
  #holdsShell(span: Span): boolean {
    const node = this.#node;
    if (node === undefined) return false;
    if (node.kind === "CMDS" || node.kind === "APPCMDS") return true;
    if (node.kind !== "RUN" && node.kind !== "CMD" && node.kind !== "ENTRYPOINT") return false;
    const at = span.start - this.#shift;
    const index = node.words.findIndex((word) => word.span.start <= at && at < word.span.end);
    if (index === 0) return node.words.length === 1 && node.kind === "CMD";
    return node.words[index - 1]?.value === "-c";
  }

  /** Adds a token, one for each line it runs over. Tokens come in order. */
  #add(type: TypeName, span: Span, bits: number): void {
    for (let at = span.start; at < span.end; ) {
      this.linesUpTo(at);
      const end = Math.min(span.end, lineEndAt(this.#text, at));
      if (end > at) this.data.push(this.#line, at - this.#lineStart, end - at, typeNumbers[type], bits);
      at = Math.max(end, at) + 1;
    }
  }

  /** Counts the line ends in front of `offset`; offsets only grow. */
  linesUpTo(offset: number): number {
    for (;;) {
      const end = lineEndAt(this.#text, this.#lineStart);
      const next = end + (this.#text[end] === "\r" && this.#text[end + 1] === "\n" ? 2 : 1);
      if (next > offset) return this.#line;
      this.#line++;
      this.#lineStart = next;
    }
  }
}

/** Where the line of `offset` ends: as in LSP, at CR, LF, or both. */
function lineEndAt(text: string, offset: number): number {
  for (let at = offset; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d) return at;
  }
  return text.length;
}
