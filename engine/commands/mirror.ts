import { readFileSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import type { MirrorCheck, MirrorNodeParams } from "../operations/mirrorNode.ts";
import { type Command, type CommandContext, flagOption, textOption, textsOption } from "./command.ts";

export const command: Command = {
  summary: "Make a node's runtime pull every image from a mirror, check it, or undo it",
  usage: "write|check|remove --runtime RUNTIME [OPTIONS]",
  positionals: [1, 1],
  options: {
    runtime: { type: "string", value: "RUNTIME", help: "containerd, docker, docker-classic, crio, podman, k3s or k0s" },
    endpoint: { type: "string", value: "URL", help: "where the mirror answers: https://sea.hub:5443" },
    root: { type: "string", value: "DIR", help: "root of the node's files (default: /)" },
    connected: {
      type: "boolean",
      help: "ask the original registry for what the mirror lacks, and push there (default: ask the mirror alone)",
    },
    ca: { type: "string", value: "FILE", help: "certificate of the authority that signed the mirror's" },
    "token-file": { type: "string", value: "FILE", help: "file with the token the node sends to the mirror" },
    host: {
      type: "string",
      multiple: true,
      value: "HOST",
      help: "host whose images the mirror has, for podman and CRI-O",
    },
    bundle: { type: "string", value: "DIR", help: "take the hosts from a folder with registry/" },
    "containerd-1": { type: "boolean", help: "write for containerd 1.x where there is no config.toml to tell" },
    canary: { type: "string", value: "IMAGE", help: "pull this image through the runtime and show what came of it" },
    address: { type: "string", value: "SOCKET", help: "socket of the runtime for the canary" },
  },
  async run(context) {
    const [verb = ""] = context.positionals;
    if (verb === "remove") return remove(context);
    if (verb !== "write" && verb !== "check") throw usage(`mirror knows write, check and remove, not "${verb}"`);
    const operations = await import("../operations/mirrorNode.ts");
    const bundle = textOption(context, "bundle");
    const hosts = bundle === undefined ? [] : await operations.hostsOfBundle(path.resolve(context.cwd, bundle));
    const act = verb === "write" ? operations.writeNodeMirror : operations.checkNodeMirror;
    const result = await act(paramsOf(context, hosts), context.signal);
    if (context.json) context.print(JSON.stringify(result));
    else for (const line of linesOf(result)) context.print(line);
    return isGood(result) ? 0 : 1;
  },
};

async function remove(context: CommandContext): Promise<number> {
  const { removeNodeMirror } = await import("../operations/mirrorNode.ts");
  const changes = await removeNodeMirror(required(context, "runtime"), rootOf(context));
  if (context.json) context.print(JSON.stringify({ changes }));
  else if (changes.length === 0) context.print("nothing was written here");
  else for (const change of changes) context.print(changeText(change));
  return changes.some((change) => change.done === "left") ? 1 : 0;
}

function changeText({ done, path: file, reason }: NonNullable<MirrorCheck["changes"]>[number]): string {
  return `${done} ${file}${reason === undefined ? "" : `: ${reason}`}`;
}

function rootOf(context: CommandContext): string {
  return path.resolve(context.cwd, textOption(context, "root") ?? "/");
}

function usage(reason: string): EngineError {
  return new EngineError("USAGE", { reason, command: "mirror" });
}

function required(context: CommandContext, name: string): string {
  const value = textOption(context, name);
  if (value === undefined) throw usage(`--${name} is missing`);
  return value;
}

function paramsOf(context: CommandContext, hosts: readonly string[]): MirrorNodeParams {
  const [ca, token] = [textOf(context, "ca"), textOf(context, "token-file")?.trim()];
  const [canary, address] = [textOption(context, "canary"), textOption(context, "address")];
  return {
    runtime: required(context, "runtime"),
    root: rootOf(context),
    config: {
      endpoint: endpointOf(context),
      profile: flagOption(context, "connected") ? "connected" : "air-gapped",
      hosts: [...hosts, ...textsOption(context, "host")],
      containerdMajor: flagOption(context, "containerd-1") ? 1 : 2,
      ...(ca === undefined ? {} : { ca }),
      ...(token === undefined ? {} : { token }),
    },
    ...(canary === undefined ? {} : { canary }),
    ...(address === undefined ? {} : { address }),
  };
}

function endpointOf(context: CommandContext): URL {
  const written = required(context, "endpoint");
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.username === "") return url;
  throw usage(`--endpoint takes an address such as https://sea.hub:5443, not "${written}"`);
}

function textOf(context: CommandContext, option: string): string | undefined {
  const file = textOption(context, option);
  if (file === undefined) return undefined;
  try {
    return readFileSync(path.resolve(context.cwd, file), "utf8");
  } catch {
    throw usage(`--${option}: ${file} cannot be read`);
  }
}

function isGood({ findings, canary }: MirrorCheck): boolean {
  return canary?.pulled !== false && !findings.some((finding) => finding.level === "error");
}

function linesOf({ changes, findings, canary }: MirrorCheck): readonly string[] {
  return [
    ...(changes ?? []).map(changeText),
    ...findings.map(({ level, file, text }) => `${level}: ${file}${file === "" ? "" : ": "}${text}`),
    ...(canary === undefined ? [] : canaryLines(canary)),
  ];
}

function canaryLines(canary: NonNullable<MirrorCheck["canary"]>): readonly string[] {
  const pulled = canary.pulled ? [`pulled: ${canary.command}`] : [`not pulled: ${canary.command}`, canary.output];
  if (canary.mirrorLog === undefined)
    return [...pulled, "the mirror does not show its log here: look at it where the mirror runs"];
  if (canary.mirrorLog.length === 0) return [...pulled, "the mirror was not asked for it"];
  return [...pulled, ...canary.mirrorLog.map((line) => `mirror: ${line}`)];
}
