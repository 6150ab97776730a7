import type { ParseArgsOptionDescriptor } from "node:util";
import type { Engine } from "../engine.ts";

/** An option of a command, as `parseArgs` takes it, with what help says of it. */
export interface OptionInfo extends ParseArgsOptionDescriptor {
  /** What stands for the value in help: `DIR`. */
  readonly value?: string;
  readonly help: string;
}

/** What a command gets from the entry point: the only place that reads arguments, environment and terminal. */
export interface CommandContext {
  readonly values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
  /** Opens the engine on the chosen store; the caller disposes it. */
  openEngine(): Promise<Engine>;
  /** The answer, on standard output. */
  readonly print: (text: string) => void;
  /** Progress and remarks, on standard error. */
  readonly say: (text: string) => void;
  readonly json: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of the terminal, or undefined when output goes elsewhere. */
  readonly columns: number | undefined;
  readonly signal: AbortSignal;
}

/** One command of the command line. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the command's name: `[OPTIONS] PATH`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionInfo>>;
  /** Least and most arguments. */
  readonly positionals: readonly [least: number, most: number];
  /** Gives the exit code. Throws what the engine throws. */
  run(context: CommandContext): Promise<number>;
}

/** The text of an option; undefined when it is not given. */
export function textOption(context: CommandContext, name: string): string | undefined {
  const value = context.values[name];
  return typeof value === "string" ? value : undefined;
}

/** All texts of an option that may be repeated. */
export function textsOption(context: CommandContext, name: string): readonly string[] {
  const value = context.values[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** Whether a switch is given. */
export function flagOption(context: CommandContext, name: string): boolean {
  return context.values[name] === true;
}
