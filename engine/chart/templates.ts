/** The templates of a chart and all below it, parsed once and run together. */

import type { TemplateFile } from "./chart.ts";
import type { ActiveChart } from "./dependencies.ts";
import { chartFunctions, isFunctionName } from "./functions/all.ts";
import type { FunctionHost } from "./functions/define.ts";
import { quote } from "./go/quote.ts";
import type { GoTime } from "./go/time.ts";
import { compareText, GoFunction, goType, type Value } from "./go/value.ts";
import { executeTemplate, executeTree, type TemplateSet } from "./template/evaluate.ts";
import { GoError } from "./template/failure.ts";
import type { Meter } from "./template/meter.ts";
import { isEmptyBody, type Tree } from "./template/nodes.ts";
import type { Runtime } from "./template/operands.ts";
import { parseTemplate } from "./template/parse.ts";
import { ParseError } from "./template/tokens.ts";
import { tableAt, valueAt } from "./values.ts";
import { writeYaml } from "./yaml/write.ts";

/** A template file of the tree of charts, under the name Helm gives it. */
export interface NamedTemplate {
  /** `wordpress/charts/mariadb/templates/svc.yaml` */
  readonly name: string;
  readonly chartPath: string;
  readonly file: TemplateFile;
}

/** Templates in the order Helm parses and renders them. Library charts give only their partials. */
export function templatesOf(root: ActiveChart): readonly NamedTemplate[] {
  const found = new Map<string, NamedTemplate>();
  const collect = (chart: ActiveChart, chartPath: string): void => {
    for (const sub of chart.subcharts) collect(sub, `${chartPath}/charts/${sub.name}`);
    const isLibrary = chart.metadata.type.toLowerCase() === "library";
    for (const file of chart.templates) {
      if (isLibrary && !isPartial(file.path)) continue;
      const name = `${chartPath}/${file.path}`;
      found.set(name, { name, chartPath, file });
    }
  };
  collect(root, root.name);
  return parseOrder(found.keys()).flatMap((name) => found.get(name) ?? []);
}

/** Whether a file only defines templates for others. */
export function isPartial(path: string): boolean {
  return path.slice(path.lastIndexOf("/") + 1).startsWith("_");
}

/** A set of trees over another; looking up falls through to the lower one. */
class Layer implements TemplateSet {
  readonly #below: TemplateSet | undefined;
  readonly #trees = new Map<string, Tree>();

  constructor(below: TemplateSet | undefined) {
    this.#below = below;
  }

  lookup(name: string): Tree | undefined {
    return this.#trees.get(name) ?? this.#below?.lookup(name);
  }

  /** Later trees replace earlier ones, unless they are empty. */
  add(tree: Tree): void {
    if (isEmptyBody(tree.root) && this.lookup(tree.name) !== undefined) return;
    this.#trees.set(tree.name, tree);
  }
}

/** Parses every template. Files parsed before under the same name are not parsed again. @throws ParseError */
export function parseAll(templates: readonly NamedTemplate[], meter: Meter): TemplateSet {
  const set = new Layer(undefined);
  for (const { name, file } of templates) {
    meter.check();
    let trees = file.parsed.get(name);
    if (trees === undefined) {
      trees = parseTemplate(name, file.text, isFunctionName);
      file.parsed.set(name, trees);
    }
    for (const tree of trees) set.add(tree);
  }
  return set;
}

/** What a render gives its templates besides values. */
export interface RenderWorld {
  readonly meter: Meter;
  readonly now: GoTime;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Deepest `include` of one name inside itself. */
const deepestInclude = 1000;

/** Runs templates of one set; `include` and `tpl` find their templates in it. */
export class TemplateRunner {
  readonly #world: RenderWorld;
  readonly #included: Map<string, number>;
  readonly #parsedTexts: Map<string, readonly Tree[]>;
  readonly #set: TemplateSet;
  readonly #runtime: Runtime;

