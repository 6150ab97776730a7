import { instructionOf, itemIndexAt } from "../kubefile/parse.ts";
import type { Span } from "../kubefile/span.ts";
import type { Flag, From, Heredoc, Instruction, Kubefile, Pair, Word } from "../kubefile/syntax.ts";
import { type Placed, placedInstructions, shifted } from "./locate.ts";
import { touches } from "./ranges.ts";

/** A thing that a Kubefile gives a name to. */
export type NameKind = "stage" | "app" | "variable" | "heredoc";

/** One place where a name is written. `span` covers the bare name: no quotes, no `$`. */
export interface Occurrence {
  readonly role: "definition" | "use";
  readonly span: Span;
  /** Index of the item it stands in. */
  readonly item: number;
}

/** A named thing and every place that means it, in order. A name nobody defines has only uses. */
export interface Named {
  readonly kind: NameKind;
  readonly name: string;
  /** Index of the stage it belongs to; -1 before the first FROM, and for apps. */
  readonly stage: number;
  readonly occurrences: readonly Occurrence[];
}

/** Every named thing of a file. */
export interface Names {
  readonly all: readonly Named[];
  /** What the cursor at `offset` stands on. */
  at(offset: number): { readonly named: Named; readonly occurrence: Occurrence } | undefined;
}

/** One mention of a name, not yet linked; spans count as in the item's node. */
interface Mention {
  readonly kind: NameKind;
  readonly name: string;
  readonly role: "definition" | "use";
  readonly span: Span;
  /** Where the cursor means it: for a variable, from its `$` on. */
  readonly reach: Span;
  /** `ARG NAME` without a value: it takes over the one from before the first FROM. */
  readonly takesOver: boolean;
}

const mentionsByNode = new WeakMap<Instruction, readonly Mention[]>();
const namesByTree = new WeakMap<Kubefile, Names>();

/** The named things of a file; made once for each tree. */
export function namesOf(kubefile: Kubefile): Names {
  const known = namesByTree.get(kubefile);
  if (known !== undefined) return known;
  const names = link(kubefile);
  namesByTree.set(kubefile, names);
  return names;
}

/** The definitions among the occurrences. */
export function definitionsOf(named: Named): readonly Occurrence[] {
  return named.occurrences.filter((occurrence) => occurrence.role === "definition");
}

/** The instruction an occurrence stands in. */
export function instructionOfOccurrence(kubefile: Kubefile, occurrence: Occurrence): Instruction | undefined {
  return instructionOf(kubefile, occurrence.item);
}

// ---- linking ----

interface Draft {
  readonly kind: NameKind;
  readonly name: string;
  readonly stage: number;
  readonly occurrences: Occurrence[];
}

interface Entry {
  readonly named: Draft;
  readonly occurrence: Occurrence;
  readonly reach: Span;
}

/** What the names mean while the file is read from top to bottom. */
class Linker {
  readonly drafts: Draft[] = [];
  /** Every occurrence, in the order of items. */
  readonly entries: Entry[] = [];
  #stage = -1;
  readonly #apps = new Map<string, Draft>();
  readonly #stages = new Map<string, Draft>();
  readonly #stageByIndex: (Draft | undefined)[] = [];
  /** Variables before the first FROM. */
  readonly #globals = new Map<string, Draft>();
  /** Variables at the end of each stage, for the stages that start from it. */
  readonly #variablesOfStage: Map<string, Draft>[] = [];
  #variables: Map<string, Draft> = this.#globals;
  #unbound = new Map<string, Draft>();

  enterStage(from: From): void {
    const parent = from.image === undefined ? undefined : this.#stages.get(from.image.value.toLowerCase());
    this.#stage++;
    this.#variables = new Map(parent === undefined ? [] : this.#variablesOfStage[parent.stage]);
    this.#variablesOfStage[this.#stage] = this.#variables;
    this.#unbound = new Map();
  }

