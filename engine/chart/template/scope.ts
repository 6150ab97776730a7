/** The variables of a template while it runs. */
import type { Value } from "../go/value.ts";

/** One variable. */
export interface Variable {
  readonly name: string;
  value: Value;
  /** Whether Go would hold it as an interface, which error messages tell. */
  isInterface: boolean;
}

/** Variables, the innermost last; a block leaves those behind that it declared. */
export class Scope {
  readonly #variables: Variable[];

  /** @param root the value of `$` */
  constructor(root: Value) {
    this.#variables = [{ name: "$", value: root, isInterface: false }];
  }

  /** How many there are, to `leave` for later. */
  get size(): number {
    return this.#variables.length;
  }

  leave(size: number): void {
    this.#variables.length = size;
  }

  find(name: string): Variable | undefined {
    return this.#variables.findLast((known) => known.name === name);
  }

  declare(name: string, value: Value): void {
    this.#variables.push({ name, value, isInterface: false });
  }

  /** Gives a known variable another value; false when there is none of that name. */
  assign(name: string, value: Value): boolean {
    const variable = this.find(name);
    if (variable === undefined) return false;
    variable.value = value;
    variable.isInterface = false;
    return true;
  }

  /** Puts a new variable in place of one: each step of a range has its own. @param fromEnd 1 for the innermost */
  renew(fromEnd: number, value: Value, isInterface: boolean): void {
    const at = this.#variables.length - fromEnd;
    const known = this.#variables[at];
    if (known !== undefined) this.#variables[at] = { name: known.name, value, isInterface };
  }
}
