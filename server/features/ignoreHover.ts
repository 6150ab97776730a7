import type { Hover } from "vscode-languageserver";
import { type IgnoreRules, matchIgnore, parseIgnore } from "../../kubefile/ignore.ts";
import type { BuildContext } from "../buildContext.ts";
import type { OpenIgnoreFile } from "../documents.ts";
import { pathsIn } from "../files.ts";
import { contentOf, type HoverOptions } from "../hover/hoverText.ts";
import type { World } from "../world.ts";

const limits = { files: 5000, listed: 8 } as const;

/** On a line of an ignore file: the files of the build context that this line decides about. */
export async function ignoreHover(
  document: OpenIgnoreFile,
  line: number,
  world: World,
  options: HoverOptions,
  signal: AbortSignal,
): Promise<Hover | null> {
  const name = document.uri.slice(document.uri.lastIndexOf("/") + 1);
  const rules = parseIgnore(document.lines.getText(), name);
  const rule = rules.rules.find((candidate) => candidate.line === line + 1);
  const context = world.context(document.uri);
  if (rule === undefined || context === undefined) return null;
  const { paths, all } = await decidedBy(context, rules, line + 1, signal);
  const verb = rule.negated ? "Keeps" : "Leaves out";
  const listed = paths.slice(0, limits.listed).map((path) => `- \`${path}\``);
  const more = paths.length > limits.listed ? [`- and ${paths.length - limits.listed} more`] : [];
  const count = `${verb} ${paths.length}${all ? "" : " or more"} file${paths.length === 1 && all ? "" : "s"} of the build context.`;
  const range = {
    start: { line, character: 0 },
    end: document.lines.positionAt(document.lines.offsetAt({ line: line + 1, character: 0 })),
  };
  return { range, contents: contentOf([count, "", ...listed, ...more].join("\n").trimEnd(), options) };
}

async function decidedBy(
  context: BuildContext,
  rules: IgnoreRules,
  line: number,
  signal: AbortSignal,
): Promise<{ readonly paths: readonly string[]; readonly all: boolean }> {
  const paths: string[] = [];
  const left = [""];
  let looked = 0;
  for (let folder = left.pop(); folder !== undefined && looked < limits.files; folder = left.pop()) {
    signal.throwIfAborted();
    const found = pathsIn(folder, (await context.entries(folder)) ?? []);
    looked += found.files.length;
    paths.push(...found.files.filter((file) => matchIgnore(rules, file).rule?.line === line));
    left.push(...found.folders);
  }
  return { paths: paths.sort(), all: looked < limits.files };
}
