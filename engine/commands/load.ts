import path from "node:path";
import { EngineError } from "../errors.ts";
import { loadArchive } from "../operations/archives.ts";
import { archiveControl } from "./archiveProgress.ts";
import { type Command, flagOption, textOption } from "./command.ts";
import { verifyOptions, verifyPolicy } from "./verifyOption.ts";

export const command: Command = {
  summary: "Bring the images of a file or folder into the store, whichever tool wrote it",
  usage: "[OPTIONS] FILE|FOLDER",
  positionals: [0, 1],
  options: {
    input: { type: "string", short: "i", value: "FILE", help: "what to load, as sealer and docker have it" },
    name: { type: "string", value: "IMAGE", help: "name the one image of the archive this instead of its own name" },
    ...verifyOptions,
    quiet: { type: "boolean", short: "q", help: "print the names only" },
  },
  async run(context) {
    const [positional] = context.positionals;
    const option = textOption(context, "input");
    const written = positional ?? option;
    if (written === undefined || (positional !== undefined && option !== undefined)) {
      throw new EngineError("USAGE", { reason: "name one file or folder to load", command: "load" });
    }
    const name = textOption(context, "name");
    const verify = verifyPolicy(context);
    await using engine = await context.openEngine();
    const choices = { input: path.resolve(context.cwd, written), ...(name === undefined ? {} : { name }), verify };
    const loaded = await loadArchive(engine.store, choices, archiveControl(context, `load ${written}`));
    for (const warning of loaded.warnings) context.say(`warning: ${warning}`);
    if (context.json) {
      const images = loaded.images.map(({ names, target }) => ({ references: names, digest: target.digest }));
      context.print(JSON.stringify({ images, warnings: loaded.warnings }));
      return 0;
    }
    for (const { names, target } of loaded.images) {
      for (const each of names) context.print(flagOption(context, "quiet") ? each : `${each}  ${target.digest}`);
    }
    return 0;
  },
};
