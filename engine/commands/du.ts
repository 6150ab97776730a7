import type { Command } from "./command.ts";
import { ageText, sizeText, table } from "./text.ts";

export const command: Command = {
  summary: "Tell what takes room in the store",
  usage: "",
  positionals: [0, 0],
  options: {},
  async run(context) {
    await using engine = await context.openEngine();
    const usage = engine.diskUsage();
    if (context.json) {
      context.print(JSON.stringify(usage));
      return 0;
    }
    const now = Date.now();
    const rows = usage.items.map((item) => [
      item.kind,
      item.name,
      sizeText(item.sizeBytes),
      ageText(now - item.lastUsedAt),
    ]);
    context.print(table([["KIND", "NAME", "SIZE", "USED"], ...rows]));
    context.print(`\n${sizeText(usage.totalBytes)} in all; "kubefile prune" frees ${sizeText(usage.reclaimableBytes)}`);
    return 0;
  },
};
