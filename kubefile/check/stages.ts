import type { Flag, From, Word } from "../syntax.ts";
import { type DocumentView, type Entry, ofKind, place } from "./document.ts";
import { type Finding, finding, isVariable, moveFinding, replace, suggestion } from "./finding.ts";
import { guesser } from "./similar.ts";
import { checkImage } from "./values.ts";

type Guess = (word: string) => string | undefined;

interface StageNode {
  readonly entry: Entry<From>;
  readonly name: string | undefined;
  /** Stages this one starts from or copies from. */
  readonly needs: Set<number>;
}

/** Rules about FROM, stages and what they need of each other. */
export function checkStages(view: DocumentView): Finding[] {
  const froms = ofKind(view, "FROM");
  const first = froms[0];
  if (first === undefined) return noFrom(view);
  const found: Finding[] = [];
  for (let order = 0; order < first.order; order++) {
    const entry = view.entries[order];
    if (entry === undefined || entry.node.kind === "ARG" || entry.node.kind === "UNKNOWN") continue;
    if (!view.wants("KF020", { verdict: "docker" })) continue;
    const span = place(entry, entry.node.keyword.span);
    found.push(
      finding("KF020", span, `${entry.node.kind} stands above the first FROM; only ARG may.`, { verdict: "docker" }),
    );
  }
  return [...found, ...checkGraph(view, froms)];
}

function noFrom(view: DocumentView): Finding[] {
  const known = view.entries.filter(({ node }) => node.kind !== "UNKNOWN");
  const entry = known[0];
  if (entry === undefined) return [];
  const span = place(entry, entry.node.keyword.span);
  const at = { start: span.start, end: span.start };
  const fixes = entry.node.kind === "ARG" ? [] : [suggestion("Add FROM scratch", replace(at, "FROM scratch\n"))];
  return [
    finding("KF021", span, "There is no FROM: name the image to start from, or scratch.", { verdict: "docker", fixes }),
  ];
}

function checkGraph(view: DocumentView, froms: readonly Entry<From>[]): Finding[] {
  const found: Finding[] = [];
  const byName = new Map<string, number>();
  const stages: StageNode[] = [];
  for (const [index, entry] of froms.entries()) {
    const needs = new Set<number>();
    const { image, stageName } = entry.node;
    if (image !== undefined) {
      const base = byName.get(image.value.toLowerCase());
      if (base === undefined) found.push(...checkImage(view, image).map((one) => moveFinding(one, entry.delta)));
      else needs.add(base);
    }
    const name = stageName?.value.toLowerCase();
    if (name !== undefined && stageName !== undefined) {
      const earlier = byName.get(name);
      if (earlier !== undefined && view.wants("KF050")) found.push(duplicate(entry, stageName, stages[earlier]));
      byName.set(name, index);
    }
    stages.push({ entry, name, needs });
  }
  const hint = guesser(() => byName.keys());
  for (const kind of ["COPY", "ADD", "RUN"] as const) {
    for (const entry of ofKind(view, kind)) found.push(...checkSources(entry, stages, byName, hint));
  }
  return [...found, ...checkCycles(stages), ...checkReach(view, stages)];
}

function duplicate(entry: Entry, name: Word, earlier: StageNode | undefined): Finding {
  const other = earlier?.entry.node.stageName;
  const related =
    earlier === undefined || other === undefined
      ? []
      : [{ span: place(earlier.entry, other.span), message: "named here first" }];
  return finding(
    "KF050",
    place(entry, name.span),
    `Another stage is called ${name.value}: this one takes the name from here on.`,
    { related },
  );
}

