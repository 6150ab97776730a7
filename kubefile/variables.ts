import { type Expansion, expand, type Lookup } from "./expand.ts";
import { instructionOf, itemIndexAt } from "./parse.ts";
import type { Span } from "./span.ts";
import type { Arg, Env, Escape, From, Instruction, Kubefile, Word } from "./syntax.ts";

/** What a name stands for at one place of the file. */
export interface Binding {
  readonly name: string;
  /** `undefined` when it is declared without a value: `ARG NAME` without a build argument. */
  readonly value: string | undefined;
  /** `ARG` and `ENV`: set by that instruction. `predefined`: known to the builder. `build-arg`: given from outside. */
  readonly origin: "ARG" | "ENV" | "predefined" | "build-arg";
  /** The name where it is set, if this file sets it. */
  readonly span: Span | undefined;
}

/** The names that are set at one place of the file. */
export type Scope = ReadonlyMap<string, Binding>;

export interface ScopeOptions {
  /** `--build-arg NAME=VALUE`. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Platform of the image, `os/arch[/variant]`, and of the machine that builds. */
  readonly targetPlatform?: string;
  readonly buildPlatform?: string;
}

/** Names of platforms; a stage must declare them with ARG to read them. @see Dockerfile reference, "Automatic platform ARGs" */
export const platformArgs: readonly string[] = [
  "TARGETPLATFORM",
  "TARGETOS",
  "TARGETARCH",
  "TARGETVARIANT",
  "BUILDPLATFORM",
  "BUILDOS",
  "BUILDARCH",
  "BUILDVARIANT",
];

/** Names that every instruction may read without declaring them. @see Dockerfile reference, "Predefined ARGs" */
export const proxyArgs: readonly string[] = [
  "HTTP_PROXY",
  "http_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "FTP_PROXY",
  "ftp_proxy",
  "NO_PROXY",
  "no_proxy",
  "ALL_PROXY",
  "all_proxy",
];

const knownNames: ReadonlySet<string> = new Set([...platformArgs, ...proxyArgs, "ARCH", "SOURCE_DATE_EPOCH", "PATH"]);

/** Whether the builder, or every base image, sets the name. `ARCH` is sealer's, in the source of COPY. */
export function isPredefined(name: string): boolean {
  return knownNames.has(name);
}

/** The values of the platform names, `ARCH` included. */
export function platformValues(options: ScopeOptions): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [prefix, platform] of [
    ["TARGET", options.targetPlatform],
    ["BUILD", options.buildPlatform],
  ] as const) {
    if (platform === undefined) continue;
    const [os = "", arch = "", variant = ""] = platform.split("/");
    values.set(`${prefix}PLATFORM`, platform);
    values.set(`${prefix}OS`, os);
    values.set(`${prefix}ARCH`, arch);
    values.set(`${prefix}VARIANT`, variant);
    if (prefix === "TARGET") values.set("ARCH", arch);
  }
  return values;
}

/** Walks a Kubefile from top to bottom and keeps what is set: the global arguments, and the scope of the open stage. */
export class ScopeWalk {
  readonly #escape: Escape;
  readonly #options: ScopeOptions;
  readonly #platform: ReadonlyMap<string, string>;
  readonly #globals = new Map<string, Binding>();
  readonly #stages = new Map<string, Map<string, Binding>>();
  #stageCount = 0;
  #args = new Map<string, Binding>();
  #env = new Map<string, Binding>();
  #inStage = false;

  constructor(escapeMark: Escape, options: ScopeOptions = {}) {
    this.#escape = escapeMark;
    this.#options = options;
    this.#platform = platformValues(options);
  }

