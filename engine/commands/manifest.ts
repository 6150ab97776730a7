import { EngineError } from "../errors.ts";
import { formatPlatform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import {
  addToList,
  createList,
  type EntryChanges,
  type ManifestList,
  readList,
  removeFromList,
} from "../operations/manifestLists.ts";
import { type Command, type CommandContext, flagOption, textOption, textsOption } from "./command.ts";
import { registryOptions, sharingChoices, transferControl } from "./sharingOptions.ts";
import { shortText, sizeText, table } from "./text.ts";

type Verb = (context: CommandContext, args: readonly string[]) => Promise<number>;

const verbs: Readonly<Record<string, Verb>> = {
  async create(context, [name = "", ...images]) {
    await using engine = await context.openEngine();
    const amend = flagOption(context, "amend");
    return tell(context, await createList(engine.store, name, images, { amend }, context.signal));
  },

  async add(context, args) {
    const tag = textOption(context, "tag");
    const [name = "", ...images] = tag === undefined ? args : [tag, ...args];
    if (images.length === 0) throw usage("add takes LIST IMAGE... or IMAGE... --tag LIST");
    await using engine = await context.openEngine();
    return tell(context, await addToList(engine.store, name, images, changesOf(context), context.signal));
  },

  async remove(context, [name = "", ...digests]) {
    if (digests.length === 0) throw usage("remove takes LIST DIGEST...");
    await using engine = await context.openEngine();
    return tell(context, await removeFromList(engine.store, name, digests, context.signal));
  },

  async inspect(context, [name = ""]) {
    await using engine = await context.openEngine();
    const { index } = readList(engine.store, name);
    context.print(JSON.stringify(index, null, context.json ? undefined : 4));
    return 0;
  },

  async delete(context, names) {
    await using engine = await context.openEngine();
    for (const name of names) {
      readList(engine.store, name);
      context.print((await engine.removeImage(name)).digest);
    }
    return 0;
  },

  async push(context, [name = "", destination]) {
    await using engine = await context.openEngine();
    readList(engine.store, name);
    const hosts = [parseReference(destination ?? name).host];
    await using sharing = await engine.sharing(sharingChoices(context, hosts));
    const compression = { algorithm: "gzip", level: 1 } as const;
    const request = { platform: "all", compression, ...(destination === undefined ? {} : { to: destination }) };
    const pushed = await sharing.push(name, request, transferControl(context, `push ${destination ?? name}`));
    if (flagOption(context, "rm")) await engine.removeImage(name);
    const { reference, descriptor, movedBytes } = pushed;
    if (context.json) context.print(JSON.stringify({ reference, digest: descriptor.digest, movedBytes }));
    else context.print(`${reference}\n${descriptor.digest}\n${sizeText(movedBytes)} moved`);
    return 0;
  },
};

export const command: Command = {
  summary: "Put images of several platforms under one name: create, add, remove, inspect, delete, push",
  usage: "[OPTIONS] create|add|remove|inspect|delete|push LIST [IMAGE|DIGEST|DESTINATION]...",
  positionals: [2, 100],
  options: {
    amend: { type: "boolean", help: "create: the list may exist already" },
    tag: { type: "string", short: "t", value: "LIST", help: "add: the list, when only images are named" },
    os: { type: "string", value: "OS", help: "add: instead of what the image says" },
    arch: { type: "string", value: "ARCH", help: "add: instead of what the image says" },
    variant: { type: "string", value: "VARIANT", help: "add: instead of what the image says" },
    "os-version": { type: "string", value: "VERSION", help: "add: instead of what the image says" },
    "os-features": { type: "string", multiple: true, value: "FEATURE", help: "add: may be repeated" },
    annotation: { type: "string", multiple: true, value: "KEY=VALUE", help: "add: annotation of the entry" },
    all: { type: "boolean", help: "push: all images of the list (always so; for sealer's sake)" },
    rm: { type: "boolean", help: "push: take the list's name away afterwards" },
    quiet: { type: "boolean", short: "q", help: "push: no progress" },
    ...registryOptions,
  },
  run(context) {
    const [verb = "", ...args] = context.positionals;
    const act = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (act === undefined)
      return Promise.reject(usage(`there is no "manifest ${verb}": ${Object.keys(verbs).join(", ")}`));
    return act(context, args);
  },
};

function usage(reason: string): EngineError {
  return new EngineError("USAGE", { reason, command: "manifest" });
}

function changesOf(context: CommandContext): EntryChanges {
  const words = { os: "os", arch: "architecture", variant: "variant", "os-version": "os.version" } as const;
  const changes: Record<string, unknown> = {};
  for (const [option, member] of Object.entries(words)) {
    const value = textOption(context, option);
    if (value !== undefined) changes[member] = value;
  }
  const features = textsOption(context, "os-features");
  if (features.length > 0) changes["os.features"] = features;
  const pairs = textsOption(context, "annotation").map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw usage(`--annotation takes KEY=VALUE, not "${pair}"`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  if (pairs.length > 0) changes["annotations"] = Object.fromEntries(pairs);
  return changes;
}

function tell(context: CommandContext, { name, descriptor, index }: ManifestList): number {
  if (context.json) {
    context.print(JSON.stringify({ reference: name, digest: descriptor.digest, manifests: index.manifests }));
    return 0;
  }
  const rows = index.manifests.map((entry) => [
    `  ${entry.platform === undefined ? "?" : formatPlatform(entry.platform)}`,
    shortText(entry.digest),
  ]);
  context.print([name, descriptor.digest, table(rows)].filter((line) => line !== "").join("\n"));
  return 0;
}