/** `--from=` of COPY and ADD, `from=` in `--mount` of RUN. */
function checkSources(
  entry: Entry,
  stages: readonly StageNode[],
  byName: ReadonlyMap<string, number>,
  hint: Guess,
): Finding[] {
  return entry.node.flags.flatMap((flag) => {
    const source = sourceStage(flag);
    if (source === undefined || isVariable(source) || flag.value === undefined) return [];
    const span = place(entry, flag.value.span);
    const index = /^\d+$/.test(source) ? Number(source) : byName.get(source.toLowerCase());
    const own = stages[entry.stage];
    if (index === undefined) return guess(source, hint, span);
    if (index >= stages.length) {
      return [
        finding("KF054", span, `There is no stage ${source}: this file has ${stages.length}.`, { verdict: "docker" }),
      ];
    }
    if (index === entry.stage) {
      return [finding("KF055", span, "A stage cannot copy from itself.", { verdict: "docker" })];
    }
    own?.needs.add(index);
    return otherCase(source, stages[index]?.entry.node.stageName?.value, span);
  });
}

/** buildah tells upper from lower case in the names of stages; BuildKit does not. */
function otherCase(source: string, name: string | undefined, span: Finding["span"]): Finding[] {
  if (name === undefined || name === source || /^\d+$/.test(source)) return [];
  const fixes = [suggestion(`Change to ${name}`, replace(span, name))];
  return [
    finding("KF054", span, `For buildah ${source} is not the stage ${name}: write it the same.`, {
      severity: "warning",
      fixes,
    }),
  ];
}

function sourceStage(flag: Flag): string | undefined {
  if (flag.name.value === "from") return flag.value?.value;
  if (flag.name.value !== "mount") return undefined;
  return /(?:^|,)from=([^,]+)/.exec(flag.value?.value ?? "")?.[1];
}

function guess(source: string, hint: Guess, span: { start: number; end: number }): Finding[] {
  if (/[/:@]/.test(source)) return [];
  const meant = hint(source);
  if (meant === undefined) return [];
  const fixes = [suggestion(`Change to ${meant}`, replace(span, meant))];
  return [
    finding("KF054", span, `No stage is called ${source}, so it is taken for an image. Did you mean ${meant}?`, {
      severity: "warning",
      fixes,
    }),
  ];
}

/** Stages that need each other: those left when stages are taken away that need none of the rest, or that none needs. */
function checkCycles(stages: readonly StageNode[]): Finding[] {
  // Edges to later stages are the only way into a circle.
  if (!stages.some((stage, index) => [...stage.needs].some((need) => need > index))) return [];
  const needs = stages.map((stage) => stage.needs);
  const needed = stages.map(() => new Set<number>());
  for (const [index, list] of needs.entries()) for (const need of list) needed[need]?.add(index);
  const left = new Set(stages.keys());
  for (const edges of [needs, needed]) {
    for (let changed = true; changed; ) {
      changed = false;
      for (const index of left) {
        if ([...(edges[index] ?? [])].some((other) => left.has(other))) continue;
        left.delete(index);
        changed = true;
      }
    }
  }
  return [...left].map((index) => {
    const stage = stages[index] as StageNode;
    const { node } = stage.entry;
    const name = stage.name ?? String(index);
    return finding(
      "KF055",
      place(stage.entry, (node.stageName ?? node.keyword).span),
      `Stage ${name} needs itself through other stages.`,
      { verdict: "docker" },
    );
  });
}

function checkReach(view: DocumentView, stages: readonly StageNode[]): Finding[] {
  if (stages.length < 2) return [];
  const reached = new Set([stages.length - 1]);
  const open = [stages.length - 1];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    for (const need of stages[index]?.needs ?? []) {
      if (reached.has(need)) continue;
      reached.add(need);
      open.push(need);
    }
  }
  return stages.flatMap((stage, index) => {
    if (reached.has(index) || !view.wants("KF056", { only: "sealos" })) return [];
    const { node } = stage.entry;
    const name = stage.name ?? String(index);
    return [
      finding("KF056", place(stage.entry, node.span), `The last stage does not use stage ${name}: it is not built.`, {
        tags: ["unnecessary"],
        only: "sealos",
      }),
    ];
  });
}
