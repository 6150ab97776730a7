import { inBatches } from "./batches.ts";
import { byteOrderMark, carriageReturn, hash, isSpace, lineFeed } from "./characters.ts";
import type { Span } from "./span.ts";
import type { Escape, Instruction, Item, Kubefile, Pair, Word } from "./syntax.ts";

/** What a piece of the text is. */
export type TokenKind = (typeof tokenKinds)[number];

/** Every kind of token. The number of a kind is its place in this list. */
export const tokenKinds = [
  "text",
  "mark",
  "whitespace",
  "newline",
  "continuation",
  "comment",
  "directive",
  "directiveValue",
  "keyword",
  "unknownKeyword",
  "flag",
  "flagValue",
  "operator",
  "punctuation",
  "string",
  "word",
  "image",
  "stage",
  "app",
  "path",
  "property",
  "value",
  "command",
  "variable",
  "heredocMarker",
  "heredocBody",
] as const;

const kinds = Object.fromEntries(tokenKinds.map((kind, index) => [kind, index])) as Readonly<Record<TokenKind, number>>;

export interface Token {
  readonly kind: TokenKind;
  readonly span: Span;
}

/** The tokens of a whole Kubefile: in order, without gaps or overlaps, covering every character once. */
export function tokens(kubefile: Kubefile): Token[] {
  const found: Token[] = [];
  inBatches(kubefile.items.length, (from, to) => {
    for (let index = from; index < to; index++) addTokens(kubefile, index, found);
  });
  return found;
}

/** The tokens of the item at `index`, with spans in the text as it is now. */
export function itemTokens(kubefile: Kubefile, index: number): Token[] {
  const found: Token[] = [];
  addTokens(kubefile, index, found);
  return found;
}

function addTokens(kubefile: Kubefile, index: number, found: Token[]): void {
  const item = kubefile.items[index];
  const start = kubefile.starts[index];
  if (item === undefined || start === undefined) return;
  const text = kubefile.text.slice(start, start + item.length);
  const canvas = paint(item, text, kubefile.escape);
  for (let at = 0; at < text.length; ) {
    const kind = canvas[at] ?? 0;
    let end = at + 1;
    while (end < text.length && canvas[end] === kind) end++;
    found.push({ kind: tokenKinds[kind] ?? "text", span: { start: start + at, end: start + end } });
    at = end;
  }
}

let canvasOfAll: Uint8Array = new Uint8Array(512);

/** Room for `length` numbers, all 0. One canvas serves all items, one after the other. */
function cleanCanvas(length: number): Uint8Array {
  if (canvasOfAll.length < length) canvasOfAll = new Uint8Array(Math.max(length, 2 * canvasOfAll.length));
  canvasOfAll.fill(0, 0, length);
  // A very long item is not kept room for.
  const canvas = canvasOfAll;
  if (canvas.length > 65_536) canvasOfAll = new Uint8Array(512);
  return canvas;
}

/** The number of a token kind for each character of an item. */
function paint(item: Item, text: string, escapeMark: Escape): Uint8Array {
  const canvas = cleanCanvas(text.length);
  const brush: Brush = {
    fill(span, kind) {
      const color = kinds[kind];
      const from = Math.max(0, span.start - item.base);
      const to = Math.min(span.end - item.base, text.length);
      if (to - from > 16) canvas.fill(color, from, to);
      else for (let at = from; at < to; at++) canvas[at] = color;
    },
    text,
    canvas,
    base: item.base,
  };
  switch (item.kind) {
    case "blank":
      paintGap(brush, 0, text.length, escapeMark);
      break;
    case "comment":
      brush.fill(item.node.span, "comment");
      break;
    case "directive":
      brush.fill(item.node.span, "operator");
      brush.fill({ start: item.node.span.start, end: item.node.name.span.end }, "directive");
      brush.fill(item.node.value.span, "directiveValue");
      break;
    case "instruction":
      paintInstruction(brush, item.node, escapeMark);
      break;
    default:
      item satisfies never;
  }
  paintBlanks(brush);
  return canvas;
}

interface Brush {
  fill(span: Span, kind: TokenKind): void;
  readonly text: string;
  readonly canvas: Uint8Array;
  readonly base: number;
}

/** Paints what is left: white space and line ends, and blanks inside of words that run over lines. */
function paintBlanks(brush: Brush): void {
  const { text, canvas } = brush;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === lineFeed) canvas[at] = kinds.newline;
    else if (code === carriageReturn && text.charCodeAt(at + 1) === lineFeed) canvas[at] = kinds.newline;
    else if (canvas[at] === kinds.text && isSpace(code)) canvas[at] = kinds.whitespace;
    else if (code === byteOrderMark && at === 0 && brush.base === 0) canvas[at] = kinds.mark;
  }
}

