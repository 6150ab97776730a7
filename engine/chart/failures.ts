/** Errors of templates in the words and the layout `helm template` prints. */
import { ChartSays } from "./functions/logic.ts";
import { ExecError, type GoError } from "./template/failure.ts";
import { ParseError } from "./template/tokens.ts";

/** A failed render: Helm's text, and the place it is about. */
export interface Failure {
  readonly detail: string;
  /** Template file, as Helm names it. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
}

/** Describes an error of parsing or running a template. */
export function describeFailure(error: ParseError | GoError): Failure {
  const detail = error instanceof ParseError ? parseText(error.message) : execText(error);
  const place =
    /(?:^|[\s(])((?:[^\s():]+\/)+[^\s():]+):(\d+)/.exec(deepest(error).message) ??
    /^template: ([^:]+):(\d+)/.exec(error.message);
  return place === null ? { detail } : { detail, file: place[1] ?? "", line: Number(place[2]) };
}

/** The innermost error that names a place in a template. */
function deepest(error: ParseError | GoError): Error {
  let found: Error = error;
  for (let at: unknown = error; at instanceof ExecError; at = at.inner) found = at;
  return found;
}

function parseText(message: string): string {
  const parts = message.split(": ");
  return parts.length === 1 ? `parse error in (${message})` : `parse error at (${parts[1]}): ${parts.at(-1)}`;
}

function execText(error: GoError): string {
  if (!(error instanceof ExecError)) return error.message;
  const says = wordsOfChart(error);
  const location = /^template: (.*?): /s.exec(error.message)?.[1] ?? "";
  if (says !== undefined) return `execution error at (${location}): ${says}`;
  const steps: string[] = [];
  for (let at: Error | undefined = error; at !== undefined; at = (at as GoError).inner) {
    const step = stepOf(at.message);
    if (step === undefined) return error.message;
    if (steps.at(-1) !== step) steps.push(step);
  }
  return steps.join("").trim();
}

/** What `fail` or `required` said, wherever in the chain of errors. */
function wordsOfChart(error: Error): string | undefined {
  for (let at: Error | undefined = error; at !== undefined; at = (at as GoError).inner) {
    if (at instanceof ChartSays) return at.words;
  }
  return undefined;
}

/** One level of the chain: where, what was running, what went wrong. */
function stepOf(message: string): string | undefined {
  if (!message.startsWith("template: ")) return undefined;
  const rest = message.slice("template: ".length);
  if (rest.startsWith("no template ")) return `${message}\n`;
  const found = /^(.*?): executing "((?:[^"\\]|\\.)*)" at <(.*?)>: (.*)$/s.exec(rest);
  if (found !== null) {
    const [, where = "", name = "", node = "", reason = ""] = found;
    return `${where}\n  executing "${name}" at <${node}>:\n    ${cut(reason)}\n`;
  }
  const split = rest.lastIndexOf(": ");
  return split < 0 ? undefined : `${rest.slice(0, split)}\n  ${cut(rest.slice(split + 2))}\n`;
}

function cut(reason: string): string {
  const next = reason.indexOf(" template:");
  return next < 0 ? reason : reason.slice(0, next);
}
