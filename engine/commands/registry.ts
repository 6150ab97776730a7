import path from "node:path";
import { EngineError } from "../errors.ts";
import type { RegistryStatus, ServeRegistryParams } from "../operations/serveRegistry.ts";
import { type Command, type CommandContext, flagOption, textOption, textsOption } from "./command.ts";
import { registryOptions, sharingChoices } from "./sharingOptions.ts";
import { sizeText } from "./text.ts";

const defaultAddress = "127.0.0.1:5000";
const defaultTtlSeconds = 60;

export const command: Command = {
  summary: "Serve the store, cluster images and every other registry as one registry",
  usage: "serve [OPTIONS]",
  positionals: [1, 1],
  options: {
    listen: {
      type: "string",
      value: "ADDR",
      help: `address to listen on (default: ${defaultAddress}; port 0 chooses one)`,
    },
    bundle: {
      type: "string",
      multiple: true,
      value: "IMAGE|DIR",
      help: "serve the container images of a cluster image or of a folder with registry/; may be repeated",
    },
    offline: { type: "boolean", help: "never ask another registry" },
    upstream: {
      type: "string",
      multiple: true,
      value: "HOST=URL",
      help: "ask URL for the images of HOST; may be repeated, may be a private address",
    },
    allow: {
      type: "string",
      multiple: true,
      value: "HOST",
      help: "ask only these registries; *.example.com for all below",
    },
    deny: { type: "string", multiple: true, value: "HOST", help: "never ask these registries" },
    "tls-cert": { type: "string", value: "FILE", help: "certificate to listen with" },
    "tls-key": { type: "string", value: "FILE", help: "its key" },
    htpasswd: {
      type: "string",
      value: "FILE",
      help: "who may use it: users and bcrypt hashes, as htpasswd -B writes them",
    },
    "token-file": { type: "string", value: "FILE", help: "tokens that nodes send as Authorization: Bearer" },
    "anonymous-pull": { type: "boolean", help: "pulling needs no login" },
    "read-only": { type: "boolean", help: "take no pushes" },
    ttl: { type: "string", value: "SECONDS", help: `how long a tag counts as fresh (default: ${defaultTtlSeconds})` },
    "cache-size": { type: "string", value: "SIZE", help: "keep this much of what was mirrored: 20G" },
    pin: {
      type: "string",
      multiple: true,
      value: "NAME",
      help: "repository that is never evicted: quay.io/coreos/etcd",
    },
    ...registryOptions,
  },
  async run(context) {
    if (context.positionals[0] !== "serve") throw usage(`registry knows serve, not "${context.positionals[0] ?? ""}"`);
    const params = paramsOf(context);
    const { openServedRegistry } = await import("../operations/serveRegistry.ts");
    await using engine = await context.openEngine();
    const choices = sharingChoices(context, []);
    const say = (kind: string, line: string): void =>
      context.say(context.json ? JSON.stringify({ kind, line }) : kind === "request" ? line : `${kind}: ${line}`);
    await using registry = await openServedRegistry(
      {
        store: engine.store,
        now: Date.now,
        openSharing: (own) =>
          engine.sharing({
            ...choices,
            ...own,
            insecureRegistries: [...choices.insecureRegistries, ...own.insecureRegistries],
          }),
        log: say,
      },
      params,
      context.signal,
    );
    context.print(context.json ? JSON.stringify({ url: registry.url }) : registry.url);
    await ended(context.signal);
    const status = registry.status();
    if (context.json) context.print(JSON.stringify({ ...status, recent: undefined }));
    else for (const line of summaryOf(status)) context.say(line);
    return 0;
  },
};

function usage(reason: string): EngineError {
  return new EngineError("USAGE", { reason, command: "registry" });
}

function paramsOf(context: CommandContext): ServeRegistryParams {
  const file = (name: string): string | undefined => {
    const written = textOption(context, name);
    return written === undefined ? undefined : path.resolve(context.cwd, written);
  };
  const [cert, key, htpasswd, tokenFile] = [file("tls-cert"), file("tls-key"), file("htpasswd"), file("token-file")];
  if ((cert === undefined) !== (key === undefined)) throw usage("--tls-cert and --tls-key belong together");
  const allow = textsOption(context, "allow");
  const size = textOption(context, "cache-size");
  const pins = textsOption(context, "pin");
  return {
    ...listenAddress(textOption(context, "listen") ?? defaultAddress),
    bundles: textsOption(context, "bundle").map((bundle) => bundlePath(context.cwd, bundle)),
    offline: flagOption(context, "offline"),
    upstreams: new Map(textsOption(context, "upstream").map(readUpstream)),
    ...(allow.length === 0 ? {} : { allow }),
    deny: textsOption(context, "deny"),
    ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }),
    ...(htpasswd === undefined ? {} : { htpasswd }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    anonymousPull: flagOption(context, "anonymous-pull"),
    readOnly: flagOption(context, "read-only"),
    tagTtlMs: seconds(textOption(context, "ttl")) * 1000,
    ...(size === undefined ? {} : { budget: { maxBytes: bytes(size), pins } }),
  };
}

/** `./dir` and `/dir` are folders; anything else may be an image's name, or a folder below. */
function bundlePath(cwd: string, bundle: string): string {
  return /^\.{0,2}\//.test(bundle) || bundle === "." || bundle === ".." ? path.resolve(cwd, bundle) : bundle;
}

function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const parsed = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/i.exec(text);
  const port = Number(parsed?.[3]);
  if (parsed === null || port > 65_535) throw usage(`--listen takes HOST:PORT, not "${text}"`);
  const host = parsed[1] ?? parsed[2] ?? "";
  return { host: host === "" ? "0.0.0.0" : host, port };
}

function readUpstream(text: string): readonly [string, URL] {
  const equals = text.indexOf("=");
  const host = text.slice(0, Math.max(0, equals)).toLowerCase();
  const written = text.slice(equals + 1);
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const plain = url !== undefined && (url.pathname === "/" || url.pathname === "") && url.username === "";
  if (host === "" || !plain || !/^https?:$/.test(url.protocol))
    throw usage("--upstream takes HOST=URL, such as quay.io=https://mirror.example:5000, without a path or a password");
  return [host, url];
}

function seconds(text: string | undefined): number {
  if (text === undefined) return defaultTtlSeconds;
  if (!/^\d{1,9}$/.test(text)) throw usage(`--ttl takes seconds, not "${text}"`);
  return Number(text);
}

function bytes(text: string): number {
  const parsed = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text);
  const power = " kmgt".indexOf((parsed?.[2] ?? "").toLowerCase() || " ");
  if (parsed === null) throw usage(`--cache-size takes a size such as 20G, not "${text}"`);
  return Number(parsed[1]) * 1024 ** power;
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function summaryOf(status: RegistryStatus): readonly string[] {
  return status.upstreams.map((upstream) => {
    const { host, hits, misses, stale, savedBytes, fetchedBytes, rateLimit } = upstream;
    const left = rateLimit === undefined ? "" : `, ${rateLimit.remaining} of ${rateLimit.limit} pulls left`;
    return `${host}: ${hits} hits, ${misses} misses, ${stale} stale, ${sizeText(savedBytes)} saved, ${sizeText(fetchedBytes)} fetched${left}`;
  });
}
