/** Every function a chart's templates can call besides text/template's own. */
import type { GoFunction } from "../go/value.ts";
import { builtins, lazyBuiltins } from "../template/builtins.ts";
import { certificateFunctions } from "./certificates.ts";
import { cryptoFunctions } from "./crypto.ts";
import { dateFunctions } from "./dates.ts";
import { dictFunctions } from "./dicts.ts";
import { encodingFunctions } from "./encodings.ts";
import { listFunctions } from "./lists.ts";
import { logicFunctions } from "./logic.ts";
import { mathFunctions } from "./math.ts";
import { pathFunctions } from "./paths.ts";
import { regexFunctions } from "./regex.ts";
import { semverFunctions } from "./semver.ts";
import { stringFunctions } from "./strings.ts";

/** Sprig 3.3 without `env` and `expandenv`, and Helm 4.1's own functions, by name. */
export const chartFunctions: ReadonlyMap<string, GoFunction> = new Map(
  [
    certificateFunctions,
    cryptoFunctions,
    dateFunctions,
    dictFunctions,
    encodingFunctions,
    listFunctions,
    logicFunctions,
    mathFunctions,
    pathFunctions,
    regexFunctions,
    semverFunctions,
    stringFunctions,
  ].flatMap((table) => Object.entries(table)),
);

/** Whether an identifier in a template names a function. */
export function isFunctionName(name: string): boolean {
  return chartFunctions.has(name) || builtins.has(name) || lazyBuiltins.includes(name);
}
