import { parseReference } from "../oci/reference.ts";
import type { Command } from "./command.ts";
import { registryOptions, sharingChoices } from "./sharingOptions.ts";
import { readKeyFile } from "./sign.ts";

export const command: Command = {
  summary: "Check that an image in a registry carries a signature by a key",
  usage: "[OPTIONS] --key FILE IMAGE",
  positionals: [1, 1],
  options: {
    key: { type: "string", value: "FILE", help: "public key in PEM" },
    ...registryOptions,
  },
  async run(context) {
    const [image = ""] = context.positionals;
    const key = readKeyFile(context, "verify-signature");
    await using engine = await context.openEngine();
    await using sharing = await engine.sharing(sharingChoices(context, [parseReference(image).host]));
    const { digest, signatures } = await sharing.verifySignature(image, key, context.signal);
    const names = [...new Set(signatures.map(({ identity }) => identity))].join(", ");
    context.print(context.json ? JSON.stringify({ image, digest, signatures }) : `${digest}: signed as ${names}`);
    return 0;
  },
};