function paintInstruction(brush: Brush, node: Instruction, escapeMark: Escape): void {
  paintArguments(brush, node);
  for (const use of node.variables) brush.fill(use.span, "variable");
  for (const heredoc of node.heredocs) {
    brush.fill(heredoc.span, "heredocMarker");
    if (heredoc.end !== undefined) brush.fill(heredoc.end, "heredocMarker");
  }
  paintJoints(brush, node, escapeMark);
}

function paintArguments(brush: Brush, node: Instruction): void {
  brush.fill(node.keyword.span, node.kind === "UNKNOWN" ? "unknownKeyword" : "keyword");
  if (node.form === "json" && node.rest !== undefined) brush.fill(node.rest.span, "punctuation");
  for (const word of node.words) brush.fill(word.span, node.form === "json" ? "string" : "word");
  for (const flag of node.flags) {
    brush.fill(flag.span, "flag");
    if (flag.value === undefined) continue;
    brush.fill({ start: flag.name.span.end, end: flag.value.span.start }, "operator");
    brush.fill(flag.value.span, "flagValue");
  }
  for (const heredoc of node.heredocs) brush.fill(heredoc.body, "heredocBody");
  paintRoles(brush, node);
}

function paintRoles(brush: Brush, node: Instruction): void {
  switch (node.kind) {
    case "FROM":
      fillWord(brush, node.image, "image");
      fillWord(brush, node.as, "keyword");
      fillWord(brush, node.stageName, "stage");
      break;
    case "COPY":
    case "ADD":
      if (node.form === "words") fillWords(brush, node.words, "path");
      break;
    case "ENV":
    case "LABEL":
    case "ARG":
      for (const pair of node.pairs) fillPair(brush, pair);
      break;
    case "RUN":
    case "CMD":
    case "ENTRYPOINT":
    case "SHELL":
      if (node.command?.form === "shell") brush.fill(node.command.span, "command");
      break;
    case "HEALTHCHECK":
      fillWord(brush, node.mode, "keyword");
      paintHealthcheckCommand(brush, node);
      break;
    case "ONBUILD":
      if (node.trigger !== undefined) paintArguments(brush, node.trigger);
      break;
    default:
      paintAppRoles(brush, node);
  }
}

function paintAppRoles(brush: Brush, node: Instruction): void {
  switch (node.kind) {
    case "APP":
    case "CNI":
    case "CSI":
      if (node.form === "words") fillWords(brush, node.words, "path");
      fillWord(brush, node.app, "app");
      break;
    case "APPENV":
      fillWord(brush, node.app, "app");
      for (const pair of node.pairs) fillPair(brush, pair);
      break;
    case "APPCMDS":
      fillWord(brush, node.rest, "punctuation");
      fillWord(brush, node.app, "app");
      fillWords(brush, node.commands ?? [], "string");
      break;
    case "LAUNCH":
      fillWords(brush, node.apps, "app");
      break;
    default:
      break;
  }
}

function paintHealthcheckCommand(brush: Brush, node: Extract<Instruction, { kind: "HEALTHCHECK" }>): void {
  if (node.command === undefined) return;
  const exec = node.command.form === "exec";
  brush.fill(node.command.span, exec ? "punctuation" : "command");
  if (node.command.form === "exec") for (const element of node.command.elements) brush.fill(element.span, "string");
}

function fillWord(brush: Brush, word: Word | undefined, kind: TokenKind): void {
  if (word !== undefined) brush.fill(word.span, kind);
}

function fillWords(brush: Brush, words: readonly Word[], kind: TokenKind): void {
  for (const word of words) brush.fill(word.span, kind);
}

function fillPair(brush: Brush, pair: Pair): void {
  brush.fill(pair.span, "operator");
  brush.fill(pair.name.span, "property");
  fillWord(brush, pair.value, "value");
}

/** Paints the places where lines are joined: escape characters, line ends, comments and blank lines in between. */
function paintJoints(brush: Brush, node: Instruction, escapeMark: Escape): void {
  const { start, text } = node.logical;
  const segments = node.logical.segments.length > 0 ? node.logical.segments : [{ logical: 0, source: start }];
  const headEnd = start;
  paintGap(brush, 0, headEnd - brush.base, escapeMark);
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index];
    if (segment === undefined) continue;
    const following = segments[index + 1];
    const length = (following?.logical ?? text.length) - segment.logical;
    const first = node.heredocs[0];
    const limit = first === undefined ? brush.base + brush.text.length : first.body.start;
    paintGap(brush, segment.source + length - brush.base, (following?.source ?? limit) - brush.base, escapeMark);
  }
}

/** Paints a range that holds no argument: line by line a comment, a joint, or blanks. */
function paintGap(brush: Brush, from: number, to: number, escapeMark: Escape): void {
  const { text, canvas } = brush;
  let comment = false;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    comment = code !== lineFeed && (comment || code === hash);
    if (comment) canvas[at] = kinds.comment;
    else if (isSpace(code)) canvas[at] = kinds.whitespace;
    else canvas[at] = text[at] === escapeMark ? kinds.continuation : kinds.text;
  }
}
