import type { Command } from "./command.ts";
import { ageText, shortText, sizeText, table } from "./text.ts";

export const command: Command = {
  summary: "List the images of the store",
  usage: "",
  positionals: [0, 0],
  options: {},
  async run(context) {
    await using engine = await context.openEngine();
    const images = engine.images();
    if (context.json) {
      context.print(JSON.stringify(images));
      return 0;
    }
    const now = Date.now();
    const rows = images.flatMap((image) =>
      image.references.map((reference) => [
        reference,
        shortText(image.digest),
        image.platforms.join(","),
        sizeText(image.sizeBytes),
        image.type ?? "",
        ageText(now - image.storedAt),
      ]),
    );
    context.print(table([["NAME", "DIGEST", "PLATFORM", "SIZE", "TYPE", "STORED"], ...rows]));
    return 0;
  },
};
