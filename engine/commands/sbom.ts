import { writeFileSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { imageSboms } from "../operations/sbom.ts";
import { type Command, flagOption, textOption } from "./command.ts";

export const command: Command = {
  summary: "Tell what an image is made of, as an SPDX document",
  usage: "[OPTIONS] IMAGE",
  positionals: [1, 1],
  options: {
    output: { type: "string", short: "o", value: "FILE", help: "file to write (default: standard output)" },
    platform: { type: "string", value: "OS/ARCH", help: "of several (default: the only one; with --attach all)" },
    attach: { type: "boolean", help: "keep it with the image as a referrer; push and save take it along" },
  },
  async run(context) {
    const [reference = ""] = context.positionals;
    const [output, platform] = [textOption(context, "output"), textOption(context, "platform")];
    const attach = flagOption(context, "attach");
    await using engine = await context.openEngine();
    const request = { reference, attach, ...(platform === undefined ? {} : { platform }) };
    const made = await imageSboms(engine.store, request, context.signal);
    const [first, ...others] = made;
    const asked = output !== undefined || !attach;
    if (first === undefined || (asked && others.length > 0)) {
      const known = made.map((each) => each.platform).join(", ");
      throw new EngineError("USAGE", { reason: `choose one of ${known} with --platform`, command: "sbom" });
    }
    if (output !== undefined) writeDocument(path.resolve(context.cwd, output), first.document);
    if (!attach) {
      if (output === undefined) context.print(Buffer.from(first.document).toString("utf8"));
      return 0;
    }
    const told = made.map(({ platform: of, subject, referrer }) => ({
      platform: of,
      subject: subject.digest,
      referrer: referrer?.digest,
    }));
    if (context.json) context.print(JSON.stringify(told));
    else for (const each of told) context.print(`${each.platform}  ${each.referrer} attached to ${each.subject}`);
    return 0;
  },
};

function writeDocument(file: string, document: Uint8Array): void {
  try {
    writeFileSync(file, document);
  } catch (cause) {
    const problem = (cause as NodeJS.ErrnoException).code ?? "it cannot be written";
    throw new EngineError("ARCHIVE_TARGET_UNUSABLE", { path: file, problem }, { cause });
  }
}
