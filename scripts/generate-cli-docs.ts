/**
 * Writes `docs/commands.md` from the commands themselves: every command of the command line with its options. `--check` writes nothing
 * and exits 1 when the page would change.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { rootDir, say } from "./say.ts";

/** What this page needs of a command; `engine/commands/command.ts` has the whole of it. */
interface Command {
  readonly summary: string;
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionInfo>>;
}

interface OptionInfo {
  readonly short?: string;
  readonly value?: string;
  readonly help: string;
}

const page = path.join(rootDir, "docs/commands.md");
const text = commandsPage(await loadCommands());
const isNew = text !== readOrEmpty(page);
if (process.argv.includes("--check")) {
  if (isNew) say("docs/commands.md is not up to date: run node scripts/generate-cli-docs.ts");
  process.exitCode = isNew ? 1 : 0;
} else if (isNew) {
  writeFileSync(page, text);
  say("docs/commands.md written");
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The commands in the order of `engine/cli.ts`, whose table is read as text: importing it would run it. */
async function loadCommands(): Promise<readonly (readonly [name: string, command: Command])[]> {
  const source = readFileSync(path.join(rootDir, "engine/cli.ts"), "utf8");
  const rows = [...source.matchAll(/^ {2}"?([a-z-]+)"?: \(\) => import\("\.\/(commands\/\w+\.ts)"\),$/gm)];
  if (rows.length === 0) throw new Error("engine/cli.ts has no table of commands in the form this script reads");
  const loaded: (readonly [string, Command])[] = [];
  for (const [, name = "", file = ""] of rows) {
    const { command } = (await import(path.join(rootDir, "engine", file))) as { readonly command: Command };
    loaded.push([name, command]);
  }
  return loaded;
}

function commandsPage(commands: readonly (readonly [name: string, command: Command])[]): string {
  return [
    "# Commands",
    "",
    "Every command with its options. What all of them share, and the exit codes, are in [cli.md](cli.md). Written by",
    "`scripts/generate-cli-docs.ts`.",
    "",
    "| command | what it does |",
    "|---|---|",
    ...commands.map(([name, { summary }]) => `| [\`${name}\`](#${name}) | ${cell(summary)} |`),
    "",
    ...commands.flatMap(([name, command]) => section(name, command)),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

function section(name: string, { usage, summary, options }: Command): readonly string[] {
  const rows = Object.entries(options).map(([key, option]) => `| ${optionCell(key, option)} | ${cell(option.help)} |`);
  return [
    `## ${name}`,
    "",
    `${summary}.`,
    "",
    "```sh",
    `kubefile ${name} ${usage}`.trimEnd(),
    "```",
    "",
    ...(rows.length === 0 ? [] : ["| option | |", "|---|---|", ...rows, ""]),
  ];
}

function optionCell(key: string, { short, value }: OptionInfo): string {
  const long = `\`--${key}${value === undefined ? "" : ` ${value.replaceAll("|", "\\|")}`}\``;
  return short === undefined ? long : `\`-${short}\`, ${long}`;
}

function cell(help: string): string {
  return help.replaceAll("|", "\\|").replaceAll("<", "\\<");
}
