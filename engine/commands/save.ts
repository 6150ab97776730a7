import path from "node:path";
import { EngineError } from "../errors.ts";
import { type ArchiveCompression, saveArchive } from "../operations/archives.ts";
import { archiveControl } from "./archiveProgress.ts";
import { type Command, type CommandContext, flagOption, textOption, textsOption } from "./command.ts";
import { parseSize, sizeText } from "./text.ts";
import { verifyOptions, verifyPolicy } from "./verifyOption.ts";

const formats = ["oci-archive", "oci-dir", "docker-archive"] as const;
const compressions = ["gzip", "zstd", "none"] as const;

export const command: Command = {
  summary: "Write images to a file or folder that other tools read",
  usage: "[OPTIONS] --output FILE IMAGE...",
  positionals: [1, 1000],
  options: {
    format: { type: "string", value: "FORMAT", help: `${formats.join(", ")} (default: oci-archive)` },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "file or folder to write; .zst at its end compresses it",
    },
    platform: { type: "string", value: "OS/ARCH", help: "only this image of an index (default: all that are here)" },
    compress: { type: "string", value: "HOW", help: "gzip, zstd or none (default), for layers not compressed yet" },
    split: {
      type: "string",
      value: "SIZE",
      help: "cut the archive into parts of this size, such as 4GiB, with a list of them",
    },
    since: {
      type: "string",
      multiple: true,
      value: "IMAGE|FILE",
      help: "leave out what this image, or the inventory in this file, says the other side has; may be repeated",
    },
    ...verifyOptions,
    quiet: { type: "boolean", short: "q", help: "print the path only" },
  },
  async run(context) {
    const { splitBytes, output, since, ...choices } = readOptions(context);
    await using engine = await context.openEngine();
    const control = archiveControl(context, `save ${context.positionals[0] ?? ""}`);
    const saved = await saveArchive(
      engine.store,
      {
        references: context.positionals,
        output: path.resolve(context.cwd, output),
        ...choices,
        ...(splitBytes === undefined ? {} : { splitBytes }),
        since,
        verify: verifyPolicy(context),
      },
      control,
    );
    for (const warning of saved.warnings) context.say(`warning: ${warning}`);
    const { sizeBytes, paths, needs, images, warnings } = saved;
    const left = { blobs: needs.length, sizeBytes: needs.reduce((sum, { size }) => sum + size, 0) };
    if (context.json) {
      const told = images.map(({ name, target }) => ({ reference: name, digest: target.digest }));
      context.print(JSON.stringify({ path: paths[0], paths, sizeBytes, images: told, left, warnings }));
    } else if (flagOption(context, "quiet")) context.print(paths[0] ?? output);
    else {
      context.print(
        `${paths[0] ?? output}: ${sizeText(sizeBytes)}${paths.length > 1 ? ` in ${paths.length - 1} parts` : ""}`,
      );
      if (left.blobs > 0)
        context.print(`left out: ${left.blobs} blobs, ${sizeText(left.sizeBytes)}, which the other side must have`);
    }
    return 0;
  },
};

function readOptions(context: CommandContext) {
  const fail = (reason: string): never => {
    throw new EngineError("USAGE", { reason, command: "save" });
  };
  const writtenFormat = textOption(context, "format") ?? "oci-archive";
  const writtenCompression = textOption(context, "compress") ?? "none";
  const format = formats.find((known) => known === writtenFormat);
  const compression: ArchiveCompression | undefined = compressions.find((known) => known === writtenCompression);
  const output = textOption(context, "output");
  const platform = textOption(context, "platform");
  const split = textOption(context, "split");
  const splitBytes = split === undefined ? undefined : parseSize(split);
  if (split !== undefined && splitBytes === undefined) return fail(`--split takes a size such as 4GiB, not "${split}"`);
  // A name of an image is no path, but a file of that name in the working folder is the inventory that was meant.
  const since = textsOption(context, "since");
  return {
    format: format ?? fail(`--format takes ${formats.join(", ")}, not "${writtenFormat}"`),
    compression: compression ?? fail(`--compress takes ${compressions.join(", ")}, not "${writtenCompression}"`),
    output: output ?? fail("name the file with --output"),
    splitBytes,
    since,
    ...(platform === undefined ? {} : { platform }),
  };
}
