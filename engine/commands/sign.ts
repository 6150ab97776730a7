import { readFileSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { parseReference } from "../oci/reference.ts";
import { type Command, type CommandContext, flagOption, textOption } from "./command.ts";
import { readSecret } from "./readSecret.ts";
import { registryOptions, sharingChoices } from "./sharingOptions.ts";

export const command: Command = {
  summary: "Sign an image in its registry with a key; cosign finds the signature too",
  usage: "[OPTIONS] --key FILE IMAGE",
  positionals: [1, 1],
  options: {
    key: { type: "string", value: "FILE", help: "private key in PEM: ECDSA P-256, Ed25519 or RSA" },
    "passphrase-stdin": { type: "boolean", help: "read the key's passphrase from standard input" },
    ...registryOptions,
  },
  async run(context) {
    const [image = ""] = context.positionals;
    const key = readKeyFile(context, "sign");
    const passphrase = flagOption(context, "passphrase-stdin")
      ? await readSecret(undefined, context.signal)
      : undefined;
    await using engine = await context.openEngine();
    await using sharing = await engine.sharing(sharingChoices(context, [parseReference(image).host]));
    const whole = passphrase === undefined ? key : { ...key, passphrase };
    const { digest, how } = await sharing.sign(image, whole, context.signal);
    context.print(context.json ? JSON.stringify({ image, digest, how }) : `${digest}: ${how}`);
    return 0;
  },
};

/** The text of the file that `--key` names. */
export function readKeyFile(context: CommandContext, command: string): { readonly path: string; readonly pem: string } {
  const file = textOption(context, "key");
  if (file === undefined) throw new EngineError("USAGE", { reason: "name the key with --key", command });
  try {
    return { path: file, pem: readFileSync(path.resolve(context.cwd, file), "utf8") };
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "it cannot be read";
    throw new EngineError("KEY_UNREADABLE", { path: file, reason }, { cause });
  }
}