  /** What an instruction at this place may read. FROM reads global arguments only. */
  scope(forFrom: boolean = !this.#inStage): Scope {
    if (forFrom) return new Map([...this.#predefined(this.#platform.keys()), ...this.#globals]);
    return new Map([...this.#predefined(proxyArgs), ...this.#args, ...this.#env]);
  }

  lookup(name: string, forFrom: boolean = !this.#inStage): string | undefined {
    if (forFrom) return this.#globals.get(name)?.value ?? this.#given(name) ?? this.#platform.get(name);
    return (
      this.#env.get(name)?.value ??
      this.#args.get(name)?.value ??
      (proxyArgs.includes(name) ? this.#given(name) : undefined)
    );
  }

  expand(word: Word, forFrom?: boolean): Expansion {
    const lookup: Lookup = (name) => this.lookup(name, forFrom);
    return expand(word.text, lookup, this.#escape);
  }

  /** Takes in what the instruction sets. Call it after its own words were expanded. */
  pass(instruction: Instruction): void {
    if (instruction.kind === "FROM") this.#enter(instruction);
    else if (instruction.kind === "ARG") this.#declare(instruction);
    else if (instruction.kind === "ENV") this.#set(instruction);
  }

  /** The environment of the open stage, in the order it was set. */
  get env(): ReadonlyMap<string, Binding> {
    return this.#env;
  }

  #given(name: string): string | undefined {
    const { buildArgs } = this.#options;
    return buildArgs !== undefined && Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
  }

  *#predefined(names: Iterable<string>): Iterable<[string, Binding]> {
    for (const name of names) {
      const value = this.#given(name) ?? this.#platform.get(name);
      if (value !== undefined) yield [name, { name, value, origin: "predefined", span: undefined }];
    }
  }

  #enter(from: From): void {
    const base = from.image === undefined ? "" : this.expand(from.image, true).value.toLowerCase();
    this.#args = new Map();
    this.#env = new Map(this.#stages.get(base));
    this.#inStage = true;
    // Later stages read the environment of this one as it is when it ends, so the map itself is kept.
    this.#stages.set(String(this.#stageCount++), this.#env);
    if (from.stageName !== undefined) this.#stages.set(from.stageName.value.toLowerCase(), this.#env);
  }

  #declare(arg: Arg): void {
    const values = arg.pairs.map((pair) => (pair.value === undefined ? undefined : this.expand(pair.value).value));
    for (const [index, pair] of arg.pairs.entries()) {
      const name = pair.name.value;
      const given = this.#given(name);
      const inherited = this.#inStage ? this.#globals.get(name)?.value : undefined;
      const value = given ?? values[index] ?? inherited ?? this.#platform.get(name);
      const origin = given === undefined ? "ARG" : "build-arg";
      (this.#inStage ? this.#args : this.#globals).set(name, { name, value, origin, span: pair.name.span });
    }
  }

  #set(env: Env): void {
    const values = env.pairs.map((pair) => (pair.value === undefined ? "" : this.expand(pair.value).value));
    for (const [index, pair] of env.pairs.entries()) {
      const name = this.expand(pair.name).value;
      this.#env.set(name, { name, value: values[index] ?? "", origin: "ENV", span: pair.name.span });
    }
  }
}

/** The names that the instruction at `offset` may read, with their values as far as the file and the options tell. */
export function scopeAt(kubefile: Kubefile, offset: number, options: ScopeOptions = {}): Scope {
  const last = itemIndexAt(kubefile, offset);
  const walk = new ScopeWalk(kubefile.escape, options);
  for (let index = 0; index < last; index++) {
    const item = kubefile.items[index];
    if (item?.kind !== "instruction") continue;
    const { kind } = item.node;
    if (kind !== "FROM" && kind !== "ARG" && kind !== "ENV") continue;
    const instruction = instructionOf(kubefile, index);
    if (instruction !== undefined) walk.pass(instruction);
  }
  const item = kubefile.items[last];
  return walk.scope(item?.kind === "instruction" && item.node.kind === "FROM" ? true : undefined);
}

/** What the variable `name` stands for where `offset` is, or `undefined` when nothing sets it. */
export function resolve(
  kubefile: Kubefile,
  offset: number,
  name: string,
  options: ScopeOptions = {},
): Binding | undefined {
  return scopeAt(kubefile, offset, options).get(name);
}
