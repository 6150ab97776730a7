import { posix } from "node:path";
import { expand } from "../../kubefile/expand.ts";
import { parse } from "../../kubefile/parse.ts";
import type { Escape, Instruction, Kubefile, Pair, Stage, Word } from "../../kubefile/syntax.ts";
import type { ImageConfig, RuntimeConfig } from "../oci/config.ts";
import { ClusterReader } from "./clusterInstructions.ts";
import { readCopy, usedBy } from "./copyInstruction.ts";
import { ExpansionFailure, StageEnvironment } from "./environment.ts";
import { healthcheckOf } from "./healthcheck.ts";
import { type Places, placesIn } from "./places.ts";
import { type Reader, refuse } from "./reader.ts";
import { readRun } from "./runInstruction.ts";
import type { Place, PlanWarning, StagePlan, Step, WorkdirStep } from "./steps.ts";

/** Which instructions and rules hold: those of both tools when absent. */
export type PlanDialect = "sealer" | "sealos" | undefined;

/** What a stage is evaluated with. */
export interface StageInputs {
  readonly kubefile: Kubefile;
  readonly stage: Stage;
  /** Values of ARG before the first FROM. */
  readonly globals: ReadonlyMap<string, string | undefined>;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Platform names and values, `TARGETARCH` and the like, and `ARCH`. */
  readonly platform: ReadonlyMap<string, string>;
  /** Configuration of the image below; undefined for scratch. */
  readonly base: ImageConfig | undefined;
  /** Names of the applications the image below has. */
  readonly inheritedApps: readonly string[];
  readonly dialect: PlanDialect;
  /** Index of a stage above by name or number. */
  readonly stageNamed: (name: string) => number | undefined;
}

/** What an image that starts from nothing has as PATH, here as with every other builder. */
export const scratchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const defaultShell: readonly string[] = ["/bin/sh", "-c"];

