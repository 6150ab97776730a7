/**
 * Go's `fmt.Sprintf`: directives, flags, and its texts for wrong verbs and missing or extra arguments.
 * @see https://pkg.go.dev/fmt
 */
import { formatValue, plainV, type Spec } from "./format.ts";
import { goType, Int, type Value } from "./value.ts";

/** Widths and precisions beyond this are refused by Go too. */
const largestNumber = 1_000_000;

/** `fmt.Sprintf(format, …args)`, with Go's texts for wrong verbs and missing or extra arguments. */
export function sprintf(format: string, args: readonly Value[]): string {
  return new Printer(format, args).run();
}

/** A width or precision. */
interface Measure {
  readonly size: number | undefined;
  readonly isArgument: boolean;
  /** What is printed when an argument is no number. */
  readonly problem: string;
}

const unmeasured: Measure = { size: undefined, isArgument: false, problem: "" };

function abs(size: number | undefined): number | undefined {
  return size === undefined ? undefined : Math.abs(size);
}

/** The state of one `Sprintf`: where it stands in the format and which argument is next. */
class Printer {
  readonly #format: string;
  readonly #args: readonly Value[];
  #at = 0;
  #next = 0;
  #reordered = false;

  constructor(format: string, args: readonly Value[]) {
    this.#format = format;
    this.#args = args;
  }

  run(): string {
    let out = "";
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf("%", this.#at);
      if (percent < 0) {
        out += this.#format.slice(this.#at);
        break;
      }
      out += this.#format.slice(this.#at, percent);
      this.#at = percent + 1;
      out += this.#directive();
    }
    if (!this.#reordered && this.#next < this.#args.length) out += this.#extra();
    return out;
  }

  #extra(): string {
    const rest = this.#args.slice(this.#next).map((arg) => {
      return arg === undefined || arg === null ? "<nil>" : `${goType(arg)}=${formatValue(arg, plainV, 0)}`;
    });
    return `%!(EXTRA ${rest.join(", ")})`;
  }

  #directive(): string {
    const flags = this.#flags();
    let badIndex = this.#argNumber();
    const width = this.#measure("%!(BADWIDTH)");
    let precision: Measure = unmeasured;
    if (this.#format[this.#at] === ".") {
      this.#at++;
      badIndex = this.#argNumber() || badIndex;
      precision = this.#precision();
    }
    const mayBeIndexed = width.isArgument || precision.isArgument;
    if (mayBeIndexed || width.size === undefined || precision.size !== undefined) {
      badIndex = this.#argNumber() || badIndex;
    }
    const minus = flags.minus || (width.size ?? 0) < 0;
    const zero = flags.zero && !minus;
    const spec = { ...flags, minus, zero, width: abs(width.size), precision: precision.size };
    return width.problem + precision.problem + this.#operand(spec, badIndex);
  }

  /** The verb and what it prints. */
  #operand(spec: Omit<Spec, "verb" | "plusV">, badIndex: boolean): string {
    if (this.#at >= this.#format.length) return "%!(NOVERB)";
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) ?? 0);
    this.#at += verb.length;
    if (verb === "%") return "%";
    if (badIndex) return `%!${verb}(BADINDEX)`;
    if (this.#next >= this.#args.length) return `%!${verb}(MISSING)`;
    const arg = this.#args[this.#next++];
    if (verb !== "v" || !spec.plus) return formatValue(arg, { ...spec, verb, plusV: false }, 0);
    const { minus, zero, width, precision } = spec;
    return formatValue(arg, { ...plainV, minus, zero, width, precision, plusV: true }, 0);
  }

  /** A number that stands in the format, or `*` for one of the arguments. */
  #measure(badWords: string): Measure {
    if (this.#format[this.#at] !== "*") return { ...unmeasured, size: this.#number() };
    this.#at++;
    const size = this.#intArgument();
    return { size, isArgument: true, problem: size === undefined ? badWords : "" };
  }

  /** A precision left out is 0, a negative argument is none. */
  #precision(): Measure {
    const measure = this.#measure("%!(BADPREC)");
    if (!measure.isArgument) return { ...measure, size: measure.size ?? 0 };
    return { ...measure, size: measure.size !== undefined && measure.size < 0 ? undefined : measure.size };
  }

  #flags(): Pick<Spec, "plus" | "minus" | "sharp" | "space" | "zero"> {
    const found = /^[+\-# 0]*/.exec(this.#format.slice(this.#at, this.#at + 16))?.[0] ?? "";
    this.#at += found.length;
    const has = (flag: string): boolean => found.includes(flag);
    return { plus: has("+"), minus: has("-"), sharp: has("#"), space: has(" "), zero: has("0") };
  }

  #number(): number | undefined {
    const digits = /^\d{1,9}/.exec(this.#format.slice(this.#at, this.#at + 9))?.[0];
    if (digits === undefined) return undefined;
    this.#at += digits.length;
    const number = Number(digits);
    return number > largestNumber ? undefined : number;
  }

  #intArgument(): number | undefined {
    const arg = this.#args[this.#next];
    if (this.#next < this.#args.length) this.#next++;
    if (!(arg instanceof Int)) return undefined;
    const number = Number(arg.value);
    return Math.abs(number) > largestNumber ? undefined : number;
  }

  /** Reads `[n]`; true when it is malformed or out of range. */
  #argNumber(): boolean {
    if (this.#format[this.#at] !== "[") return false;
    this.#reordered = true;
    const found = /^\[(\d+)\]/.exec(this.#format.slice(this.#at, this.#at + 12));
    if (found === null) {
      const close = this.#format.indexOf("]", this.#at);
      this.#at = close < 0 ? this.#at + 1 : close + 1;
      return true;
    }
    this.#at += found[0].length;
    const index = Number(found[1]);
    if (index < 1 || index > this.#args.length) return true;
    this.#next = index - 1;
    return false;
  }
}
