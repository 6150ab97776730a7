import type { PlannedStep, PlanResult } from "../../engine/protocol.ts";
import { age, duration } from "../age.ts";
import { byteSize } from "../byteSize.ts";

/** Translates a sentence with `{0}` places; `vscode.l10n.t` in the editor. */
export type Translate = (sentence: string, ...values: readonly (string | number)[]) => string;

/** The muted text after an instruction: what the next build does with it, and why. Empty for one that costs nothing. */
export function endOfLineText(step: PlannedStep, nowMs: number, t: Translate): string {
  switch (step.status) {
    case "cached": {
      const parts = [t("cached")];
      if (step.layer) parts.push(byteSize(step.layer.size));
      if (step.builtAt !== undefined) parts.push(age(step.builtAt, nowMs));
      return parts.join(" · ");
    }
    case "build":
      return step.reason === "" ? t("will be built") : t("will be built: {0}", step.reason);
    case "unknown":
      return step.reason === "" ? t("not known yet") : t("not known yet: {0}", step.reason);
    case "metadata":
      return "";
    default:
      return step.status satisfies never;
  }
}

/** The same with everything that is known, one fact a line, as Markdown. */
export function details(step: PlannedStep, nowMs: number, t: Translate): string {
  const lines = [`**${headline(step, t)}**`];
  if (step.reason !== "") lines.push(escapeMarkdown(step.reason));
  if (step.layer) lines.push(t("Layer {0}, {1}", `\`${step.layer.diffId.slice(0, 19)}\``, byteSize(step.layer.size)));
  if (step.builtAt !== undefined) lines.push(t("Built {0}", age(step.builtAt, nowMs)));
  if (step.lastDurationMs !== undefined) lines.push(t("Took {0} the last time", duration(step.lastDurationMs)));
  return lines.join("  \n");
}

/** One line for places without room: status bar, language status, quick pick. */
export function summary(plan: PlanResult, t: Translate): string {
  const all = plan.cachedSteps + plan.buildSteps + plan.steps.filter((step) => step.status === "unknown").length;
  if (all === 0) return t("nothing to build");
  return t("{0} of {1} cached", plan.cachedSteps, all);
}

/** What will happen to an instruction, in a few words. */
export function headline(step: PlannedStep, t: Translate): string {
  switch (step.status) {
    case "cached":
      return t("{0} comes from the cache", step.instruction);
    case "build":
      return t("{0} will be built", step.instruction);
    case "unknown":
      return t("{0}: not known until an earlier instruction is built", step.instruction);
    case "metadata":
      return t("{0} only changes the image's configuration", step.instruction);
    default:
      return step.status satisfies never;
  }
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~]/g, "\\$&");
}
