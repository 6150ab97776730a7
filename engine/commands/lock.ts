import { newBuildId } from "../operations/newBuildId.ts";
import type { LockResult } from "../protocol.ts";
import { containerImageOptions, inputOptions, readInputs } from "./buildOptions.ts";
import { type Command, type CommandContext, flagOption } from "./command.ts";
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
    else printLock(context, result, choices.check);
    return choices.check && result.changed ? 1 : 0;
  },
};

function printLock(context: CommandContext, result: LockResult, checkOnly: boolean): void {
  context.print(table(result.images.map(({ image, digest }) => [image, shortText(digest)])));
  const { added, removed, moved, unresolved, path, changed } = result;
  const lines = [
    ...added.map((image) => `added ${image}`),
    ...removed.map((image) => `removed ${image}`),
    ...moved.map(({ image, from, to }) => `moved ${image}: ${shortText(from)} is now ${shortText(to)}`),
    ...unresolved.map(({ file, line, text, reason }) => `${file}:${line}: ${text}: ${reason}`),
    changed ? `${path} ${checkOnly ? "is out of date" : "written"}` : `${path} is up to date`,
  ];
  for (const line of lines) context.say(line);
}
