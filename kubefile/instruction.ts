import { dash, doubleQuote, isBlank, singleQuote } from "./characters.ts";
import { readHeredocs } from "./heredocs.ts";
import { type ArgumentShape, type InstructionInfo, instructionInfo } from "./instructions.ts";
import { type JsonArray, parseJsonArray } from "./json.ts";
import { type JoinedLines, type Source, skipSpaces } from "./lines.ts";
import { parsePairs } from "./pairs.ts";
import type { AppSource, Command, Flag, Heredoc, Instruction, InstructionBase, VariableUse, Word } from "./syntax.ts";
import { variableUses } from "./uses.ts";
import { type Line, makeWord, skipBlanks, skipWord, spanOf, splitWords, trimEnd } from "./words.ts";

/** An instruction and the offset in the source behind it: behind its heredocs, if it opens any. */
export interface ParsedInstruction {
  readonly node: Instruction;
  readonly next: number;
}

const listShapes: ReadonlySet<ArgumentShape> = new Set(["image", "copy", "app", "names", "commands", "ports", "paths"]);

const noFlags: readonly Flag[] = [];
const noWords: readonly Word[] = [];
const noHeredocs: readonly Heredoc[] = [];
const noJson: JsonArray = { verdict: "absent" };

/** What the parts of one instruction are read from. */
interface Reading {
  readonly line: Line;
  readonly info: InstructionInfo | undefined;
  /** Where the arguments begin and end in the line's text. */
  readonly from: number;
  readonly to: number;
  readonly json: JsonArray;
  readonly base: InstructionBase;
}

/** Reads one instruction from its joined lines; `undefined` when they hold nothing but blanks. */
export function parseInstruction(joined: JoinedLines, source: Source): ParsedInstruction | undefined {
  const { line } = joined;
  const start = skipSpaces(line.text, 0, line.text.length);
  if (start >= line.text.length) return undefined;
  return readInstruction(joined, source, start, 0);
}

function readInstruction(joined: JoinedLines, source: Source, start: number, depth: number): ParsedInstruction {
  const { line } = joined;
  const { text } = line;
  const keywordEnd = skipWord(text, start);
  const written = makeWord(line, start, keywordEnd);
  const info = instructionInfo(written.text);
  // The table's own string takes the place of thousands of equal ones.
  const keyword = info?.name === written.text ? { span: written.span, text: info.name, value: info.name } : written;
  const to = trimEnd(text, keywordEnd, text.length);
  const flags = readFlags(line, skipBlanks(text, keywordEnd, to), to);
  const from = flags.next;
  const heredocs =
    info?.heredocs === true
      ? readHeredocs(line, from, source, joined.next)
      : { heredocs: noHeredocs, next: joined.next };
  const json = info?.json === true && text[from] === "[" ? parseJsonArray(line, from, to) : noJson;
  const form = json.verdict === "strings" ? "json" : "words";
  const last = heredocs.heredocs.at(-1);
  const lineSpan = spanOf(line, start, Math.max(to, keywordEnd));
  const base: InstructionBase = {
    span: last === undefined ? lineSpan : { start: lineSpan.start, end: (last.end ?? last.body).end },
    keyword,
    flags: flags.flags,
    rest: from < to ? makeWord(line, from, to) : undefined,
    words: readWords(line, from, to, json, info),
    form,
    json: json.verdict,
    variables: readVariables(joined, source, keywordEnd, to, info, heredocs.heredocs),
    heredocs: heredocs.heredocs,
    comments: joined.comments,
    blankLines: joined.blankLines,
    logical: line,
  };
  const reading: Reading = { line, info, from, to, json, base };
  if (info?.name !== "ONBUILD") return { node: shape(reading), next: heredocs.next };
  if (from >= to || depth > 0) return { node: { ...base, kind: "ONBUILD", trigger: undefined }, next: heredocs.next };
  const trigger = readInstruction(joined, source, from, depth + 1);
  const end = Math.max(base.span.end, trigger.node.span.end);
  return {
    node: {
      ...base,
      span: { start: base.span.start, end },
      kind: "ONBUILD",
      variables: trigger.node.variables,
      heredocs: trigger.node.heredocs,
      trigger: trigger.node,
    },
    next: trigger.next,
  };
}

