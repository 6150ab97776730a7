import path from "node:path";
import type { Discovery, Finding, Unresolved } from "../discover/found.ts";
import { type Command, type CommandContext, textOption, textsOption } from "./command.ts";
import { table } from "./text.ts";

export const command: Command = {
  summary: "Find the container images that manifests and charts need, and tell why",
  usage: "[OPTIONS] PATH...",
  positionals: [1, 200],
  options: {
    mode: { type: "string", value: "MODE", help: "typed (default), or sealer: the lines that sealer's own scan takes" },
    values: {
      type: "string",
      short: "f",
      multiple: true,
      value: "FILE",
      help: "values to render charts with, one set each",
    },
    "kube-version": { type: "string", value: "VERSION", help: "Kubernetes version that charts are rendered for" },
    rules: { type: "string", value: "FILE", help: "rules for custom resources (YAML)" },
    declared: { type: "boolean", help: "also list images that charts merely declare" },
  },
  async run(context) {
    const mode = textOption(context, "mode") ?? "typed";
    if (mode === "sealer") return await printSealer(context);
    if (mode !== "typed") return await wrongMode(mode);
    const results = await discoverPaths(context);
    if (context.json) {
      context.print(JSON.stringify(results.map(({ path: folder, discovery }) => ({ path: folder, ...discovery }))));
      return 0;
    }
    for (const { path: folder, discovery } of results) {
      if (results.length > 1) context.print(folder);
      printDiscovery(context, discovery);
    }
    return 0;
  },
};

async function wrongMode(mode: string): Promise<never> {
  const { EngineError } = await import("../errors.ts");
  throw new EngineError("USAGE", { reason: `--mode takes typed or sealer, not "${mode}"`, command: "discover" });
}

async function discoverPaths(
  context: CommandContext,
): Promise<readonly { readonly path: string; readonly discovery: Discovery }[]> {
  const { readFile } = await import("node:fs/promises");
  const { discoverPath } = await import("../operations/discoverPath.ts");
  const resolve = (file: string): string => path.resolve(context.cwd, file);
  const valueSets = await Promise.all(
    textsOption(context, "values").map(async (file) => ({ name: file, text: await readFile(resolve(file), "utf8") })),
  );
  const rules = textOption(context, "rules");
  const kubeVersion = textOption(context, "kube-version");
  const options = {
    valueSets,
    ...(kubeVersion === undefined ? {} : { kubeVersion }),
    ...(rules === undefined ? {} : { rulesText: await readFile(resolve(rules), "utf8"), rulesFile: rules }),
  };
  const results: { path: string; discovery: Discovery }[] = [];
  for (const folder of context.positionals)
    results.push({ path: folder, discovery: await discoverPath(resolve(folder), options, context.signal) });
  return results;
}

async function printSealer(context: CommandContext): Promise<number> {
  const { sealerDiscovery } = await import("../operations/discoverPath.ts");
  for (const folder of context.positionals) {
    const images = await sealerDiscovery(path.resolve(context.cwd, folder), context.signal);
    context.print(context.json ? JSON.stringify({ path: folder, images }) : images.join("\n"));
  }
  return 0;
}

function printDiscovery(context: CommandContext, discovery: Discovery): void {
  const { declared } = context.values;
  const shown = discovery.findings.filter(({ confidence }) => declared === true || confidence !== "declared");
  const byImage = Map.groupBy(shown, ({ image }) => image);
  const rows = [...byImage].sort(([a], [b]) => (a < b ? -1 : 1)).map(([image, findings]) => imageRow(image, findings));
  if (rows.length > 0) context.print(table([["IMAGE", "SURE", "WHY", "WHERE"], ...rows]));
  const hidden = new Set(discovery.findings.map(({ image }) => image)).size - byImage.size;
  context.say(
    `${rows.length} image${rows.length === 1 ? "" : "s"}${hidden > 0 ? `, ${hidden} more declared by charts (--declared)` : ""}`,
  );
  for (const entry of discovery.unresolved) context.say(unresolvedLine(entry));
}

function imageRow(image: string, findings: readonly Finding[]): readonly string[] {
  const [first] = findings;
  if (first === undefined) return [image];
  const more = findings.length > 1 ? ` and ${findings.length - 1} more` : "";
  const { origin } = first;
  const place = origin.valuesOrigin ?? origin;
  return [image, first.confidence, first.rule, `${place.file}:${place.line}${more}`];
}

function unresolvedLine({ origin, text, reason }: Unresolved): string {
  return `${origin.file}:${origin.line}: ${text}: ${reason}`;
}
