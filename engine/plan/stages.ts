import type { Instruction, Kubefile, Stage } from "../../kubefile/syntax.ts";
import { EngineError } from "../errors.ts";
import { expandGlobal } from "./evaluate.ts";
import { placesIn } from "./places.ts";
import { refuse } from "./reader.ts";

/** Where a stage starts from. */
export type StageBase =
  | { readonly kind: "scratch" }
  | { readonly kind: "stage"; readonly index: number }
  /** `platform` as FROM's flag says, expanded; undefined means the one that is built. */
  | { readonly kind: "image"; readonly reference: string; readonly platform: string | undefined };

/** A stage that must be built, with what it starts from. */
export interface NeededStage {
  readonly index: number;
  /** Its name, or its number as text. */
  readonly name: string;
  readonly stage: Stage;
  readonly base: StageBase;
}

/** The stages a build needs, in the order of the file, the wanted one last. */
export interface StageGraph {
  readonly needed: readonly NeededStage[];
  readonly target: number;
  /** Index of a stage above `below`, by name or number. */
  named(name: string, below: number): number | undefined;
}

/** Finds the stages `target` (or the last stage) needs. Throws `KUBEFILE_INVALID`, `TARGET_MISSING`. */
export function neededStages(
  kubefile: Kubefile,
  globals: ReadonlyMap<string, string | undefined>,
  platform: ReadonlyMap<string, string>,
  target: string | undefined,
): StageGraph {
  const { stages } = kubefile;
  const named = (name: string, below: number): number | undefined => stageNamed(stages, name, below);
  const wanted = target === undefined ? stages.length - 1 : named(target, stages.length);
  if (wanted === undefined) {
    const names = stages.map((stage) => stage.name?.value ?? String(stage.index));
    throw new EngineError("TARGET_MISSING", { target: target ?? "", stages: names });
  }
  if (stages[wanted] === undefined) throw new EngineError("KUBEFILE_EMPTY", { lines: lineCount(kubefile.text) });
  const bases = new Map<number, StageBase>();
  const pending = [wanted];
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    const stage = stages[index];
    if (stage === undefined || bases.has(index)) continue;
    const base = baseOf(kubefile, stage, globals, platform);
    bases.set(index, base);
    if (base.kind === "stage") pending.push(base.index);
    for (const used of stagesUsed(stage, named)) pending.push(used);
  }
  const needed = stages.flatMap((stage): NeededStage[] => {
    const base = bases.get(stage.index);
    return base === undefined
      ? []
      : [{ index: stage.index, name: stage.name?.value ?? String(stage.index), stage, base }];
  });
  return { needed, target: wanted, named };
}

function lineCount(text: string): number {
  return text.split("\n").length;
}

function stageNamed(stages: readonly Stage[], name: string, below: number): number | undefined {
  const wanted = name.toLowerCase();
  const byName = stages.findLast((stage) => stage.index < below && stage.name?.value.toLowerCase() === wanted);
  if (byName !== undefined) return byName.index;
  return /^\d+$/.test(name) && Number(name) < below ? Number(name) : undefined;
}

function baseOf(
  kubefile: Kubefile,
  stage: Stage,
  globals: ReadonlyMap<string, string | undefined>,
  platform: ReadonlyMap<string, string>,
): StageBase {
  const place = placesIn(kubefile.text).of(stage.from);
  const { image } = stage.from;
  if (image === undefined) return refuse(place, "FROM needs an image: FROM scratch, or the name of one");
  const reference = expandGlobal(image.text, globals, platform, kubefile.escape, place);
  if (reference === "")
    return refuse(place, `${image.text} is empty: give the argument a default above FROM, or --build-arg`);
  const index = stageNamed(kubefile.stages, reference, stage.index);
  if (index !== undefined && !/^\d+$/.test(reference)) return { kind: "stage", index };
  if (reference === "scratch") return { kind: "scratch" };
  const flag = stage.from.flags.findLast((candidate) => candidate.name.value === "platform")?.value;
  const wanted = flag === undefined ? undefined : expandGlobal(flag.text, globals, platform, kubefile.escape, place);
  return { kind: "image", reference, platform: wanted === "" ? undefined : wanted };
}

/** Stages that COPY --from, ADD --from and RUN --mount=from read. A name with a variable may be any; those are found when they are read. */
function stagesUsed(stage: Stage, named: (name: string, below: number) => number | undefined): readonly number[] {
  return stage.instructions.flatMap((instruction) =>
    namesUsed(instruction).flatMap((name) => named(name, stage.index) ?? []),
  );
}

function namesUsed(instruction: Instruction): readonly string[] {
  if (instruction.kind === "COPY" || instruction.kind === "ADD") {
    return instruction.flags.flatMap((flag) =>
      flag.name.value === "from" && flag.value !== undefined ? [flag.value.value] : [],
    );
  }
  if (instruction.kind !== "RUN") return [];
  return instruction.flags.flatMap((flag) => {
    if (flag.name.value !== "mount" || flag.value === undefined) return [];
    const from = /(?:^|,)from=([^,]*)/.exec(flag.value.value)?.[1];
    return from === undefined ? [] : [from];
  });
}