/** Reads a stage from top to bottom into steps and a configuration. Touches no file. Throws `KUBEFILE_INVALID`. */
export function evaluateStage(inputs: StageInputs): StagePlan {
  const evaluation = new Evaluation(inputs);
  const places = placesIn(inputs.kubefile.text);
  const [from, ...rest] = inputs.stage.instructions;
  if (from !== undefined) evaluation.from(places.of(from));
  for (const trigger of inputs.base?.config?.OnBuild ?? []) evaluation.trigger(trigger, from, places);
  for (const instruction of rest) evaluation.read(instruction, places.of(instruction));
  return evaluation.finish();
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

class Evaluation {
  readonly #inputs: StageInputs;
  readonly #environment: StageEnvironment;
  readonly #steps: Step[] = [];
  readonly #warnings: PlanWarning[] = [];
  readonly #runtime: Mutable<RuntimeConfig>;
  readonly #cluster: ClusterReader;
  #author: string | undefined;
  #commandIsOwn = false;

  constructor(inputs: StageInputs) {
    this.#inputs = inputs;
    const base: RuntimeConfig = inputs.base?.config ?? {};
    const { OnBuild: _spent, ...kept } = base;
    this.#runtime = { ...kept };
    this.#author = inputs.base?.author;
    this.#environment = new StageEnvironment({
      escape: inputs.kubefile.escape,
      buildArgs: inputs.buildArgs,
      globals: inputs.globals,
      platform: inputs.platform,
      inherited: inputs.base === undefined ? [`PATH=${scratchPath}`] : (base.Env ?? []),
    });
    this.#cluster = new ClusterReader(inputs.inheritedApps);
  }

  from(place: Place): void {
    this.#steps.push({ kind: "metadata", place, variables: [], inHistory: false });
  }

  /** An ONBUILD instruction of the image below; it counts as standing at FROM. */
  trigger(text: string, from: Instruction | undefined, places: Places): void {
    const parsed = parse(text);
    for (const instruction of parsed.instructions) {
      const at = from === undefined ? places.of(instruction) : places.of(from);
      this.read(instruction, {
        ...at,
        keyword: instruction.keyword.value.toUpperCase(),
        text: `ONBUILD ${text}`.slice(0, 200),
      });
    }
  }

  read(instruction: Instruction, place: Place): void {
    try {
      this.#dispatch(instruction, place);
    } catch (error) {
      if (error instanceof ExpansionFailure) refuse(place, `a variable cannot be expanded: ${error.message}`);
      throw error;
    }
  }

  finish(): StagePlan {
    const env = this.#environment.pairs;
    if (env.length > 0) this.#runtime.Env = env;
    return {
      steps: this.#steps,
      config: { runtime: this.#runtime, author: this.#author, healthcheck: this.#runtime.Healthcheck },
      cluster: this.#cluster.facts,
      warnings: this.#warnings,
    };
  }

  #reader(place: Place): Reader {
    return {
      environment: this.#environment,
      place,
      workingDirectory: this.#runtime.WorkingDir ?? "/",
      stageNamed: this.#inputs.stageNamed,
    };
  }

  #dispatch(instruction: Instruction, place: Place): void {
    switch (instruction.kind) {
      case "COPY":
      case "ADD":
        this.#steps.push(readCopy(this.#reader(place), instruction));
        return;
      case "RUN":
        this.#steps.push(
          readRun(this.#reader(place), instruction, this.#runtime.Shell ?? defaultShell, this.#runtime.User ?? ""),
        );
        return;
      case "WORKDIR":
        this.#steps.push(this.#workdir(instruction.path, instruction, place));
        return;
      case "APP":
      case "CNI":
      case "CSI":
      case "APPENV":
      case "APPCMDS":
      case "LAUNCH":
      case "CMDS":
        this.#readCluster(instruction, place);
        return;
      case "UNKNOWN":
        refuse(place, `${place.keyword} is not an instruction`);
        break;
      case "FROM":
        refuse(place, "FROM cannot stand here");
        break;
      default:
        this.#metadata(instruction, place);
    }
  }

  #metadata(instruction: ConfigInstruction, place: Place): void {
    const variables = usedBy(this.#environment, instruction);
    this.#configure(instruction, place);
    this.#steps.push({ kind: "metadata", place, variables, inHistory: instruction.kind !== "ARG" });
  }

  #readCluster(instruction: Parameters<ClusterReader["read"]>[0], place: Place): void {
    const step = this.#cluster.read(instruction, this.#reader(place), this.#steps.length);
    for (const [name, value] of step.labels) this.#label(name, value);
    this.#steps.push(step.step);
  }

  #workdir(path: Word | undefined, instruction: Instruction, place: Place): WorkdirStep {
    if (path === undefined) return refuse(place, "WORKDIR needs a path");
    const variables = usedBy(this.#environment, instruction);
    const written = this.#environment.expand(path.text);
    if (written === "") return refuse(place, "the path is empty: a variable in it may not be set");
    const resolved = posix
      .join("/", written.startsWith("/") ? "" : (this.#runtime.WorkingDir ?? "/"), written)
      .replace(/(.)\/$/, "$1");
    this.#runtime.WorkingDir = resolved;
    return { kind: "workdir", place, variables, path: resolved };
  }

  #configure(instruction: ConfigInstruction, place: Place): void {
    const environment = this.#environment;
    const runtime = this.#runtime;
    const text = (word: Word | undefined, what: string): string =>
      word === undefined ? refuse(place, `${place.keyword} needs ${what}`) : environment.expand(word.text);
    switch (instruction.kind) {
      case "ARG":
        for (const pair of this.#pairs(instruction.pairs, place, "a name"))
          environment.declare(pair.name.value, pair.value?.text);
        return;
      case "ENV": {
        const pairs = this.#expandPairs(instruction.pairs, instruction.legacy, place);
        for (const [name, value] of pairs) environment.set(name, value);
        this.#cluster.env(pairs);
        return;
      }
      case "LABEL":
        for (const [name, value] of this.#expandPairs(instruction.pairs, instruction.legacy, place))
          this.#label(name, value);
        return;
      case "KUBEVERSION":
        this.#label("app.alpha.sealer.io/supported-kube-version", text(instruction.constraint, "a version constraint"));
        return;
      case "MAINTAINER":
        this.#author = text(instruction.rest, "a name");
        return;
      case "USER":
        runtime.User = text(instruction.user, "a user");
        return;
      case "STOPSIGNAL":
        runtime.StopSignal = text(instruction.signal, "a signal");
        return;
      case "EXPOSE":
        runtime.ExposedPorts = { ...runtime.ExposedPorts, ...this.#ports(instruction.ports, place) };
        return;
      case "VOLUME":
        runtime.Volumes = {
          ...runtime.Volumes,
          ...this.#volumes(instruction.paths, instruction.form === "json", place),
        };
        return;
      case "SHELL":
        runtime.Shell = execForm(instruction, place);
        return;
      case "ENTRYPOINT":
        runtime.Entrypoint = this.#command(instruction, place);
        // A command of the image below was meant for its own entry point.
        if (!this.#commandIsOwn) delete runtime.Cmd;
        return;
      case "CMD":
        this.#cmd(instruction, place);
        return;
      case "HEALTHCHECK":
        runtime.Healthcheck = healthcheckOf(
          instruction,
          place,
          (written) => environment.expand(written),
          runtime.Shell ?? defaultShell,
        );
        return;
      case "ONBUILD":
        runtime.OnBuild = [...(runtime.OnBuild ?? []), text0(instruction.rest, place)];
        return;
      default:
        instruction satisfies never;
    }
  }

  /** sealer launches the text as it stands; everybody else reads the image's command. The image says both. */
  #cmd(instruction: Extract<Instruction, { kind: "CMD" }>, place: Place): void {
    this.#cluster.cmd(instruction.rest?.text ?? refuse(place, "CMD needs a command"), place);
    if (this.#inputs.dialect === "sealer") return;
    this.#runtime.Cmd = this.#command(instruction, place);
    this.#commandIsOwn = true;
  }

  #command(instruction: Extract<Instruction, { kind: "CMD" | "ENTRYPOINT" }>, place: Place): readonly string[] {
    const { command } = instruction;
    if (command === undefined) return refuse(place, `${place.keyword} needs a command`);
    if (command.form === "exec") return command.elements.map((element) => element.value);
    return [...(this.#runtime.Shell ?? defaultShell), command.text];
  }

  #label(name: string, value: string): void {
    this.#runtime.Labels = { ...this.#runtime.Labels, [name]: value };
  }

  #pairs(pairs: readonly Pair[], place: Place, what: string): readonly Pair[] {
    if (pairs.length === 0) refuse(place, `${place.keyword} needs ${what}`);
    return pairs;
  }

  /** All values are expanded with what held before the instruction. */
  #expandPairs(pairs: readonly Pair[], legacy: boolean, place: Place): readonly [string, string][] {
    return this.#pairs(pairs, place, "a name and a value").map((pair): [string, string] => {
      const name = this.#environment.expand(pair.name.text);
      if (pair.value === undefined && !legacy) return refuse(place, `"${name}" has no value: write ${name}=…`);
      return [name, pair.value === undefined ? "" : this.#environment.expand(pair.value.text)];
    });
  }

  #ports(words: readonly Word[], place: Place): Record<string, Record<string, never>> {
    if (words.length === 0) return refuse(place, "EXPOSE needs a port");
    const ports: Record<string, Record<string, never>> = {};
    for (const word of words) {
      const text = this.#environment.expand(word.text);
      const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
      if (match === null) return refuse(place, `"${text}" is not a port: write 80, 53/udp or 8000-8010`);
      const first = Number(match[1]);
      const last = Number(match[2] ?? match[1]);
      if (last > 65535 || last < first) return refuse(place, `"${text}" is not a range of ports`);
      for (let port = first; port <= last; port++) ports[`${port}/${(match[3] ?? "tcp").toLowerCase()}`] = {};
    }
    return ports;
  }

  #volumes(words: readonly Word[], json: boolean, place: Place): Record<string, Record<string, never>> {
    if (words.length === 0) return refuse(place, "VOLUME needs a path");
    return Object.fromEntries(
      words.map((word) => [
        json ? this.#environment.expandDecoded(word.value) : this.#environment.expand(word.text),
        {},
      ]),
    );
  }
}

