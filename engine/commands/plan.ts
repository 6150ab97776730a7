import { inputOptions, readInputs } from "./buildOptions.ts";
import type { Command } from "./command.ts";
import { durationText, shortText, sizeText, table } from "./text.ts";

export const command: Command = {
  summary: "Tell which instructions the cache has, and why not the others",
  usage: "[OPTIONS] [PATH]",
  positionals: [0, 1],
  options: inputOptions,
  async run(context) {
    await using engine = await context.openEngine();
    const result = await engine.plan(readInputs(context, "plan"), context.signal);
    if (context.json) {
      context.print(JSON.stringify(result));
      return 0;
    }
    const rows = result.steps.map((step) => [
      `${step.line}`,
      step.status,
      step.layer === undefined ? "" : `${sizeText(step.layer.size)} ${shortText(step.layer.diffId)}`,
      step.text.length > 60 ? `${step.text.slice(0, 59)}…` : step.text,
      step.status === "metadata" ? "" : step.reason,
    ]);
    context.print(table([["LINE", "CACHE", "LAYER", "INSTRUCTION", "WHY"], ...rows]));
    context.say(
      `${result.cachedSteps} cached, ${result.buildSteps} to build; looked up in ${durationText(result.durationMs)}`,
    );
    return 0;
  },
};
