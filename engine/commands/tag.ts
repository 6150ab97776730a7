import type { Command } from "./command.ts";

export const command: Command = {
  summary: "Give an image another name",
  usage: "IMAGE NAME",
  positionals: [2, 2],
  options: {},
  async run(context) {
    await using engine = await context.openEngine();
    const [image = "", name = ""] = context.positionals;
    const tagged = await engine.tagImage(image, name, context.signal);
    context.print(context.json ? JSON.stringify(tagged) : tagged.reference);
    return 0;
  },
};