type ConfigInstruction = Exclude<
  Instruction,
  {
    kind:
      | "COPY"
      | "ADD"
      | "RUN"
      | "WORKDIR"
      | "APP"
      | "CNI"
      | "CSI"
      | "APPENV"
      | "APPCMDS"
      | "LAUNCH"
      | "CMDS"
      | "UNKNOWN"
      | "FROM";
  }
>;

function execForm(instruction: Extract<Instruction, { kind: "SHELL" }>, place: Place): readonly string[] {
  if (instruction.command?.form !== "exec") return refuse(place, 'SHELL needs a JSON array: SHELL ["/bin/bash", "-c"]');
  return instruction.command.elements.map((element) => element.value);
}

function text0(word: Word | undefined, place: Place): string {
  return word?.text ?? refuse(place, `${place.keyword} needs an instruction`);
}

/** Values of the ARG instructions before the first FROM. Throws `KUBEFILE_INVALID`. */
export function globalArguments(
  kubefile: Kubefile,
  buildArgs: Readonly<Record<string, string>>,
  platform: ReadonlyMap<string, string>,
): ReadonlyMap<string, string | undefined> {
  const globals = new Map<string, string | undefined>();
  const places = placesIn(kubefile.text);
  const firstFrom = kubefile.stages[0]?.span.start ?? kubefile.text.length;
  for (const instruction of kubefile.instructions) {
    if (instruction.span.start >= firstFrom) break;
    const place = places.of(instruction);
    if (instruction.kind !== "ARG") return refuse(place, `${place.keyword} stands before FROM, where only ARG may`);
    for (const pair of instruction.pairs) {
      const name = pair.name.value;
      const own =
        pair.value === undefined ? undefined : expandGlobal(pair.value.text, globals, platform, kubefile.escape, place);
      globals.set(name, Object.hasOwn(buildArgs, name) ? buildArgs[name] : (own ?? platform.get(name)));
    }
  }
  return globals;
}

/** A word of FROM, which reads global arguments and the platform's names. Throws `KUBEFILE_INVALID`. */
export function expandGlobal(
  text: string,
  globals: ReadonlyMap<string, string | undefined>,
  platform: ReadonlyMap<string, string>,
  escapeMark: Escape,
  place: Place,
): string {
  const expansion = expand(text, (name) => globals.get(name) ?? platform.get(name), escapeMark);
  if (expansion.error !== undefined) return refuse(place, `a variable cannot be expanded: ${expansion.error}`);
  return expansion.value;
}
