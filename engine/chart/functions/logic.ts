/** Sprig's defaults and reflection, and Helm's `required`, `fail`, `include`, `tpl` and `lookup`. */
import { deepEqual } from "../go/equal.ts";
import { goKind, goType } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import { isEmpty } from "./convert.ts";
import { type FunctionTable, fn, variadic } from "./define.ts";

/** Wraps what `fail` and `required` say, so that it can be told from errors of the engine. */
export class ChartSays extends GoError {
  readonly words: string;

  constructor(words: string) {
    super(`HELM_ERR_START${words}HELM_ERR_END`);
    this.words = words;
  }
}

export const logicFunctions: FunctionTable = {
  default: variadic(["any"], "any", ([fallback], given) => {
    return given.length === 0 || isEmpty(given[0]) ? fallback : given[0];
  }),
  empty: fn(["any"], ([value]) => isEmpty(value)),
  coalesce: variadic([], "any", (_, values) => values.find((value) => !isEmpty(value)) ?? null),
  all: variadic([], "any", (_, values) => values.every((value) => !isEmpty(value))),
  any: variadic([], "any", (_, values) => values.some((value) => !isEmpty(value))),
  ternary: fn(["any", "any", "bool"], ([yes, no, condition]) => (condition ? yes : no)),
  typeOf: fn(["any"], ([value]) => goType(value)),
  typeIs: fn(["string", "any"], ([wanted, value]) => wanted === goType(value)),
  typeIsLike: fn(["string", "any"], ([wanted, value]) => {
    return wanted === goType(value) || `*${wanted}` === goType(value);
  }),
  kindOf: fn(["any"], ([value]) => goKind(value)),
  kindIs: fn(["string", "any"], ([wanted, value]) => wanted === goKind(value)),
  deepEqual: fn(["any", "any"], ([a, b]) => deepEqual(a, b)),
  fail: fn(["string"], ([words]) => {
    throw new ChartSays(words);
  }),
  required: fn(["string", "any"], ([words, value]) => {
    if (value === undefined || value === null || value === "") throw new ChartSays(words);
    return value;
  }),
  include: fn(["string", "any"], ([name, data], host) => host.include(name, data)),
  tpl: fn(["string", "any"], ([text, data], host) => host.tpl(text, data)),
  // No cluster is asked while a chart is rendered here.
  lookup: fn(["string", "string", "string", "string"], () => new Map()),
  getHostByName: fn(["string"], () => ""),
};
