import { writeFileSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { inventoryText } from "../operations/archives.ts";
import { type Command, textOption } from "./command.ts";

export const command: Command = {
  summary: "Write what this store has, as digests: save --since leaves it out",
  usage: "[--output FILE]",
  positionals: [0, 0],
  options: {
    output: { type: "string", short: "o", value: "FILE", help: "file to write (default: standard output)" },
  },
  async run(context) {
    await using engine = await context.openEngine();
    const text = await inventoryText(engine.store, context.signal);
    const digests = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const output = textOption(context, "output");
    if (output === undefined) {
      context.print(context.json ? JSON.stringify({ digests }) : text.trimEnd());
      return 0;
    }
    try {
      writeFileSync(path.resolve(context.cwd, output), text);
    } catch (cause) {
      const problem = (cause as NodeJS.ErrnoException).code ?? "it cannot be written";
      throw new EngineError("ARCHIVE_TARGET_UNUSABLE", { path: output, problem }, { cause });
    }
    context.print(
      context.json ? JSON.stringify({ path: output, digests: digests.length }) : `${output}: ${digests.length} digests`,
    );
    return 0;
  },
};
