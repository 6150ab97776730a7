import { expand } from "../../kubefile/expand.ts";
import type { Escape } from "../../kubefile/syntax.ts";
import { proxyArgs } from "../../kubefile/variables.ts";
import type { UsedVariable } from "./steps.ts";

/** Names and values of one stage while it is read from top to bottom. ENV wins over ARG, as Docker has it. */
export class StageEnvironment {
  readonly #escape: Escape;
  readonly #buildArgs: Readonly<Record<string, string>>;
  readonly #globals: ReadonlyMap<string, string | undefined>;
  readonly #platform: ReadonlyMap<string, string>;
  readonly #args = new Map<string, string | undefined>();
  readonly #env = new Map<string, string>();

  constructor(options: {
    readonly escape: Escape;
    readonly buildArgs: Readonly<Record<string, string>>;
    readonly globals: ReadonlyMap<string, string | undefined>;
    readonly platform: ReadonlyMap<string, string>;
    /** `NAME=value` of the image below. */
    readonly inherited: readonly string[];
  }) {
    this.#escape = options.escape;
    this.#buildArgs = options.buildArgs;
    this.#globals = options.globals;
    this.#platform = options.platform;
    for (const pair of options.inherited) {
      const equals = pair.indexOf("=");
      if (equals > 0) this.#env.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
  }

  /** What `$NAME` stands for. */
  lookup(name: string): string | undefined {
    return this.#env.get(name) ?? this.#args.get(name) ?? this.#predefined(name);
  }

  /** `ARCH` is sealer's: it may be read in the source of COPY without being declared. */
  lookupInSource(name: string): string | undefined {
    return this.lookup(name) ?? (name === "ARCH" ? this.#platform.get("ARCH") : undefined);
  }

  expand(text: string, lookup: (name: string) => string | undefined = (name) => this.lookup(name)): string {
    const expansion = expand(text, lookup, this.#escape);
    if (expansion.error !== undefined) throw new ExpansionFailure(expansion.error);
    return expansion.value;
  }

  /** Expands the body of a heredoc: quotes mean nothing there, and an escaped character stays with its escape. */
  expandBody(text: string): string {
    const mark = this.#escape;
    const token = mark === "`" ? /`([\s\S])|["']/g : /\\([\s\S])|["']/g;
    const safe = text.replace(token, (found, escaped: string | undefined) =>
      escaped === undefined ? `${mark}${found}` : `${mark}${mark}${mark}${escaped}`,
    );
    return this.expand(safe);
  }

  /** Expands a decoded string of a JSON array: only variables are special in it. */
  expandDecoded(text: string, lookup?: (name: string) => string | undefined): string {
    const mark = this.#escape;
    return this.expand(
      text.replace(/["'\\`]/g, (found) =>
        found === mark || found === '"' || found === "'" ? `${mark}${found}` : found,
      ),
      lookup,
    );
  }

  /** ARG in a stage: given from outside, else its default, else the global of that name, else the platform's. */
  declare(name: string, defaultText: string | undefined): void {
    const given = Object.hasOwn(this.#buildArgs, name) ? this.#buildArgs[name] : undefined;
    const own = defaultText === undefined ? undefined : this.expand(defaultText);
    this.#args.set(name, given ?? own ?? this.#globals.get(name) ?? this.#platform.get(name));
  }

  set(name: string, value: string): void {
    this.#env.set(name, value);
  }

  /** The image's environment as `NAME=value`, in the order it was set. */
  get pairs(): readonly string[] {
    return [...this.#env].map(([name, value]) => `${name}=${value}`);
  }

  /** What a RUN sees: the arguments its environment does not hide, and the image's environment. */
  get all(): readonly (readonly [string, string])[] {
    const args = [...this.#args].flatMap(([name, value]): [string, string][] =>
      value === undefined || this.#env.has(name) ? [] : [[name, value]],
    );
    return [...args, ...this.#env];
  }

  /** Proxies that were given from outside and not declared. */
  get proxies(): readonly (readonly [string, string])[] {
    return proxyArgs.flatMap((name): [string, string][] => {
      const value = this.#predefined(name);
      return value === undefined || this.#env.has(name) || this.#args.has(name) ? [] : [[name, value]];
    });
  }

  /** Names an instruction reads, with where they come from. */
  used(names: Iterable<string>): readonly UsedVariable[] {
    return [...new Set(names)].sort().flatMap((name): UsedVariable[] => {
      const value = this.lookupInSource(name);
      if (value === undefined) return [];
      return [{ name, value, origin: this.#env.has(name) ? "ENV" : "ARG" }];
    });
  }

  #predefined(name: string): string | undefined {
    return proxyArgs.includes(name) && Object.hasOwn(this.#buildArgs, name) ? this.#buildArgs[name] : undefined;
  }
}

/** A word the builder cannot expand: `${X:?must be set}`. Caught where the instruction is known. */
export class ExpansionFailure extends Error {
  override readonly name: string = "ExpansionFailure";
}
