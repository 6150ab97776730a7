import { parseReference } from "../oci/reference.ts";
import { type Command, flagOption, textOption } from "./command.ts";
import { registryOptions, sharingChoices, transferControl } from "./sharingOptions.ts";
import { sizeText } from "./text.ts";

export const command: Command = {
  summary: "Copy an image from registry to registry; nothing is stored here",
  usage: "[OPTIONS] SOURCE DESTINATION",
  positionals: [2, 2],
  options: {
    platform: { type: "string", value: "OS/ARCH", help: "only this image of an index (default: all)" },
    referrers: { type: "boolean", help: "signatures, SBOMs and whatever else refers to the image go along" },
    quiet: { type: "boolean", short: "q", help: "print the digest only" },
    ...registryOptions,
  },
  async run(context) {
    const [from = "", to = ""] = context.positionals;
    await using engine = await context.openEngine();
    const hosts = [parseReference(from).host, parseReference(to).host];
    await using sharing = await engine.sharing(sharingChoices(context, hosts));
    const platform = textOption(context, "platform") ?? "all";
    const request = { from, to, platform, withReferrers: flagOption(context, "referrers") };
    const { descriptor, movedBytes, referrers } = await sharing.copy(request, transferControl(context, `copy ${from}`));
    if (context.json) context.print(JSON.stringify({ digest: descriptor.digest, movedBytes, referrers }));
    else if (flagOption(context, "quiet")) context.print(descriptor.digest);
    else
      context.print(
        `${descriptor.digest}\n${sizeText(movedBytes)} moved${referrers > 0 ? `, ${referrers} referrers` : ""}`,
      );
    return 0;
  },
};
