import type { App, AppCmds, AppEnv, Cmds, Cni, Csi, Launch } from "../../kubefile/syntax.ts";
import { labelKeys } from "../oci/clusterImage.ts";
import { readAppFiles, usedBy } from "./copyInstruction.ts";
import { type Reader, refuse } from "./reader.ts";
import type { ClusterFacts, DeclaredApp, Place, Step } from "./steps.ts";

type ClusterInstruction = App | Cni | Csi | AppEnv | AppCmds | Launch | Cmds;

/** What an instruction adds: its step, and labels of the image. */
interface Addition {
  readonly step: Step;
  readonly labels: readonly (readonly [string, string])[];
}

/** Reads sealer's instructions of a stage, in order, and keeps what they say about the cluster image. */
export class ClusterReader {
  readonly #inherited: ReadonlySet<string>;
  readonly #apps = new Map<string, DeclaredApp>();
  readonly #appEnv = new Map<string, Readonly<Record<string, string>>>();
  readonly #appCommands = new Map<string, readonly string[]>();
  readonly #commands: string[] = [];
  #env: Readonly<Record<string, string>> = {};
  #launchApps: readonly string[] = [];
  /** The instruction that decides what is launched, of which there is one. */
  #launchedBy: Place | undefined;
  #commanded: Place | undefined;

  constructor(inheritedApps: readonly string[]) {
    this.#inherited = new Set(inheritedApps);
  }

  get facts(): ClusterFacts {
    return {
      apps: [...this.#apps.values()],
      appEnv: this.#appEnv,
      appCommands: this.#appCommands,
      env: this.#env,
      launchApps: this.#launchApps,
      launchCommands: this.#commands,
    };
  }

  /** ENV is both the configuration's and the cluster image's. */
  env(pairs: readonly (readonly [string, string])[]): void {
    this.#env = { ...this.#env, ...Object.fromEntries(pairs) };
  }

  /** CMD: the text as it stands is launched, one after the other. */
  cmd(text: string, place: Place): void {
    this.#commanded = place;
    if (this.#launchApps.length > 0) refuse(place, "CMD and LAUNCH exclude each other: keep one");
    this.#commands.push(text);
  }

  read(instruction: ClusterInstruction, reader: Reader, index: number): Addition {
    switch (instruction.kind) {
      case "APP":
      case "CNI":
      case "CSI":
        return this.#app(instruction, reader, index);
      case "APPENV":
        this.#readEnv(instruction, reader);
        break;
      case "APPCMDS":
        this.#readCommands(instruction, reader);
        break;
      case "LAUNCH":
        this.#readLaunch(instruction, reader);
        break;
      case "CMDS":
        this.#readCmds(instruction, reader);
        break;
      default:
        return instruction satisfies never;
    }
    const variables = usedBy(reader.environment, instruction);
    return { step: { kind: "metadata", place: reader.place, variables, inHistory: true }, labels: [] };
  }

  #app(instruction: App | Cni | Csi, reader: Reader, index: number): Addition {
    const { place, environment } = reader;
    if (instruction.app === undefined)
      return refuse(place, `${place.keyword} needs a name: ${place.keyword} redis local://charts/redis`);
    const name = environment.expand(instruction.app.text);
    if (name === "" || name === "." || name === ".." || name.includes("/"))
      return refuse(place, `"${name}" cannot name an application: it becomes a directory`);
    this.#apps.set(name, { name, kind: instruction.kind, step: index });
    this.#appEnv.delete(name);
    this.#appCommands.delete(name);
    const labels: [string, string][] = [];
    if (instruction.kind === "CNI") labels.push([`${labelKeys.kubeCniPrefix}${name}`, "true"]);
    if (instruction.kind === "CSI") labels.push([`${labelKeys.kubeCsiPrefix}${name}`, "true"]);
    if (instruction.sources.length > 0) return { step: readAppFiles(reader, instruction, name), labels };
    return { step: { kind: "metadata", place, variables: [], inHistory: true }, labels };
  }

  #readEnv(instruction: AppEnv, reader: Reader): void {
    const name = this.#declared(instruction.app?.text, reader);
    const pairs = instruction.pairs.filter((pair) => pair.value !== undefined);
    if (pairs.length === 0) refuse(reader.place, `APPENV ${name} needs at least one NAME=value`);
    const values = pairs.map((pair) => [pair.name.value, pair.value?.text ?? ""]);
    this.#appEnv.set(name, { ...this.#appEnv.get(name), ...Object.fromEntries(values) });
  }

  #readCommands(instruction: AppCmds, reader: Reader): void {
    const name = this.#declared(instruction.app?.text, reader);
    if (instruction.commands === undefined) {
      refuse(
        reader.place,
        `APPCMDS ${name} needs a JSON array of strings: APPCMDS ${name} ["kubectl apply -f app.yaml"]`,
      );
    }
    this.#appCommands.set(
      name,
      instruction.commands.map((word) => word.value),
    );
  }

  #readLaunch(instruction: Launch, reader: Reader): void {
    this.#launchOnce(reader.place);
    if (this.#commanded !== undefined)
      refuse(reader.place, `LAUNCH and the CMD of line ${this.#commanded.line} exclude each other: keep one`);
    if (instruction.apps.length === 0) refuse(reader.place, "LAUNCH needs the names of applications");
    this.#launchApps = instruction.apps.map((word) => this.#known(word.value, reader));
  }

  #readCmds(instruction: Cmds, reader: Reader): void {
    this.#launchOnce(reader.place);
    if (instruction.commands.length === 0)
      refuse(reader.place, 'CMDS needs commands: CMDS ["kubectl apply -f manifests/"]');
    this.#commands.push(...instruction.commands.map((word) => word.value));
  }

  #launchOnce(place: Place): void {
    const first = this.#launchedBy;
    if (first !== undefined)
      refuse(place, `line ${first.line} has ${first.keyword} already: one LAUNCH or CMDS is allowed`);
    this.#launchedBy = place;
  }

  #declared(written: string | undefined, reader: Reader): string {
    if (written === undefined) return refuse(reader.place, `${reader.place.keyword} needs the name of an application`);
    return this.#known(reader.environment.expand(written), reader);
  }

  #known(name: string, reader: Reader): string {
    if (this.#apps.has(name) || this.#inherited.has(name)) return name;
    return refuse(reader.place, `application "${name}" is not declared above: add APP ${name} local://…`);
  }
}
