import { readFileSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import type { VerifyPolicy } from "../operations/verified.ts";
import { type CommandContext, type OptionInfo, textsOption } from "./command.ts";

/** For every command that takes an image into use. */
export const verifyOptions: Readonly<Record<"verify-key", OptionInfo>> = {
  "verify-key": {
    type: "string",
    multiple: true,
    value: "FILE",
    help: "go on only when the image is signed by this public key; may be repeated, one is enough",
  },
};

/** What the option asks for. Throws `KEY_UNREADABLE`. */
export function verifyPolicy(context: CommandContext): VerifyPolicy {
  const files = textsOption(context, "verify-key");
  if (files.length === 0) return { mode: "off" };
  const keys = files.map((file) => {
    try {
      return { path: file, pem: readFileSync(path.resolve(context.cwd, file), "utf8") };
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code ?? "it cannot be read";
      throw new EngineError("KEY_UNREADABLE", { path: file, reason }, { cause });
    }
  });
  return { mode: "require", keys };
}
