import type { Command } from "./command.ts";

export const command: Command = {
  summary: "Take names away from images; the bytes go with the next prune",
  usage: "IMAGE...",
  positionals: [1, 100],
  options: {},
  async run(context) {
    await using engine = await context.openEngine();
    const removed: { readonly reference: string; readonly digest: string }[] = [];
    for (const reference of context.positionals) removed.push({ reference, ...(await engine.removeImage(reference)) });
    context.print(context.json ? JSON.stringify(removed) : removed.map(({ reference }) => reference).join("\n"));
    return 0;
  },
};
