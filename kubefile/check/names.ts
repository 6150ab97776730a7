import { inBatches } from "../batches.ts";
import type { Instruction, Pair, VariableUse } from "../syntax.ts";
import { isPredefined } from "../variables.ts";
import { type DocumentView, type Entry, place } from "./document.ts";
import { add, type Finding, finding, replace, suggestion } from "./finding.ts";
import { guesser } from "./similar.ts";

interface Names {
  readonly set: Set<string>;
  readonly guess: (name: string) => string | undefined;
  /** The environment of the base is known: it starts from scratch, here or through other stages. */
  known: boolean;
}

const defaults: ReadonlySet<string> = new Set([":-", "-", ":+", "+"]);

/** Rules about variables that the builder expands. */
export function checkNames(view: DocumentView): Finding[] {
  const found: Finding[] = [];
  const globals: Globals = new Map();
  const guessGlobal = guesser(() => globals.keys());
  const stages = new Map<string, Names>();
  let open: Names | undefined;
  const visit = (entry: Entry): void => {
    const { node } = entry;
    if (node.kind === "FROM") {
      if (node.variables.length > 0) add(found, checkFromNames(entry, node, globals, guessGlobal));
      open = openStage(node, stages);
      return;
    }
    if (node.variables.length > 0 && open !== undefined) add(found, checkUses(entry, open));
    if (node.kind === "ARG" || node.kind === "ENV") declare(entry, node.pairs, open, globals);
  };
  const { entries } = view;
  inBatches(entries.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const entry = entries[index];
      if (entry !== undefined) visit(entry);
    }
  });
  return found;
}

/** Arguments above the first FROM; with the entry of those that have no value. */
type Globals = Map<string, Entry | undefined>;

function openStage(node: Extract<Instruction, { kind: "FROM" }>, stages: Map<string, Names>): Names {
  const base = node.image?.value.toLowerCase() ?? "";
  const parent = stages.get(base);
  const set = new Set(parent?.set);
  const names: Names = { set, guess: guesser(() => set), known: base === "scratch" || parent?.known === true };
  if (node.stageName !== undefined) stages.set(node.stageName.value.toLowerCase(), names);
  return names;
}

function declare(entry: Entry, pairs: readonly Pair[], open: Names | undefined, globals: Globals): void {
  for (const { name, value } of pairs) {
    if (open !== undefined) open.set.add(name.value);
    else globals.set(name.value, value === undefined || value.value === "" ? entry : undefined);
  }
}

const nothing: readonly Finding[] = [];

function checkUses(entry: Entry, names: Names): readonly Finding[] {
  const { node } = entry;
  const unset = node.variables.filter(
    (use) => !(use.shell || !use.complete || names.set.has(use.name) || isPredefined(use.name) || hasDefault(use)),
  );
  if (unset.length === 0) return nothing;
  const own = ownNames(node);
  return unset.flatMap((use) => {
    if (own.has(use.name) && node.kind === "ENV" && node.pairs.length > 1) return [];
    const meant = names.guess(use.name);
    // The base image may set it; only a name that looks like a slip is worth a word then.
    if (!names.known && meant === undefined) return [];
    const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
    const fixes =
      meant === undefined ? [] : [suggestion(`Change to ${meant}`, replace(place(entry, use.nameSpan), meant))];
    return [
      finding("KF057", place(entry, use.span), `Nothing above sets ${use.name}, so it is empty.${hint}`, { fixes }),
    ];
  });
}

function ownNames(node: Instruction): ReadonlySet<string> {
  return new Set(node.kind === "ENV" ? node.pairs.map((pair) => pair.name.value) : []);
}

function hasDefault(use: VariableUse): boolean {
  return use.modifier !== undefined && defaults.has(use.modifier.operator);
}

function checkFromNames(
  entry: Entry,
  node: Extract<Instruction, { kind: "FROM" }>,
  globals: Globals,
  guess: (name: string) => string | undefined,
): Finding[] {
  return node.variables.flatMap((use) => {
    if (hasDefault(use) || !use.complete) return [];
    if (globals.has(use.name)) return emptyInFrom(entry, node, use, globals.get(use.name));
    return isPredefined(use.name) ? [] : [undeclaredInFrom(entry, use, guess(use.name))];
  });
}

function undeclaredInFrom(entry: Entry, use: VariableUse, meant: string | undefined): Finding {
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
  const fixes =
    meant === undefined ? [] : [suggestion(`Change to ${meant}`, replace(place(entry, use.nameSpan), meant))];
  const message = `No ARG above the first FROM declares ${use.name}.${hint}`;
  return finding("KF058", place(entry, use.span), message, { fixes });
}

function emptyInFrom(
  entry: Entry,
  node: Extract<Instruction, { kind: "FROM" }>,
  use: VariableUse,
  empty: Entry | undefined,
): Finding[] {
  if (empty === undefined || node.image === undefined || !inside(node.image.span, use)) return [];
  const left = node.image.text.replace(/\$(?:\w+|\{[^}]*\})/g, "");
  if (left !== "" && !/^[:@/]|[:@/]$|\/\/|:@/.test(left)) return [];
  const related = [{ span: place(empty, empty.node.span), message: "declared here without a value" }];
  const message = `Without --build-arg ${use.name}=... this is no image name: give ${use.name} a default.`;
  return [finding("KF059", place(entry, use.span), message, { related })];
}

function inside(span: { readonly start: number; readonly end: number }, use: VariableUse): boolean {
  return span.start <= use.span.start && use.span.end <= span.end;
}
