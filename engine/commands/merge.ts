import { EngineError } from "../errors.ts";
import { conflictText, mergeImages } from "../operations/mergeImages.ts";
import { type Command, flagOption, textOption } from "./command.ts";

export const command: Command = {
  summary: "Make one cluster image of several: applications, launch lists, files and container images together",
  usage: "[OPTIONS] --tag NAME IMAGE IMAGE...",
  positionals: [2, 100],
  options: {
    tag: { type: "string", short: "t", value: "NAME", help: "name of the merged image" },
    "later-wins": { type: "boolean", help: "where images disagree, take the later one's word instead of stopping" },
  },
  async run(context) {
    const name = textOption(context, "tag");
    if (name === undefined)
      throw new EngineError("USAGE", { reason: "name the new image with --tag", command: "merge" });
    await using engine = await context.openEngine();
    const laterWins = flagOption(context, "later-wins");
    const merged = await mergeImages(engine.store, context.positionals, name, laterWins, context.signal);
    for (const conflict of merged.conflicts)
      context.say(`warning: ${conflictText(conflict)}; the later one was taken.`);
    const { reference, descriptor, platforms, conflicts } = merged;
    if (context.json) context.print(JSON.stringify({ reference, digest: descriptor.digest, platforms, conflicts }));
    else context.print(`${reference}\n${descriptor.digest}\n${platforms.join(", ")}`);
    return 0;
  },
};
