import path from "node:path";
import { EngineError } from "../errors.ts";
import { type Command, textOption } from "./command.ts";
import { sizeText } from "./text.ts";

const formats = ["oci-archive", "oci-dir", "docker-archive"] as const;

export const command: Command = {
  summary: "Write an image to a file or folder that other tools read",
  usage: "[OPTIONS] --output FILE IMAGE",
  positionals: [1, 1],
  options: {
    format: { type: "string", value: "FORMAT", help: `${formats.join(", ")} (default: oci-archive)` },
    output: { type: "string", short: "o", value: "FILE", help: "file or folder to write" },
  },
  async run(context) {
    const written = textOption(context, "format") ?? "oci-archive";
    const format = formats.find((known) => known === written);
    const output = textOption(context, "output");
    if (format === undefined)
      throw new EngineError("USAGE", {
        reason: `--format takes ${formats.join(", ")}, not "${written}"`,
        command: "save",
      });
    if (output === undefined)
      throw new EngineError("USAGE", { reason: "name the file with --output", command: "save" });
    await using engine = await context.openEngine();
    const saved = await engine.save(
      { reference: context.positionals[0] ?? "", path: path.resolve(context.cwd, output), format },
      context.signal,
    );
    context.print(context.json ? JSON.stringify(saved) : `${saved.path}: ${sizeText(saved.sizeBytes)}`);
    return 0;
  },
};
