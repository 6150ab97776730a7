import path from "node:path";
import { parsePlatform } from "../oci/platform.ts";
import { exportRootfs } from "../operations/exportRootfs.ts";
import { type Command, flagOption, textOption } from "./command.ts";
import { ownPlatform } from "./sharingOptions.ts";

export const command: Command = {
  summary: "Unpack the root file system of an image into a folder",
  usage: "[OPTIONS] IMAGE FOLDER",
  positionals: [2, 2],
  options: {
    platform: { type: "string", value: "OS/ARCH", help: "of several (default: this machine's)" },
    owners: { type: "boolean", help: "give files the owners the image states; takes root" },
  },
  async run(context) {
    const [image = "", folder = ""] = context.positionals;
    const dir = path.resolve(context.cwd, folder);
    const platform = parsePlatform(textOption(context, "platform") ?? ownPlatform());
    await using engine = await context.openEngine();
    const owners = flagOption(context, "owners");
    const exported = await exportRootfs(engine.store, image, platform, dir, owners, context.signal);
    for (const warning of exported.warnings) context.say(`warning: ${warning}`);
    context.print(context.json ? JSON.stringify(exported) : exported.dir);
    return 0;
  },
};
