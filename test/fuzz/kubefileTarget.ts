import assert from "node:assert/strict";
import { check } from "../../kubefile/check/check.ts";
import { fixAll } from "../../kubefile/fix.ts";
import { formatText } from "../../kubefile/format.ts";
import { matchIgnore, parseIgnore } from "../../kubefile/ignore.ts";
import { parse, reparse } from "../../kubefile/parse.ts";
import { tokens } from "../../kubefile/tokens.ts";
import { scopeAt } from "../../kubefile/variables.ts";

/** What must hold for any text; throws when it does not. `at` chooses where an edit happens. */
export function kubefileTarget(text: string, at: number): void {
  const kubefile = parse(text);
  const pieces = tokens(kubefile).map(({ span }) => text.slice(span.start, span.end));
  assert.equal(pieces.join(""), text, "tokens cover the text");
  for (const dialect of ["auto", "sealer", "sealos"] as const) check(kubefile, { dialect });
  const start = text.length === 0 ? 0 : at % (text.length + 1);
  for (const inserted of ["", "\n", "\\", "#", "<<A\n", '"', "x"]) {
    const edited = reparse(kubefile, { span: { start, end: Math.min(text.length, start + (at % 3)) }, text: inserted });
    const fresh = parse(edited.text);
    assert.deepEqual(edited.instructions, fresh.instructions, "an edit reads like the whole");
    assert.deepEqual(check(edited), check(fresh), "problems after an edit are those of the whole");
  }
  const formatted = formatText(text);
  assert.equal(formatText(formatted), formatted, "formatting is done once");
  assert.deepEqual(
    parse(formatted).instructions.map((node) => node.kind),
    kubefile.instructions.map((node) => node.kind),
    "formatting keeps the instructions",
  );
  fixAll(text);
  scopeAt(kubefile, start);
  matchIgnore(parseIgnore(text, "x"), text.slice(0, 20));
}

/** Pseudo-random numbers that a seed repeats. @see Mulberry32 */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const pieces = [
  "\n",
  "\r\n",
  "\\\n",
  "`\n",
  " ",
  "\t",
  '"',
  "'",
  "$",
  "${",
  "}",
  "<<",
  "<<-",
  "EOF",
  "#",
  "[",
  "]",
  "=",
  "--",
  ":-",
  "\0",
  "\ufeff",
  "\u2028",
  "ONBUILD ",
  "RUN ",
  "COPY ",
  "ENV ",
  "FROM ",
  "APP ",
  "LAUNCH ",
];

/** A text made of others: cut, joined, repeated, with pieces put in. */
export function mutate(seeds: readonly string[], next: (below: number) => number): string {
  let text = seeds[next(seeds.length)] ?? "";
  for (let step = next(6); step >= 0; step--) {
    const at = next(text.length + 1);
    const end = Math.min(text.length, at + next(20));
    const other = seeds[next(seeds.length)] ?? "";
    const from = next(other.length + 1);
    const choice = next(5);
    if (choice === 0) text = text.slice(0, at) + text.slice(end);
    else if (choice === 1) text = text.slice(0, at) + other.slice(from, from + next(60)) + text.slice(at);
    else if (choice === 2) text = text.slice(0, at) + text.slice(at, end).repeat(2 + next(3)) + text.slice(end);
    else text = text.slice(0, at) + (pieces[next(pieces.length)] ?? "") + text.slice(at);
  }
  return text.slice(0, 3000);
}