  mention(mention: Mention, { node, shift, index: item }: Placed): void {
    const named = this.#draftFor(mention, node);
    if (named === undefined) return;
    const occurrence: Occurrence = { role: mention.role, span: shifted(mention.span, shift), item };
    named.occurrences.push(occurrence);
    this.entries.push({ named, occurrence, reach: shifted(mention.reach, shift) });
  }

  #draftFor(mention: Mention, node: Instruction): Draft | undefined {
    switch (mention.kind) {
      case "app":
        return obtain(this.#apps, mention.name, () => this.#draft("app", mention.name, -1));
      case "stage":
        return this.#stageFor(mention);
      case "variable":
        return mention.role === "definition" ? this.#define(mention) : this.#use(mention, node);
      case "heredoc":
        return this.#heredocFor(mention);
      default:
        return mention.kind satisfies never;
    }
  }

  #stageFor(mention: Mention): Draft | undefined {
    const key = mention.name.toLowerCase();
    if (mention.role === "use") return this.#stages.get(key) ?? this.#stageByIndex[stageNumber(key)];
    const draft = this.#draft("stage", mention.name, this.#stage);
    this.#stages.set(key, draft);
    this.#stageByIndex[this.#stage] = draft;
    return draft;
  }

  #define(mention: Mention): Draft {
    const { name } = mention;
    const global = this.#globals.get(name);
    const bound = this.#variables.get(name);
    if (bound !== undefined && (bound.stage === this.#stage || bound === global)) return bound;
    const draft = mention.takesOver && global !== undefined ? global : this.#draft("variable", name, this.#stage);
    this.#variables.set(name, draft);
    return draft;
  }

  #use(mention: Mention, node: Instruction): Draft {
    const { name } = mention;
    const scope = node.kind === "FROM" ? this.#globals : this.#variables;
    return scope.get(name) ?? obtain(this.#unbound, name, () => this.#draft("variable", name, this.#stage));
  }

  /** The marker that opens comes right before the one that ends it. */
  #heredocFor(mention: Mention): Draft {
    const last = this.drafts.findLast((draft) => draft.kind === "heredoc" && draft.name === mention.name);
    if (mention.role === "use" && last !== undefined) return last;
    return this.#draft("heredoc", mention.name, this.#stage);
  }

  #draft(kind: NameKind, name: string, stage: number): Draft {
    const draft: Draft = { kind, name, stage, occurrences: [] };
    this.drafts.push(draft);
    return draft;
  }
}

function obtain<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function stageNumber(key: string): number {
  return /^\d{1,6}$/u.test(key) ? Number(key) : -1;
}

function link(kubefile: Kubefile): Names {
  const linker = new Linker();
  for (const placed of placedInstructions(kubefile)) linkInstruction(linker, placed);
  for (const draft of linker.drafts) draft.occurrences.sort((a, b) => a.span.start - b.span.start);
  const { entries } = linker;
  return {
    all: linker.drafts,
    at(offset) {
      const item = itemIndexAt(kubefile, offset);
      for (let at = firstOf(entries, item); entries[at]?.occurrence.item === item; at++) {
        const entry = entries[at];
        if (entry !== undefined && touches(entry.reach, offset)) return entry;
      }
      return undefined;
    },
  };
}

function linkInstruction(linker: Linker, placed: Placed): void {
  const { node } = placed;
  const mentions = mentionsOf(node);
  const add = (mention: Mention): void => linker.mention(mention, placed);
  // Values are expanded before the instruction defines anything, and come first in the list.
  for (const mention of mentions) if (node.kind !== "FROM" || mention.role === "use") add(mention);
  if (node.kind !== "FROM") return;
  // The names FROM uses belong to what stands above it; the one it gives is the new stage's.
  linker.enterStage(node);
  for (const mention of mentions) if (mention.role === "definition") add(mention);
}

/** The index of the first entry that stands in `item` or behind it. */
function firstOf(entries: readonly Entry[], item: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.occurrence.item ?? 0) < item) low = middle + 1;
    else high = middle;
  }
  return low;
}

