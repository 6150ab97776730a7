/**
 * Runs a compiled pattern over text in time linear in its length, whatever the pattern: all alternatives advance together,
 * the leftmost and first-preferred wins, as in Go.
 */

import type { Ranges } from "./classes.ts";
import type { Assertion, Instruction } from "./program.ts";
import { compile } from "./program.ts";
import { type ParsedRegex, parseRegex } from "./syntax.ts";

/** Where groups begin and end, in UTF-16 offsets: start and end of the match first; -1 for groups not taken. */
export type Captures = readonly number[];

/** Something that counts the work done, and may stop it by throwing. */
export type Spend = (steps: number) => void;

/** A compiled pattern. */
export class GoRegex {
  readonly #parsed: ParsedRegex;
  readonly #program: readonly Instruction[];

  /** @throws RegexSyntaxError with Go's words */
  constructor(pattern: string) {
    this.#parsed = parseRegex(pattern);
    this.#program = compile(this.#parsed.root, pattern);
  }

  /** Group names by index; undefined for unnamed ones. */
  get groupNames(): readonly (string | undefined)[] {
    return this.#parsed.groups;
  }

  /** The first match at or after `from`, or undefined. */
  find(text: string, from: number, spend: Spend): Captures | undefined {
    return run(this.#program, text, from, this.#parsed.groups.length * 2, spend);
  }

  /** All matches that do not overlap, at most `limit` (negative: all). */
  findAll(text: string, limit: number, spend: Spend): Captures[] {
    const out: Captures[] = [];
    let at = 0;
    let previousEnd = -1;
    while (at <= text.length && (limit < 0 || out.length < limit)) {
      const match = this.find(text, at, spend);
      if (match === undefined) break;
      const [start = 0, end = 0] = match;
      // An empty match right after another does not count.
      const counts = end > start || start !== previousEnd;
      if (counts) out.push(match);
      previousEnd = end;
      at = end > at ? end : at + runeLength(text, at);
    }
    return out;
  }
}

function runeLength(text: string, at: number): number {
  const code = text.codePointAt(at) ?? 0;
  return code > 0xffff ? 2 : 1;
}

interface Thread {
  readonly pc: number;
  readonly slots: Captures;
}

function run(
  program: readonly Instruction[],
  text: string,
  from: number,
  slotCount: number,
  spend: Spend,
): Captures | undefined {
  const empty: Captures = new Array<number>(slotCount).fill(-1);
  const marks = new Uint32Array(program.length);
  let generation = 0;
  let current: Thread[] = [];
  let matched: Captures | undefined;

  for (let at = from; at <= text.length; ) {
    // A new attempt has the lowest preference, and none is needed once something matched.
    generation++;
    const queue: Thread[] = [];
    const reached = { marks, generation };
    for (const thread of current) follow(program, thread, at, text, queue, reached);
    if (matched === undefined) follow(program, { pc: 0, slots: empty }, at, text, queue, reached);
    if (queue.length === 0 && matched !== undefined) break;
    spend(queue.length + 1);
    const code = text.codePointAt(at) ?? -1;
    current = [];
    matched = step(program, queue, code, current) ?? matched;
    if (matched !== undefined && current.length === 0) break;
    at += code > 0xffff ? 2 : 1;
  }
  return matched;
}

/**
 * Reads one character (-1 at the end of the text) in all threads; those it fits go on.
 * @returns the groups when a thread has matched: those of lower preference end there
 */
function step(
  program: readonly Instruction[],
  queue: readonly Thread[],
  code: number,
  stepped: Thread[],
): Captures | undefined {
  for (const { pc, slots } of queue) {
    const instruction = program[pc];
    if (instruction?.op === "match") return slots;
    if (instruction?.op === "chars" && code >= 0 && contains(instruction.ranges, code)) {
      stepped.push({ pc: instruction.next, slots });
    }
  }
  return undefined;
}

/** Which instructions were reached at the current character: those marked with its generation. */
interface Reached {
  readonly marks: Uint32Array;
  readonly generation: number;
}

/** Follows jumps, splits, saves and assertions from a thread, in order of preference, to where characters are read. */
function follow(
  program: readonly Instruction[],
  start: Thread,
  at: number,
  text: string,
  queue: Thread[],
  { marks, generation }: Reached,
): void {
  const stack: Thread[] = [start];
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    const { pc, slots } = thread;
    if (marks[pc] === generation) continue;
    marks[pc] = generation;
    const instruction = program[pc];
    switch (instruction?.op) {
      case "jump":
        stack.push({ pc: instruction.next, slots });
        break;
      case "split":
        stack.push({ pc: instruction.other, slots }, { pc: instruction.next, slots });
        break;
      case "save":
        stack.push({ pc: instruction.next, slots: slots.with(instruction.slot, at) });
        break;
      case "assert":
        if (holds(instruction.what, text, at)) stack.push({ pc: instruction.next, slots });
        break;
      default:
        queue.push(thread);
    }
  }
}

function contains(ranges: Ranges, code: number): boolean {
  if (ranges.length < 8) {
    for (const [low, high] of ranges) if (code >= low && code <= high) return true;
    return false;
  }
  let from = 0;
  let to = ranges.length - 1;
  while (from <= to) {
    const middle = (from + to) >> 1;
    const [low = 0, high = 0] = ranges[middle] ?? [];
    if (code < low) to = middle - 1;
    else if (code > high) from = middle + 1;
    else return true;
  }
  return false;
}

function isWordAt(text: string, at: number): boolean {
  return /\w/.test(text[at] ?? "");
}

function holds(what: Assertion, text: string, at: number): boolean {
  switch (what) {
    case "textStart":
      return at === 0;
    case "textEnd":
      return at === text.length;
    case "lineStart":
      return at === 0 || text[at - 1] === "\n";
    case "lineEnd":
      return at === text.length || text[at] === "\n";
    case "word":
      return isWordAt(text, at - 1) !== isWordAt(text, at);
    case "notWord":
      return isWordAt(text, at - 1) === isWordAt(text, at);
    default:
      return what satisfies never;
  }
}
