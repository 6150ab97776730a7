import { EngineError } from "../errors.ts";
import { parseReference } from "../oci/reference.ts";
import { type Command, type CommandContext, flagOption, textOption } from "./command.ts";
import { registryOptions, sharingChoices, transferControl } from "./sharingOptions.ts";
import { sizeText } from "./text.ts";

type Compression = { readonly algorithm: "gzip" | "zstd"; readonly level: number } | "none";

/** Levels each algorithm knows, and the one it gets when none is given. */
const levels = { gzip: { most: 9, usual: 1 }, zstd: { most: 19, usual: 3 } } as const;

export const command: Command = {
  summary: "Send an image to a registry, moving only what it lacks",
  usage: "[OPTIONS] IMAGE [DESTINATION]",
  positionals: [1, 2],
  options: {
    all: { type: "boolean", help: "all platforms of an index (the default; for sealer's sake)" },
    platform: { type: "string", value: "OS/ARCH", help: "only this image of an index" },
    compression: { type: "string", value: "HOW", help: "gzip (default), zstd or none, for layers not compressed yet" },
    level: { type: "string", value: "N", help: "1 is fast; up to 9 for gzip (default: 1), 19 for zstd (default: 3)" },
    quiet: { type: "boolean", short: "q", help: "print the digest only" },
    ...registryOptions,
  },
  async run(context) {
    const [image = "", destination] = context.positionals;
    const compression = compressionOf(context);
    const platform = textOption(context, "platform") ?? "all";
    await using engine = await context.openEngine();
    const hosts = [parseReference(destination ?? image).host];
    await using sharing = await engine.sharing(sharingChoices(context, hosts));
    const request = { platform, compression, ...(destination === undefined ? {} : { to: destination }) };
    const pushed = await sharing.push(image, request, transferControl(context, `push ${destination ?? image}`));
    const { reference, descriptor, movedBytes, blobs, referrers } = pushed;
    if (referrers.signaturesLeft > 0) {
      const reason =
        "layers were compressed on the way, so its digest is another. Sign it there, or push with --compression none";
      context.say(`warning: ${referrers.signaturesLeft} signatures did not go along: ${reason}.`);
    }
    if (context.json)
      context.print(
        JSON.stringify({ reference, digest: descriptor.digest, movedBytes, blobs, referrers: referrers.sent }),
      );
    else if (flagOption(context, "quiet")) context.print(descriptor.digest);
    else {
      const told = `${blobs.uploaded} blobs sent (${sizeText(movedBytes)}), ${blobs.mounted} mounted, ${blobs.present} there already${referrers.sent > 0 ? `, ${referrers.sent} referrers` : ""}`;
      context.print(`${reference}\n${descriptor.digest}\n${told}`);
    }
    return 0;
  },
};

function compressionOf(context: CommandContext): Compression {
  const fail = (reason: string): never => {
    throw new EngineError("USAGE", { reason, command: "push" });
  };
  const algorithm = textOption(context, "compression") ?? "gzip";
  const written = textOption(context, "level");
  if (algorithm === "none")
    return written === undefined ? "none" : fail("--level says nothing with --compression none");
  if (algorithm !== "gzip" && algorithm !== "zstd")
    return fail(`--compression takes gzip, zstd or none, not "${algorithm}"`);
  const { most, usual } = levels[algorithm];
  const level = written === undefined ? usual : Number(written);
  if (!Number.isInteger(level) || level < 1 || level > most) return fail(`--level takes 1 to ${most} for ${algorithm}`);
  return { algorithm, level };
}
