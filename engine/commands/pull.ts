import { EngineError } from "../errors.ts";
import { parseReference } from "../oci/reference.ts";
import { type Command, flagOption, textOption } from "./command.ts";
import { ownPlatform, registryOptions, sharingChoices, transferControl } from "./sharingOptions.ts";
import { sizeText } from "./text.ts";
import { verifyOptions, verifyPolicy } from "./verifyOption.ts";

/** sealer's words and ours. */
const policies = {
  always: "always",
  missing: "missing",
  ifnewer: "newer",
  newer: "newer",
  never: "never",
} as const;

export const command: Command = {
  summary: "Bring an image from a registry into the store",
  usage: "[OPTIONS] IMAGE",
  positionals: [1, 1],
  options: {
    platform: { type: "string", value: "OS/ARCH", help: "of several (default: this machine's); see --all-platforms" },
    "all-platforms": { type: "boolean", help: "bring the images of all platforms" },
    policy: { type: "string", value: "POLICY", help: "always (default), missing, ifnewer or never" },
    ...verifyOptions,
    quiet: { type: "boolean", short: "q", help: "print the digest only" },
    ...registryOptions,
  },
  async run(context) {
    const [image = ""] = context.positionals;
    const written = textOption(context, "policy") ?? "always";
    const policy = Object.hasOwn(policies, written) ? policies[written as keyof typeof policies] : undefined;
    if (policy === undefined) {
      const reason = `--policy takes always, missing, ifnewer or never, not "${written}"`;
      throw new EngineError("USAGE", { reason, command: "pull" });
    }
    const platform = flagOption(context, "all-platforms") ? "all" : (textOption(context, "platform") ?? ownPlatform());
    const verify = verifyPolicy(context);
    await using engine = await context.openEngine();
    await using sharing = await engine.sharing(sharingChoices(context, [parseReference(image).host]));
    const pulled = await sharing.pull(image, { platform, policy, verify }, transferControl(context, `pull ${image}`));
    const { name, how, movedBytes, notAsked, descriptor } = pulled;
    if (notAsked !== undefined) context.say(`warning: ${notAsked.message} What is here was kept.`);
    if (context.json) context.print(JSON.stringify({ reference: name, digest: descriptor.digest, how, movedBytes }));
    else if (flagOption(context, "quiet")) context.print(descriptor.digest);
    else
      context.print(
        `${name}\n${descriptor.digest}\n${how === "present" ? "up to date" : `${sizeText(movedBytes)} moved`}`,
      );
    return 0;
  },
};
