import { newBuildId } from "../operations/newBuildId.ts";
import { containerImageOptions, inputOptions, readInputs } from "./buildOptions.ts";
import { type Command, flagOption } from "./command.ts";
import { quietFollower } from "./quietFollower.ts";
import { shortText, table } from "./text.ts";

export const command: Command = {
  summary: "Write kubefile.lock: every container image a cluster image needs, with its digest",
  usage: "[OPTIONS] [PATH]",
  positionals: [0, 1],
  options: {
    ...inputOptions,
    ...containerImageOptions,
    update: { type: "boolean", help: "ask what every name stands for now, also of images that are locked" },
    check: { type: "boolean", help: "write nothing; exit 1 when the lock would change" },
  },
  async run(context) {
    const params = { ...readInputs(context, "lock"), buildId: newBuildId(), tags: [] };
    await using engine = await context.openEngine();
    const choices = { update: flagOption(context, "update"), check: flagOption(context, "check") };
    const result = await engine.lock(params, choices, quietFollower(context.say), context.signal);
    if (context.json) context.print(JSON.stringify(result));
    else {
      context.print(table(result.images.map(({ image, digest }) => [image, shortText(digest)])));
      for (const image of result.added) context.say(`added ${image}`);
      for (const image of result.removed) context.say(`removed ${image}`);
      for (const { image, from, to } of result.moved)
        context.say(`moved ${image}: ${shortText(from)} is now ${shortText(to)}`);
      for (const { file, line, text, reason } of result.unresolved) context.say(`${file}:${line}: ${text}: ${reason}`);
      context.say(
        result.changed
          ? `${result.path} ${choices.check ? "is out of date" : "written"}`
          : `${result.path} is up to date`,
      );
    }
    return choices.check && result.changed ? 1 : 0;
  },
};
