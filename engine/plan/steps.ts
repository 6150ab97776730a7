import type { Healthcheck, RuntimeConfig } from "../oci/config.ts";

/** Where an instruction stands, and how it reads. Lines are 1-based. */
export interface Place {
  /** Upper case. */
  readonly keyword: string;
  /** On one line, shortened, variables not expanded. */
  readonly text: string;
  readonly line: number;
  readonly endLine: number;
  /** UTF-16 units in the text. */
  readonly start: number;
  readonly end: number;
}

/** A build argument or environment variable an instruction reads, with its value there. */
export interface UsedVariable {
  readonly name: string;
  readonly origin: "ARG" | "ENV";
  readonly value: string;
}

/** Where files are copied from. */
export type CopyOrigin =
  | { readonly kind: "context" }
  | { readonly kind: "stage"; readonly index: number }
  | { readonly kind: "image"; readonly reference: string };

export type CopySource =
  | { readonly kind: "path"; readonly pattern: string }
  | { readonly kind: "url"; readonly url: string }
  /** A heredoc: `name` is what the file is called when it goes into a directory. */
  | { readonly kind: "inline"; readonly name: string; readonly content: string };

/** COPY, ADD, and the files of APP, CNI and CSI. */
export interface CopyStep {
  readonly kind: "copy";
  readonly place: Place;
  readonly variables: readonly UsedVariable[];
  readonly origin: CopyOrigin;
  readonly sources: readonly CopySource[];
  /** Absolute, `/` between parts; may hold `.` and `..`. */
  readonly destination: string;
  readonly intoDirectory: boolean;
  /** `user[:group]` as written and expanded. */
  readonly owner: string | undefined;
  readonly mode: number | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  /** ADD unpacks local archives. */
  readonly unpack: boolean;
  /** `sha256:…` that a downloaded file must have. */
  readonly checksum: string | undefined;
  /** The application these files belong to. */
  readonly app: string | undefined;
}

/** RUN; mounts and flags stay as written words until the sandbox is set up. */
export interface RunStep {
  readonly kind: "run";
  readonly place: Place;
  readonly variables: readonly UsedVariable[];
  readonly command: RunCommand;
  /** The arguments in scope and the image's environment; part of what the step is. */
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** Proxies given from outside: the command sees them, but they do not make it another one. */
  readonly proxies: readonly (readonly [name: string, value: string])[];
  readonly user: string;
  readonly workingDirectory: string;
  readonly mounts: readonly RunMount[];
  /** Stages above that mounts name, by what the mount says. */
  readonly mountStages: ReadonlyMap<string, number>;
  readonly network: "default" | "none" | "host";
}

export type RunCommand =
  | { readonly kind: "exec"; readonly argv: readonly string[] }
  | { readonly kind: "shell"; readonly shell: readonly string[]; readonly text: string }
  | { readonly kind: "script"; readonly name: string; readonly text: string };

/** `--mount=type=…,key=value` with variables expanded; checked by whoever sets it up. */
export type RunMount = ReadonlyMap<string, string>;

/** WORKDIR: the directory is made when the image below has none. */
export interface WorkdirStep {
  readonly kind: "workdir";
  readonly place: Place;
  readonly variables: readonly UsedVariable[];
  /** Absolute. */
  readonly path: string;
}

/** An instruction that makes no layer. `inHistory` is false for those an image's history does not show. */
export interface MetadataStep {
  readonly kind: "metadata";
  readonly place: Place;
  readonly variables: readonly UsedVariable[];
  readonly inHistory: boolean;
}

export type Step = CopyStep | RunStep | WorkdirStep | MetadataStep;

/** An application as declared: what its files tell is added when they are known. */
export interface DeclaredApp {
  readonly name: string;
  readonly kind: "APP" | "CNI" | "CSI";
  /** Index of its copy step in the stage. */
  readonly step: number;
}

/** The image's configuration while a stage is evaluated. */
export interface StageConfig {
  readonly runtime: RuntimeConfig;
  readonly author: string | undefined;
  readonly healthcheck: Healthcheck | undefined;
}

/** What the cluster-image instructions of a stage say. */
export interface ClusterFacts {
  readonly apps: readonly DeclaredApp[];
  /** Per application, merged; of inherited applications too. */
  readonly appEnv: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly appCommands: ReadonlyMap<string, readonly string[]>;
  readonly env: Readonly<Record<string, string>>;
  readonly launchApps: readonly string[];
  readonly launchCommands: readonly string[];
}

/** One stage, evaluated for one platform: what to do, in order, and what the image says at its end. */
export interface StagePlan {
  readonly steps: readonly Step[];
  readonly config: StageConfig;
  readonly cluster: ClusterFacts;
  readonly warnings: readonly PlanWarning[];
}

export interface PlanWarning {
  readonly place: Place;
  readonly message: string;
}