  constructor(set: TemplateSet, world: RenderWorld, shared?: TemplateRunner) {
    this.#set = set;
    this.#world = world;
    this.#included = shared === undefined ? new Map() : shared.#included;
    this.#parsedTexts = shared === undefined ? new Map() : shared.#parsedTexts;
    const host: FunctionHost = {
      meter: world.meter,
      now: world.now,
      randomBytes: world.randomBytes,
      include: (name, data) => this.#include(name, data),
      tpl: (text, data) => this.#tpl(text, data),
    };
    this.#runtime = { functions: chartFunctions, host, meter: world.meter, mapMethod };
  }

  /** Renders a template by name. @throws ExecError, LimitReached */
  run(name: string, data: Value): string {
    return executeTemplate(this.#set, name, data, this.#runtime);
  }

  #include(name: string, data: Value): string {
    const depth = this.#included.get(name) ?? 0;
    if (depth > deepestInclude) {
      throw new GoError(
        `rendering template has a nested reference name: ${name}: unable to execute template`,
        new GoError("unable to execute template"),
      );
    }
    this.#included.set(name, depth + 1);
    const text = executeTemplate(this.#set, name, data, this.#runtime);
    this.#included.set(name, depth);
    return text;
  }

  #tpl(text: string, data: Value): string {
    // Text without actions is its own result.
    if (!text.includes("{{")) return text.replaceAll("<no value>", "");
    const layer = new Layer(this.#set);
    for (const tree of this.#parsed(text)) layer.add(tree);
    const runner = new TemplateRunner(layer, this.#world, this);
    try {
      const tree = layer.lookup("gotpl");
      const out = tree === undefined ? "" : executeTree(layer, tree, data, runner.#runtime);
      return out.replaceAll("<no value>", "");
    } catch (error) {
      if (!(error instanceof GoError)) throw error;
      throw new GoError(`error during tpl function execution for ${quote(text)}: ${error.message}`, error);
    }
  }

  #parsed(text: string): readonly Tree[] {
    const known = this.#parsedTexts.get(text);
    if (known !== undefined) return known;
    this.#world.meter.spend(text.length >> 4);
    try {
      const trees = parseTemplate("gotpl", text, isFunctionName);
      this.#parsedTexts.set(text, trees);
      return trees;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      throw new GoError(`cannot parse template ${quote(text)}: ${error.message}`, new GoError(error.message));
    }
  }
}

/** The methods Helm's values type has: `.Values.AsMap`, `.Values.Table "a.b"`, `.Values.PathValue "a.b"`, `.Values.YAML`. */
function mapMethod(receiver: Value, name: string): GoFunction | undefined {
  if (!(receiver instanceof Map) || goType(receiver) !== "common.Values") return undefined;
  switch (name) {
    case "AsMap":
      return new GoFunction([], undefined, () => new Map(receiver));
    case "YAML":
      return new GoFunction([], undefined, () => writeYaml(receiver, () => {}));
    case "Table":
      return new GoFunction(["string"], undefined, ([path]) => {
        const table = tableAt(receiver, String(path));
        if (table === undefined)
          throw new GoError(`${JSON.stringify(missingPart(receiver, String(path)))} is not a table`);
        return table;
      });
    case "PathValue":
      return new GoFunction(["string"], undefined, ([path]) => {
        const value = valueAt(receiver, String(path));
        const last = String(path).split(".").at(-1) ?? "";
        if (value === undefined) throw new GoError(`${JSON.stringify(last)} is not a value`);
        return value;
      });
    default:
      return undefined;
  }
}

function missingPart(values: ReadonlyMap<string, Value>, path: string): string {
  let table: Value = new Map(values);
  for (const part of path.split(".")) {
    const next: Value = table instanceof Map ? table.get(part) : undefined;
    if (!(next instanceof Map)) return part;
    table = next;
  }
  return path;
}

/** Orders template files as Helm parses them: the deepest path first, then by name backwards. */
function parseOrder(names: Iterable<string>): string[] {
  const depth = (name: string): number => name.split("/").length;
  return [...names].sort((a, b) => depth(b) - depth(a) || compareText(b, a));
}
