import { parsePlatform } from "../oci/platform.ts";
import { type Changes, diffImages } from "../operations/diffImages.ts";
import { type Command, flagOption, textOption } from "./command.ts";
import { ownPlatform } from "./sharingOptions.ts";
import { shortText } from "./text.ts";

export const command: Command = {
  summary: "Show what differs between two images: layers, files, applications, container images",
  usage: "[OPTIONS] BEFORE AFTER",
  positionals: [2, 2],
  options: {
    platform: { type: "string", value: "OS/ARCH", help: "of several (default: this machine's)" },
    all: { type: "boolean", help: "list the files below registry/ too" },
  },
  async run(context) {
    const [before = "", after = ""] = context.positionals;
    await using engine = await context.openEngine();
    const platform = parsePlatform(textOption(context, "platform") ?? ownPlatform());
    const diff = await diffImages(engine.store, before, after, platform, context.signal);
    if (context.json) {
      context.print(JSON.stringify(diff));
      return 0;
    }
    const { layers, applications, containerImages, labels, env } = diff;
    context.print(`${diff.platform}: ${layers.shared} layers shared`);
    context.print(
      lines("layers", { added: layers.added.map(shortText), removed: layers.removed.map(shortText), changed: [] }),
    );
    for (const [name, changes] of Object.entries({ applications, "container images": containerImages, labels, env })) {
      context.print(lines(name, changes));
    }
    context.print(lines("files", flagOption(context, "all") ? diff.files : withoutRegistry(diff.files)));
    return 0;
  },
};

/** What the registry folder holds is told as container images; its thousand files would bury the rest. */
function withoutRegistry(files: Changes): Changes {
  const keep = (paths: readonly string[]): readonly string[] => paths.filter((path) => !path.startsWith("registry/"));
  return { added: keep(files.added), removed: keep(files.removed), changed: keep(files.changed) };
}

function lines(title: string, { added, removed, changed }: Changes): string {
  if (added.length + removed.length + changed.length === 0) return `${title}: the same`;
  const marked = [
    ...removed.map((each) => `  - ${each}`),
    ...added.map((each) => `  + ${each}`),
    ...changed.map((each) => `  ~ ${each}`),
  ];
  return [title, ...marked].join("\n");
}
