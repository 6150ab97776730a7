import path from "node:path";
import { parsePlatform } from "../oci/platform.ts";
import { exportRootfs } from "../operations/exportRootfs.ts";
import { findImage } from "../operations/images.ts";
import { requireVerified } from "../operations/verified.ts";
import { type Command, flagOption, textOption } from "./command.ts";
import { ownPlatform } from "./sharingOptions.ts";
import { verifyOptions, verifyPolicy } from "./verifyOption.ts";

export const command: Command = {
  summary: "Unpack the root file system of an image into a folder",
  usage: "[OPTIONS] IMAGE FOLDER",
  positionals: [2, 2],
  options: {
    platform: { type: "string", value: "OS/ARCH", help: "of several (default: this machine's)" },
    ...verifyOptions,
    owners: { type: "boolean", help: "give files the owners the image states; takes root" },
  },
  async run(context) {
    const [image = "", folder = ""] = context.positionals;
    const dir = path.resolve(context.cwd, folder);
    const platform = parsePlatform(textOption(context, "platform") ?? ownPlatform());
    await using engine = await context.openEngine();
    const owners = flagOption(context, "owners");
    const verify = verifyPolicy(context);
    // By digest from here on: the name may move meanwhile.
    const { target } = findImage(engine.store, image);
    requireVerified(engine.store, target, `mount ${image}`, verify);
    const exported = await exportRootfs(engine.store, target.digest, platform, dir, owners, context.signal);
    for (const warning of exported.warnings) context.say(`warning: ${warning}`);
    context.print(context.json ? JSON.stringify(exported) : exported.dir);
    return 0;
  },
};
