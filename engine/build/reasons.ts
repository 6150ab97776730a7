import { textOfBytes } from "../byteString.ts";
import type { KeyedMembers } from "../cache/keys.ts";
import { compareMembers, type LayerIndex, type MemberChanges } from "../cache/layerIndex.ts";
import type { StepTrace } from "../cache/stepMemory.ts";
import type { Digest } from "../oci/digest.ts";
import type { UsedVariable } from "../plan/steps.ts";

/** What is known of a step that the cache does not have. */
export interface MissFacts {
  /** How the instruction was when it was last built from this Kubefile; undefined when it never was. */
  readonly before: StepTrace | undefined;
  readonly definition: Digest;
  readonly variables: readonly UsedVariable[];
  readonly below: string;
  /** The newest layer of the same definition, and what the step would read now; for steps that copy. */
  readonly index: LayerIndex | undefined;
  readonly members: KeyedMembers | undefined;
  /** The path in the build context behind a path in the image. */
  readonly sourceOf: (path: string) => string | undefined;
  /** The result is remembered, but its layer is gone. */
  readonly layerGone: boolean;
}

/** Why a step has to be built, in words. */
export function whyBuild(facts: MissFacts): string {
  const { before } = facts;
  if (facts.layerGone) return "its layer was pruned";
  const variable = before === undefined ? undefined : changedVariable(before.variables, facts.variables);
  if (variable !== undefined) return variable;
  if (before !== undefined && before.below !== facts.below) return "what is below it changed";
  if (facts.index !== undefined && facts.members !== undefined) {
    const words = describeChanges(compareMembers(facts.index, facts.members), facts.sourceOf);
    if (words !== undefined) return words;
  }
  if (before === undefined) return "not built before";
  return before.definition === facts.definition ? "its content changed" : "the image below it changed";
}

/** Variables of an instruction as a trace keeps them. */
export function variableRecord(variables: readonly UsedVariable[]): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map(({ name, origin, value }) => [`${origin} ${name}`, value]));
}

function changedVariable(before: Readonly<Record<string, string>>, now: readonly UsedVariable[]): string | undefined {
  const current = variableRecord(now);
  for (const [name, value] of Object.entries(current)) {
    const old = before[name];
    if (old === undefined) return `${name} is now set`;
    if (old !== value) return `${name} was ${shorten(old)}, is ${shorten(value)}`;
  }
  const gone = Object.keys(before).find((name) => !Object.hasOwn(current, name));
  return gone === undefined ? undefined : `${gone} is not set any more`;
}

function shorten(value: string): string {
  if (value === "") return "empty";
  return value.length > 40 ? `${value.slice(0, 39)}…` : value;
}

function describeChanges(changes: MemberChanges, sourceOf: (path: string) => string | undefined): string | undefined {
  const kinds = [
    { paths: changes.changed, verb: "changed" },
    { paths: changes.added, verb: "was added" },
    { paths: changes.removed, verb: "was removed" },
    { paths: changes.altered, verb: "has another mode, owner, target or attribute" },
  ].filter(({ paths }) => paths.length > 0);
  const [first] = kinds;
  const path = first?.paths[0];
  if (first === undefined || path === undefined) return undefined;
  const others = kinds.reduce((sum, { paths }) => sum + paths.length, 0) - 1;
  const shown = sourceOf(path) ?? textOfBytes(path);
  const more = others === 0 ? "" : ` and ${others} more ${others === 1 ? "change" : "changes"}`;
  return `file ${shown} ${first.verb}${more}`;
}
