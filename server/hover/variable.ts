import { itemIndexAt } from "../../kubefile/parse.ts";
import type { Instruction, Kubefile, VariableUse } from "../../kubefile/syntax.ts";
import { type Binding, isPredefined, type Scope, ScopeWalk, scopeAt } from "../../kubefile/variables.ts";
import { namesOf } from "../names.ts";
import { touches } from "../ranges.ts";
import type { HoverText } from "./hoverText.ts";

/** The fully expanded value of the variable under the cursor: where it is used, and where it is set. */
export function variableHover(kubefile: Kubefile, instruction: Instruction, offset: number): HoverText | undefined {
  const use = innermostUse(instruction, offset);
  if (use !== undefined) return useHover(kubefile, use);
  const found = namesOf(kubefile).at(offset);
  if (found?.named.kind !== "variable" || found.occurrence.role !== "definition") return undefined;
  const { span } = found.occurrence;
  return { span, markdown: bindingText(found.named.name, scopeBehind(kubefile, offset).get(found.named.name)) };
}

function innermostUse(instruction: Instruction, offset: number): VariableUse | undefined {
  return instruction.variables.findLast((use) => touches(use.span, offset));
}

function useHover(kubefile: Kubefile, use: VariableUse): HoverText | undefined {
  const binding = scopeAt(kubefile, use.span.start).get(use.name);
  // What a shell expands and no instruction sets is the script's own variable.
  if (binding === undefined && use.shell && !isPredefined(use.name)) return undefined;
  return { span: use.span, markdown: bindingText(use.name, binding) };
}

/** The scope right behind the instruction at `offset`. */
export function scopeBehind(kubefile: Kubefile, offset: number): Scope {
  const index = itemIndexAt(kubefile, offset);
  const item = kubefile.items[index];
  const next = (kubefile.starts[index] ?? 0) + (item?.length ?? 0);
  if (index + 1 < kubefile.items.length) return scopeAt(kubefile, next);
  // Nothing follows: what a line behind the end of the file would read.
  const walk = new ScopeWalk(kubefile.escape);
  for (const instruction of kubefile.instructions) walk.pass(instruction);
  return walk.scope();
}

function bindingText(name: string, binding: Binding | undefined): string {
  if (binding === undefined)
    return isPredefined(name) ? `\`${name}\`: set by the builder` : `\`${name}\` is not set here; it counts as empty.`;
  const value = binding.value === undefined ? "no default: given with `--build-arg`" : code(binding.value);
  return `**${name}** = ${value}\n\nSet by ${binding.origin}.`;
}

/** Inline code that may hold backticks. */
function code(text: string): string {
  if (text === "") return "(empty)";
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}
