import type { Command } from "./command.ts";
import { shortText, sizeText, table } from "./text.ts";

export const command: Command = {
  summary: "Show which instruction made each layer of an image",
  usage: "IMAGE",
  positionals: [1, 1],
  options: {},
  async run(context) {
    await using engine = await context.openEngine();
    const details = engine.inspect(context.positionals[0] ?? "");
    const layers = details.images.map(({ platform, layers: rows }) => ({ platform, layers: rows }));
    if (context.json) context.print(JSON.stringify(layers));
    else {
      for (const { platform, layers: rows } of layers) {
        if (layers.length > 1) context.print(platform);
        context.print(
          table([
            ["LAYER", "SIZE", "MADE BY", "WHERE"],
            ...rows.map((layer) => [
              shortText(layer.diffId),
              sizeText(layer.sizeBytes),
              layer.createdBy,
              layer.at === undefined ? "" : `${layer.at.kubefile}:${layer.at.line}`,
            ]),
          ]),
        );
      }
    }
    return 0;
  },
};
