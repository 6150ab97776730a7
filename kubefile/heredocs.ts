import { isBlank } from "./characters.ts";
import { contentEnd, lineEnd, type Source } from "./lines.ts";
import type { Heredoc } from "./syntax.ts";
import { closingQuote, type Line, makeWord, spanOf, unquote } from "./words.ts";

const opener = /^(\d*)<<(-?)([^<]+)$/;
const leadingTabs = /^\t+/gm;

interface Opening {
  readonly start: number;
  readonly end: number;
  readonly nameStart: number;
  readonly stripTabs: boolean;
}

/** Heredocs opened on a line and the offset in the source behind their bodies. */
export interface Heredocs {
  readonly heredocs: readonly Heredoc[];
  readonly next: number;
}

const none: readonly Heredoc[] = [];

/**
 * Reads the heredocs that a line opens behind `from`. Their bodies follow each other in the source from `bodies` on.
 * @see moby/buildkit frontend/dockerfile/parser `heredocsFromLine`
 */
export function readHeredocs(line: Line, from: number, source: Source, bodies: number): Heredocs {
  if (!line.text.includes("<<", from)) return { heredocs: none, next: bodies };
  const openings = findOpenings(line, from);
  const heredocs: Heredoc[] = [];
  let next = bodies;
  for (const opening of openings) {
    const marker = makeWord(line, opening.nameStart, opening.end);
    const body = readBody(source, next, marker.value, opening.stripTabs);
    const content = source.text.slice(next, body.end);
    heredocs.push({
      span: spanOf(line, opening.start, opening.end),
      marker,
      stripTabs: opening.stripTabs,
      expand: marker.value === marker.text,
      body: { start: source.origin + next, end: source.origin + body.end },
      content: opening.stripTabs ? content.replace(leadingTabs, "") : content,
      end:
        body.terminator === undefined
          ? undefined
          : { start: source.origin + body.terminator.start, end: source.origin + body.terminator.end },
    });
    next = body.next;
  }
  return { heredocs, next };
}

function findOpenings(line: Line, from: number): Opening[] {
  const openings: Opening[] = [];
  const { text, escape: escapeMark } = line;
  for (let at = from; at < text.length; ) {
    if (isBlank(text.charCodeAt(at))) {
      at++;
      continue;
    }
    const end = shellWordEnd(line, at);
    if (end < 0) return [];
    const match = opener.exec(text.slice(at, end));
    const name = match?.[3];
    if (match !== null && name !== undefined && unquote(name, escapeMark) !== "") {
      openings.push({ start: at, end, nameStart: end - name.length, stripTabs: match[2] === "-" });
    }
    at = end;
  }
  return openings;
}

/** The end of a shell word, or -1 when a quote is not closed: then the line opens no heredoc at all. */
function shellWordEnd(line: Line, from: number): number {
  const { text, escape: escapeMark } = line;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === escapeMark) {
      at++;
    } else if (character === "'" || character === '"') {
      at = closingQuote(text, at, escapeMark);
      if (at < 0) return -1;
    } else if (isBlank(text.charCodeAt(at))) {
      return at;
    }
  }
  return text.length;
}

interface Body {
  readonly end: number;
  readonly terminator: { readonly start: number; readonly end: number } | undefined;
  readonly next: number;
}

function readBody(source: Source, from: number, name: string, stripTabs: boolean): Body {
  const { text } = source;
  for (let at = from; at < text.length; ) {
    const end = lineEnd(text, at);
    const content = contentEnd(text, at, end);
    let start = at;
    if (stripTabs) while (text[start] === "\t") start++;
    if (content - start === name.length && text.startsWith(name, start)) {
      return { end: at, terminator: { start, end: content }, next: Math.min(end + 1, text.length) };
    }
    at = end + 1;
  }
  return { end: text.length, terminator: undefined, next: text.length };
}
