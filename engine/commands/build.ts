import path from "node:path";
import { EngineError } from "../errors.ts";
import type { BuildFollower, CollectProgress, NumberedStep, StepOutcome } from "../operations/buildImage.ts";
import { newBuildId } from "../operations/newBuildId.ts";
import type { BuildParams, BuildResult } from "../protocol.ts";
import { containerImageOptions, inputOptions, pairs, readInputs } from "./buildOptions.ts";
import { type Command, type CommandContext, flagOption, textOption, textsOption } from "./command.ts";
import { durationText, shortText, sizeText } from "./text.ts";

export const command: Command = {
  summary: "Build a cluster image from a Kubefile",
  usage: "[OPTIONS] [PATH]",
  positionals: [0, 1],
  options: {
    tag: { type: "string", short: "t", multiple: true, value: "NAME", help: "name of the image; may be repeated" },
    ...inputOptions,
    ...containerImageOptions,
    secret: {
      type: "string",
      multiple: true,
      value: "id=ID,src=FILE",
      help: "secret for RUN --mount=type=secret; env=NAME instead of src takes it from the environment",
    },
    ssh: {
      type: "string",
      multiple: true,
      value: "ID[=SOCKET]",
      help: "agent for RUN --mount=type=ssh (default: SSH_AUTH_SOCK)",
    },
    network: { type: "string", value: "MODE", help: "network of RUN: host (default) or none" },
    label: { type: "string", multiple: true, value: "NAME=VALUE", help: "label of the image" },
    annotation: { type: "string", multiple: true, value: "NAME=VALUE", help: "annotation of the manifest" },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "also save the image: FILE, or type=oci-archive|oci-dir|docker-archive,dest=FILE",
    },
    quiet: { type: "boolean", short: "q", help: "print the digest only" },
  },
  async run(context) {
    const inputs = readInputs(context, "build");
    const output = outputOf(context);
    const tags = textsOption(context, "tag");
    if (tags.length === 0) throw new EngineError("USAGE", { reason: "name the image with --tag", command: "build" });
    await using engine = await context.openEngine();
    const params = {
      ...inputs,
      buildId: newBuildId(),
      tags,
      labels: pairs(textsOption(context, "label"), () => ""),
      ...runOptions(context),
      annotations: pairs(textsOption(context, "annotation"), () => ""),
    };
    const quiet = flagOption(context, "quiet");
    const result = await engine.build(params, new Progress(quiet ? () => undefined : context.say), context.signal);
    const saved =
      output === undefined
        ? undefined
        : await engine.save({ reference: result.digest, path: output.path, format: output.format }, context.signal);
    if (context.json) context.print(JSON.stringify({ ...result, ...(saved === undefined ? {} : { saved }) }));
    else {
      if (!quiet) context.say(conclusion(result));
      context.print(result.digest);
    }
    return 0;
  },
};

/** What RUN may use. Throws `USAGE`. */
function runOptions(context: CommandContext): Pick<BuildParams, "secrets" | "ssh" | "network"> {
  const wrong = (reason: string): never => {
    throw new EngineError("USAGE", { reason, command: "build" });
  };
  const network = textOption(context, "network") ?? "host";
  if (network !== "host" && network !== "none") return wrong(`--network takes host or none, not "${network}"`);
  const secrets = textsOption(context, "secret").map((text) => {
    const { id, env, src, source } = pairs(text.split(","), () => "") as Partial<Record<string, string>>;
    const file = src ?? source ?? (env === undefined ? id : undefined);
    if (id === undefined || id === "") return wrong("--secret takes id=ID,src=FILE or id=ID,env=NAME");
    if (file !== undefined) return { id, file: path.resolve(context.cwd, file) };
    return { id, value: context.env[env ?? ""] ?? wrong(`--secret id=${id}: ${env} is not in the environment`) };
  });
  const ssh = textsOption(context, "ssh").map((text) => {
    const [id = "default", socket = context.env["SSH_AUTH_SOCK"]] = text.split("=");
    return { id, socket: socket ?? wrong("--ssh needs an agent: SSH_AUTH_SOCK is not set") };
  });
  return { secrets, ssh, network };
}

function conclusion(result: BuildResult): string {
  const { references, sizeBytes, writtenBytes, cachedSteps, builtSteps, durationMs } = result;
  const share = `${cachedSteps} of ${cachedSteps + builtSteps} layers from the cache`;
  return `${references.join(", ")}: ${sizeText(sizeBytes)}, ${sizeText(writtenBytes)} written, ${share}, ${durationText(durationMs)}`;
}

interface Output {
  readonly path: string;
  readonly format: "oci-archive" | "oci-dir" | "docker-archive";
}

function outputOf(context: CommandContext): Output | undefined {
  const text = textOption(context, "output");
  if (text === undefined) return undefined;
  const fields = text.includes("=") ? pairs(text.split(","), () => "") : { dest: text };
  const format = formats.find(
    (known) =>
      known === (fields["type"] ?? "oci-archive").replace(/^oci$/, "oci-archive").replace(/^docker$/, "docker-archive"),
  );
  const dest = fields["dest"];
  if (format === undefined || dest === undefined) {
    throw new EngineError("USAGE", {
      reason: `--output takes FILE or type=${formats.join("|")},dest=FILE`,
      command: "build",
    });
  }
  return { path: path.resolve(context.cwd, dest), format };
}

const formats = ["oci-archive", "oci-dir", "docker-archive"] as const;

/** One line per instruction: what it is, cached or built, how large, which digest, how long, and why. */
class Progress implements BuildFollower {
  readonly #say: (text: string) => void;
  #count = 0;
  #severalPlatforms = false;
  #imagesTold = -1;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  planned(steps: readonly NumberedStep[]): void {
    this.#count = steps.length;
    this.#severalPlatforms = new Set(steps.map(({ platform }) => platform)).size > 1;
  }

  started(step: NumberedStep): void {
    this.#say(`${this.#head(step)}${step.place.text}`);
  }

  progress(): void {
    // A line per slab would drown the rest.
  }

  output(step: NumberedStep, _stream: "stdout" | "stderr", text: string): void {
    this.#say(`${this.#head(step)}  ${text}`);
  }

  finished(step: NumberedStep, outcome: StepOutcome): void {
    if (outcome.kind === "metadata") return;
    const size =
      outcome.layer === undefined
        ? "no layer"
        : `${sizeText(outcome.layer.sizeBytes)} ${shortText(outcome.layer.diffId)}`;
    const words =
      outcome.kind === "cached"
        ? `cached, ${size}`
        : `built, ${size}, ${durationText(outcome.durationMs)}: ${outcome.reason}`;
    this.#say(`${this.#head(step)}  → ${words}`);
  }

  containerImages(platform: string, { doneImages, totalImages, movedBytes }: CollectProgress): void {
    if (doneImages === this.#imagesTold) return;
    this.#imagesTold = doneImages;
    const where = this.#severalPlatforms ? `${platform} ` : "";
    this.#say(`${where}container images: ${doneImages} of ${totalImages}, ${sizeText(movedBytes)} pulled`);
  }

  failed(step: NumberedStep): void {
    this.#say(`${this.#head(step)}  → failed`);
  }

  warning(_step: NumberedStep | undefined, message: string): void {
    this.#say(`warning: ${message}`);
  }

  #head(step: NumberedStep): string {
    const number = `[${String(step.id + 1).padStart(String(this.#count).length)}/${this.#count}]`;
    return this.#severalPlatforms ? `${number} ${step.platform} ` : `${number} `;
  }
}