// ---- mentions of one instruction ----

function mentionsOf(node: Instruction): readonly Mention[] {
  const known = mentionsByNode.get(node);
  if (known !== undefined) return known;
  const mentions = [...usesOf(node), ...definedIn(node), ...node.heredocs.flatMap(heredocMentions)];
  mentionsByNode.set(node, mentions);
  return mentions;
}

function usesOf(node: Instruction): Mention[] {
  const mentions: Mention[] = node.variables.map((use) => ({
    ...mention("variable", use.name, "use", use.nameSpan),
    reach: { start: use.span.start, end: use.nameSpan.end },
  }));
  for (const flag of node.flags) mentions.push(...stageUsesInFlag(node, flag));
  switch (node.kind) {
    case "FROM":
      if (node.image !== undefined) mentions.push(wordMention("stage", node.image, "use"));
      break;
    case "APPENV":
    case "APPCMDS":
      if (node.app !== undefined) mentions.push(wordMention("app", node.app, "use"));
      break;
    case "LAUNCH":
      mentions.push(...node.apps.map((app) => wordMention("app", app, "use")));
      break;
    case "ONBUILD":
      if (node.trigger !== undefined) mentions.push(...usesOfTrigger(node.trigger));
      break;
    default:
  }
  return mentions;
}

/** ONBUILD's own variables are those of its trigger; only the names beside variables are left. */
function usesOfTrigger(trigger: Instruction): Mention[] {
  return usesOf({ ...trigger, variables: [] });
}

function definedIn(node: Instruction): Mention[] {
  switch (node.kind) {
    case "FROM":
      return node.stageName === undefined ? [] : [wordMention("stage", node.stageName, "definition")];
    case "APP":
    case "CNI":
    case "CSI":
      return node.app === undefined ? [] : [wordMention("app", node.app, "definition")];
    case "ARG":
      return node.pairs.map((pair) => pairMention(pair, pair.value === undefined));
    case "ENV":
      return node.pairs.map((pair) => pairMention(pair, false));
    case "ONBUILD":
      return node.trigger === undefined ? [] : definedIn(node.trigger);
    default:
      return [];
  }
}

function pairMention(pair: Pair, takesOver: boolean): Mention {
  return { ...wordMention("variable", pair.name, "definition"), takesOver };
}

/** `--from=NAME` of COPY and ADD, `from=NAME` inside `--mount` of RUN. */
function stageUsesInFlag(node: Instruction, flag: Flag): Mention[] {
  const { value } = flag;
  if (value === undefined) return [];
  const name = flag.name.value;
  if (name === "from" && (node.kind === "COPY" || node.kind === "ADD")) return [wordMention("stage", value, "use")];
  if (name !== "mount" || node.kind !== "RUN") return [];
  const match = /(?:^|,)from=([^,\s]+)/u.exec(value.text);
  const stage = match?.[1];
  if (match === null || stage === undefined || value.span.end - value.span.start !== value.text.length) return [];
  const start = value.span.start + match.index + match[0].length - stage.length;
  return [mention("stage", stage, "use", { start, end: start + stage.length })];
}

function heredocMentions(heredoc: Heredoc): Mention[] {
  const opens = wordMention("heredoc", heredoc.marker, "definition");
  return heredoc.end === undefined ? [opens] : [opens, mention("heredoc", opens.name, "use", heredoc.end)];
}

function wordMention(kind: NameKind, word: Word, role: Mention["role"]): Mention {
  return mention(kind, word.value, role, bareSpan(word));
}

function mention(kind: NameKind, name: string, role: Mention["role"], span: Span): Mention {
  return { kind, name, role, span, reach: span, takesOver: false };
}

/** The span of a word without the quotes around it. */
export function bareSpan(word: Word): Span {
  const first = word.text[0];
  const quoted = (first === '"' || first === "'") && word.text.length >= 2 && word.text.endsWith(first);
  return quoted ? { start: word.span.start + 1, end: word.span.end - 1 } : word.span;
}
