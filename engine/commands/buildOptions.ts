import path from "node:path";
import { EngineError } from "../errors.ts";
import type { BuildInputs, ContainerImageChoices } from "../protocol.ts";
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

/** Options about container images that `build` and `lock` share. */
export const containerImageOptions: Readonly<Record<string, OptionInfo>> = {
  locked: { type: "boolean", help: "refuse to build when kubefile.lock is not up to date" },
  offline: { type: "boolean", help: "take container images from the store only" },
  values: {
    type: "string",
    multiple: true,
    value: "FILE",
    help: "values to render charts with, a set of its own each",
  },
  set: {
    type: "string",
    multiple: true,
    value: "KEY=VALUE",
    help: "a value to render charts with; all together are one set",
  },
  "image-list": { type: "string", value: "FILE", help: "more container images, one a line" },
  "ignored-image-list": { type: "string", value: "FILE", help: "container images to leave out, one a line" },
  rules: { type: "string", value: "FILE", help: "where custom resources name images (YAML)" },
  mirror: {
    type: "string",
    multiple: true,
    value: "HOST=ADDRESS",
    help: "ask ADDRESS for images of HOST (docker.io=127.0.0.1:5000)",
  },
  "insecure-registry": {
    type: "string",
    multiple: true,
    value: "HOST",
    help: "a registry that may be spoken to without TLS",
  },
};

function readContainerImages(context: CommandContext): ContainerImageChoices {
  const file = (name: string): string | undefined => {
    const value = textOption(context, name);
    return value === undefined ? undefined : path.resolve(context.cwd, value);
  };
  const [imageListFile, ignoredImageListFile, rulesFile] = [
    file("image-list"),
    file("ignored-image-list"),
    file("rules"),
  ];
  return {
    locked: flagOption(context, "locked"),
    freshness: flagOption(context, "offline") ? "never" : "newer",
    valuesFiles: textsOption(context, "values").map((name) => path.resolve(context.cwd, name)),
    setValues: textsOption(context, "set"),
    mirrors: pairs(textsOption(context, "mirror"), () => undefined),
    insecureRegistries: textsOption(context, "insecure-registry"),
    ...(imageListFile === undefined ? {} : { imageListFile }),
    ...(ignoredImageListFile === undefined ? {} : { ignoredImageListFile }),
    ...(rulesFile === undefined ? {} : { rulesFile }),
  };
}

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
    ...given("kubefile", file === undefined ? undefined : path.resolve(context.cwd, file)),
    ...given("target", target),
    ...given("platforms", platforms.length === 0 ? undefined : platforms),
    buildArgs: pairs(textsOption(context, "build-arg"), (name) => context.env[name]),
    ...given("dialect", dialect),
    ...given("pull", pull === "ifnewer" ? "newer" : pull),
    noCache: flagOption(context, "no-cache"),
    ...given("type", type),
    buildMode: buildMode ?? "all",
    containerImages: readContainerImages(context),
    ...given("sourceDateEpoch", sourceDateEpoch),
  };
}

/** A member of an object, or none when there is no value: an option that was not given is absent, not undefined. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: Value });
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
