import path from "node:path";
import { EngineError } from "../errors.ts";
import type { BuildInputs } from "../protocol.ts";
import { type CommandContext, flagOption, type OptionInfo, textOption, textsOption } from "./command.ts";

/** Options that `build` and `plan` share. */
export const inputOptions: Readonly<Record<string, OptionInfo>> = {
  file: {
    type: "string",
    short: "f",
    value: "FILE",
    help: "the Kubefile (default: Kubefile in the current directory)",
  },
  target: { type: "string", value: "STAGE", help: "stop at this stage" },
  platform: {
    type: "string",
    multiple: true,
    value: "OS/ARCH",
    help: "platform to build; repeat or separate by commas for several",
  },
  "build-arg": {
    type: "string",
    multiple: true,
    value: "NAME=VALUE",
    help: "value of an ARG; without =VALUE it is taken from the environment",
  },
  dialect: { type: "string", value: "NAME", help: "sealer or sealos; default: the instructions of both" },
  pull: { type: "string", value: "WHEN", help: "missing (default), always, newer (ifnewer) or never" },
  "no-cache": { type: "boolean", help: "build every instruction again" },
  type: { type: "string", value: "TYPE", help: "kube-installer (default) or app-installer" },
  "build-mode": { type: "string", value: "MODE", help: "all (default) or lite: leave container images out" },
  "source-date-epoch": {
    type: "string",
    value: "SECONDS",
    help: "newest time in the image (default: SOURCE_DATE_EPOCH)",
  },
};

/** What `build` and `plan` are given. Throws `USAGE`. */
export function readInputs(context: CommandContext, command: string): BuildInputs {
  const wrong = (reason: string): never => {
    throw new EngineError("USAGE", { reason, command });
  };
  const one = <Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined => {
    const value = textOption(context, name);
    if (value === undefined) return undefined;
    return choices.find((choice) => choice === value) ?? wrong(`--${name} takes ${choices.join(", ")}, not "${value}"`);
  };
  const contextDir = path.resolve(context.cwd, context.positionals[0] ?? ".");
  const file = textOption(context, "file");
  const platforms = textsOption(context, "platform").flatMap((text) => text.split(","));
  const pull = one("pull", ["missing", "always", "newer", "ifnewer", "never"]);
  const type = one("type", ["kube-installer", "app-installer"]);
  const buildMode = one("build-mode", ["all", "lite"]);
  const dialect = one("dialect", ["sealer", "sealos"]);
  const target = textOption(context, "target");
  const sourceDateEpoch = epochOf(textOption(context, "source-date-epoch") ?? context.env["SOURCE_DATE_EPOCH"], wrong);
  return {
    contextDir,
    ...(file === undefined ? {} : { kubefile: path.resolve(context.cwd, file) }),
    ...(target === undefined ? {} : { target }),
    ...(platforms.length === 0 ? {} : { platforms }),
    buildArgs: pairs(textsOption(context, "build-arg"), (name) => context.env[name]),
    ...(dialect === undefined ? {} : { dialect }),
    ...(pull === undefined ? {} : { pull: pull === "ifnewer" ? "newer" : pull }),
    noCache: flagOption(context, "no-cache"),
    ...(type === undefined ? {} : { type }),
    ...(buildMode === undefined ? {} : { buildMode }),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
  };
}

function epochOf(text: string | undefined, wrong: (reason: string) => never): number | undefined {
  if (text === undefined || text === "") return undefined;
  return /^\d{1,11}$/.test(text) ? Number(text) : wrong(`SOURCE_DATE_EPOCH is whole seconds since 1970, not "${text}"`);
}

/** `NAME=VALUE` words as a map; a name alone is looked up, and left out when there is nothing. */
export function pairs(
  words: readonly string[],
  otherwise: (name: string) => string | undefined,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? otherwise(name) : word.slice(equals + 1);
    if (name !== "" && value !== undefined) found[name] = value;
  }
  return found;
}
