import type { Instruction, VariableUse } from "../syntax.ts";
import { isPredefined } from "../variables.ts";
import { type DocumentView, type Entry, place } from "./document.ts";
import { type Finding, finding, replace, suggestion } from "./finding.ts";
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
  const globals = new Map<string, Entry | undefined>();
  const guessGlobal = guesser(() => globals.keys());
  const stages = new Map<string, Names>();
  let open: Names | undefined;
  for (const entry of view.entries) {
    const { node } = entry;
    if (node.kind === "FROM") {
      found.push(...checkFromNames(entry, node, globals, guessGlobal));
      const base = node.image?.value.toLowerCase() ?? "";
      const parent = stages.get(base);
      const set = new Set(parent?.set);
      open = { set, guess: guesser(() => set), known: base === "scratch" || parent?.known === true };
      if (node.stageName !== undefined) stages.set(node.stageName.value.toLowerCase(), open);
      continue;
    }
    if (node.variables.length > 0 && open !== undefined) found.push(...checkUses(entry, open));
    if (node.kind !== "ARG" && node.kind !== "ENV") continue;
    for (const { name, value } of node.pairs) {
      if (open === undefined) globals.set(name.value, value === undefined || value.value === "" ? entry : undefined);
      else open.set.add(name.value);
    }
  }
  return found;
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
  globals: ReadonlyMap<string, Entry | undefined>,
  guess: (name: string) => string | undefined,
): Finding[] {
  return node.variables.flatMap((use) => {
    if (hasDefault(use) || !use.complete) return [];
    const span = place(entry, use.span);
    if (!globals.has(use.name)) {
      if (isPredefined(use.name)) return [];
      const meant = guess(use.name);
      const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
      const fixes =
        meant === undefined ? [] : [suggestion(`Change to ${meant}`, replace(place(entry, use.nameSpan), meant))];
      return [finding("KF058", span, `No ARG above the first FROM declares ${use.name}.${hint}`, { fixes })];
    }
    const empty = globals.get(use.name);
    if (empty === undefined || node.image === undefined || !inside(node.image.span, use)) return [];
    const left = node.image.text.replace(/\$(?:\w+|\{[^}]*\})/g, "");
    if (left !== "" && !/^[:@/]|[:@/]$|\/\/|:@/.test(left)) return [];
    const related = [{ span: place(empty, empty.node.span), message: "declared here without a value" }];
    return [
      finding("KF059", span, `Without --build-arg ${use.name}=... this is no image name: give ${use.name} a default.`, {
        related,
      }),
    ];
  });
}

function inside(span: { readonly start: number; readonly end: number }, use: VariableUse): boolean {
  return span.start <= use.span.start && use.span.end <= span.end;
}
