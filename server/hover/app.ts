import { instructionOf } from "../../kubefile/parse.ts";
import type { Span } from "../../kubefile/span.ts";
import type { App, AppCmds, Cni, Csi, Instruction, Kubefile } from "../../kubefile/syntax.ts";
import { type AppLook, lookAtApp } from "../appFiles.ts";
import type { OpenKubefile } from "../documents.ts";
import { definitionsOf, type Named } from "../names.ts";
import type { World } from "../world.ts";
import type { HoverText } from "./hoverText.ts";

const mostListed = 10;

/** An application: where it is declared, its type and files, and the command line that launches it. */
export async function appHover(
  document: OpenKubefile,
  named: Named,
  span: Span,
  world: World,
  signal: AbortSignal,
): Promise<HoverText> {
  const { tree } = document;
  const declared = declarationOf(tree, named);
  if (declared === undefined) return inheritedApp(tree, named, span, world);
  const context = world.context(document.uri);
  const files = context === undefined ? undefined : await lookAtApp(context, declared, signal);
  const lines = [`**${named.name}**: application declared by ${declared.kind}`, ""];
  if (files !== undefined) lines.push(...fileLines(files));
  const launch = launchLine(named.name, commandsOf(tree, named), files);
  if (launch !== undefined) lines.push(`- Launched by: \`${launch}\``);
  lines.push(`- Kept in: \`application/apps/${named.name}/\``);
  return { span, markdown: lines.join("\n") };
}

function declarationOf(tree: Kubefile, named: Named): App | Cni | Csi | undefined {
  const definition = definitionsOf(named).at(-1);
  const node = definition === undefined ? undefined : instructionOf(tree, definition.item);
  return node?.kind === "APP" || node?.kind === "CNI" || node?.kind === "CSI" ? node : undefined;
}

function commandsOf(tree: Kubefile, named: Named): AppCmds | undefined {
  const nodes = named.occurrences.map((occurrence): Instruction | undefined => instructionOf(tree, occurrence.item));
  return nodes.findLast((node) => node?.kind === "APPCMDS");
}

/** Not declared here: a base image may bring it. */
async function inheritedApp(tree: Kubefile, named: Named, span: Span, world: World): Promise<HoverText> {
  for (const stage of tree.stages) {
    const image = stage.from.image?.value;
    if (image === undefined || image === "scratch") continue;
    const facts = await world.images.facts(image, 1500);
    const app = facts?.apps.find((candidate) => candidate.name === named.name);
    if (app === undefined) continue;
    const lines = [`**${named.name}**: application of the base image \`${image}\``, ""];
    if (app.type !== undefined) lines.push(`- Type: ${app.type}`);
    if (app.files !== undefined && app.files.length > 0) lines.push(`- Files: ${listed(app.files)}`);
    if (app.launch !== undefined) lines.push(`- Launched by: \`${app.launch}\``);
    return { span, markdown: lines.join("\n") };
  }
  return { span, markdown: `**${named.name}**: no APP, CNI or CSI of this file declares it.` };
}

function fileLines(look: AppLook): string[] {
  const lines: string[] = [];
  const { type, files, reason } = look;
  if (type !== undefined) lines.push(`- Type: ${type}. ${reason}`);
  else if (look.missing.length === 0 && !look.partial) lines.push(`- Type: none, so it needs APPCMDS. ${reason}`);
  if (files !== undefined && files.length > 0) lines.push(`- Files: ${listed(files)}`);
  for (const path of look.missing) lines.push(`- Missing in the build context: \`${path}\``);
  return lines;
}

/**
 * The command line that launches an application: APPCMDS joined by blanks, else what its type does.
 * @see sealer pkg/application, default launch commands
 */
function launchLine(name: string, commands: AppCmds | undefined, look: AppLook | undefined): string | undefined {
  const folder = `application/apps/${name}/`;
  if (commands?.commands !== undefined && commands.commands.length > 0)
    return `cd ${folder} && ${commands.commands.map((word) => word.value).join(" ")}`;
  const files = look?.files ?? [];
  switch (look?.type) {
    case "helm":
      return `helm install ${name} ${folder}`;
    case "kube":
      return shortened(files.map((file) => `kubectl apply -f ${join(folder, file)}`));
    case "shell":
      return shortened(files.map((file) => `bash ${join(folder, file)}`));
    default:
      return undefined;
  }
}

function join(folder: string, file: string): string {
  return folder + file.replace(/^\//u, "");
}

function shortened(commands: readonly string[]): string {
  const shown = commands.slice(0, 3).join(" && ");
  return commands.length > 3 ? `${shown} && … (${commands.length} files)` : shown;
}

function listed(files: readonly string[]): string {
  const shown = files
    .slice(0, mostListed)
    .map((file) => `\`${file}\``)
    .join(", ");
  return files.length > mostListed ? `${shown} and ${files.length - mostListed} more` : shown;
}
