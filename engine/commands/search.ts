import { parseReference } from "../oci/reference.ts";
import type { Command } from "./command.ts";
import { registryOptions, sharingChoices } from "./sharingOptions.ts";
import { table } from "./text.ts";

export const command: Command = {
  summary: "List the tags a registry has of images",
  usage: "[OPTIONS] NAME...",
  positionals: [1, 100],
  options: registryOptions,
  async run(context) {
    await using engine = await context.openEngine();
    const hosts = context.positionals.map((name) => parseReference(name).host);
    await using sharing = await engine.sharing(sharingChoices(context, hosts));
    const found: { readonly name: string; readonly tags: readonly string[] }[] = [];
    for (const name of context.positionals) {
      found.push({ name, tags: await sharing.searchTags(name, context.signal) });
    }
    if (context.json) context.print(JSON.stringify(found));
    else
      context.print(
        table([["IMAGE NAME", "VERSION"], ...found.flatMap(({ name, tags }) => tags.map((tag) => [name, tag]))]),
      );
    return 0;
  },
};