function readWords(
  line: Line,
  from: number,
  to: number,
  json: JsonArray,
  info: InstructionInfo | undefined,
): readonly Word[] {
  if (json.verdict === "strings") return json.elements;
  const list = info === undefined || listShapes.has(info.shape);
  return list && from < to ? splitWords(line, from, to) : noWords;
}

/** Words that begin with `--`, up to the first that does not; `--` alone ends them. @see buildkit `extractBuilderFlags` */
function readFlags(line: Line, from: number, to: number): { readonly flags: readonly Flag[]; readonly next: number } {
  const { text } = line;
  let at = from;
  if (!startsFlag(text, at)) return { flags: noFlags, next: at };
  const flags: Flag[] = [];
  while (at < to && startsFlag(text, at)) {
    const end = flagEnd(line, at, to);
    if (end === at + 2) return { flags, next: skipBlanks(text, end, to) };
    flags.push(makeFlag(line, at, end));
    at = skipBlanks(text, end, to);
  }
  return { flags, next: at };
}

function startsFlag(text: string, at: number): boolean {
  return text.charCodeAt(at) === dash && text.charCodeAt(at + 1) === dash;
}

function flagEnd(line: Line, from: number, to: number): number {
  const escapeMark = line.escape.charCodeAt(0);
  let quote = 0;
  for (let at = from; at < to; at++) {
    const code = line.text.charCodeAt(at);
    if (code === escapeMark) at++;
    else if (quote !== 0) quote = code === quote ? 0 : quote;
    else if (code === singleQuote || code === doubleQuote) quote = code;
    else if (isBlank(code)) return at;
  }
  return to;
}

function makeFlag(line: Line, start: number, end: number): Flag {
  const sign = line.text.indexOf("=", start);
  const split = sign < 0 || sign >= end ? end : sign;
  return {
    span: spanOf(line, start, end),
    name: makeWord(line, start + 2, split),
    value: split < end ? makeWord(line, split + 1, end) : undefined,
  };
}

function readVariables(
  joined: JoinedLines,
  source: Source,
  from: number,
  to: number,
  info: InstructionInfo | undefined,
  heredocs: readonly Heredoc[],
): readonly VariableUse[] {
  if (info === undefined || info.name === "ONBUILD") return [];
  const { line } = joined;
  const shell = !info.expands;
  const uses = variableUses({
    from,
    to,
    escape: line.escape,
    shell,
    quotes: true,
    parenthesised: info.name === "CMD" || info.name === "ENTRYPOINT",
    line,
  });
  if (heredocs.length === 0) return uses;
  return [...uses, ...heredocs.flatMap((heredoc) => heredocVariables(heredoc, source, line, shell))];
}

function heredocVariables(heredoc: Heredoc, source: Source, line: Line, shell: boolean): readonly VariableUse[] {
  if (!shell && !heredoc.expand) return [];
  return variableUses({
    from: heredoc.body.start - source.origin,
    to: heredoc.body.end - source.origin,
    escape: line.escape,
    shell,
    quotes: shell,
    parenthesised: false,
    line: { text: source.text, start: source.origin, segments: [] },
  });
}

/** Gives the arguments their meaning. */
function shape(reading: Reading): Instruction {
  const { base, info } = reading;
  if (info === undefined) return { ...base, kind: "UNKNOWN" };
  const { words } = base;
  switch (info.name) {
    case "FROM":
      return { ...base, kind: "FROM", ...fromParts(words) };
    case "COPY":
    case "ADD":
      return { ...base, kind: info.name, sources: words.slice(0, -1), destination: words.at(-1) };
    case "ENV":
    case "LABEL":
    case "ARG":
      return { ...base, kind: info.name, ...parsePairs(reading.line, reading.from, reading.to, info.name) };
    case "RUN":
    case "CMD":
    case "ENTRYPOINT":
    case "SHELL":
      return { ...base, kind: info.name, command: readCommand(reading, reading.from) };
    case "HEALTHCHECK":
      return healthcheck(reading);
    case "APP":
    case "CNI":
    case "CSI":
      return { ...base, kind: info.name, app: words[0], sources: words.slice(1).map(appSource) };
    case "APPENV":
      return appEnv(reading);
    case "APPCMDS":
      return appCommands(reading);
    case "LAUNCH":
      return { ...base, kind: "LAUNCH", apps: words };
    case "CMDS":
      return { ...base, kind: "CMDS", commands: words };
    case "KUBEVERSION":
      return { ...base, kind: "KUBEVERSION", constraint: base.rest };
    case "MAINTAINER":
      return { ...base, kind: "MAINTAINER" };
    case "WORKDIR":
      return { ...base, kind: "WORKDIR", path: base.rest };
    case "USER":
      return { ...base, kind: "USER", user: base.rest };
    case "STOPSIGNAL":
      return { ...base, kind: "STOPSIGNAL", signal: base.rest };
    case "EXPOSE":
      return { ...base, kind: "EXPOSE", ports: words };
    case "VOLUME":
      return { ...base, kind: "VOLUME", paths: words };
    case "ONBUILD":
      return { ...base, kind: "ONBUILD", trigger: undefined };
    default:
      info.name satisfies never;
      return { ...base, kind: "UNKNOWN" };
  }
}

function fromParts(words: readonly Word[]): {
  readonly image: Word | undefined;
  readonly as: Word | undefined;
  readonly stageName: Word | undefined;
} {
  const [image, as, stageName] = words;
  const named = as?.text.toLowerCase() === "as";
  return { image, as: named ? as : undefined, stageName: named ? stageName : undefined };
}

function readCommand(reading: Reading, from: number): Command | undefined {
  const { line, to, json } = reading;
  if (from >= to) return undefined;
  // Where the command is all there is, it shares place and text with the rest.
  const rest = from === reading.from ? reading.base.rest : undefined;
  const span = rest?.span ?? spanOf(line, from, to);
  if (json.verdict === "strings") return { form: "exec", span, elements: json.elements };
  return { form: "shell", span, text: rest?.text ?? line.text.slice(from, to) };
}

function healthcheck(reading: Reading): Instruction {
  const { base, line, from, to } = reading;
  if (from >= to) return { ...base, kind: "HEALTHCHECK", mode: undefined, command: undefined };
  const modeEnd = skipWord(line.text, from, to);
  const start = skipBlanks(line.text, modeEnd, to);
  const json = line.text[start] === "[" ? parseJsonArray(line, start, to) : noJson;
  const command = readCommand({ ...reading, json }, start);
  return { ...base, json: json.verdict, kind: "HEALTHCHECK", mode: makeWord(line, from, modeEnd), command };
}

const schemePattern = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

function appSource(word: Word): AppSource {
  const match = schemePattern.exec(word.value);
  const scheme = match?.[1];
  if (match === null || scheme === undefined) return { word, scheme: undefined, path: word };
  const value = word.value.slice(match[0].length);
  // A word of a JSON array has its quotes in the span; with escapes in it the span of the path is only as good as the word's.
  const inside = word.text.indexOf(match[0]);
  const lead = inside < 0 ? 0 : inside + match[0].length;
  const quote = word.text.endsWith('"') && word.text.startsWith('"') && word.text !== word.value ? 1 : 0;
  const simple = word.span.end - word.span.start === word.text.length;
  const span = simple ? { start: word.span.start + lead, end: word.span.end - quote } : word.span;
  return {
    word,
    scheme: scheme.toLowerCase(),
    path: { span, text: word.text.slice(lead, word.text.length - quote), value },
  };
}

function appEnv(reading: Reading): Instruction {
  const { base, line, from, to } = reading;
  const nameEnd = skipWord(line.text, from, to);
  const app = from < to ? makeWord(line, from, nameEnd) : undefined;
  const behind = skipBlanks(line.text, nameEnd, to);
  return { ...base, kind: "APPENV", app, pairs: parsePairs(line, behind, to, "APPENV").pairs };
}

function appCommands(reading: Reading): Instruction {
  const { base, line, from, to } = reading;
  const nameEnd = skipWord(line.text, from, to);
  const app = from < to ? makeWord(line, from, nameEnd) : undefined;
  const json = parseJsonArray(line, nameEnd, to);
  const commands = json.verdict === "strings" ? json.elements : undefined;
  return { ...base, json: json.verdict, kind: "APPCMDS", app, commands };
}
