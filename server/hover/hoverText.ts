import type { MarkupContent } from "vscode-languageserver";
import type { DirectiveInfo, FlagInfo, InstructionInfo } from "../../kubefile/instructions.ts";
import type { Span } from "../../kubefile/span.ts";

export interface HoverOptions {
  /** The client shows Markdown. */
  readonly markdown: boolean;
}

/** What a hover says, before it is put into the client's format. */
export interface HoverText {
  readonly span: Span;
  readonly markdown: string;
}

/** Help for an instruction: how it is written, what it does, and where that is specified. */
export function instructionHelp(info: InstructionInfo): string {
  const lines = ["```kubefile", ...info.usage, "```", info.help];
  if (info.deprecated !== undefined) lines.push("", `**Deprecated.** Write \`${info.deprecated}\` instead.`);
  if (info.dialects.length === 1) lines.push("", `Only in ${info.dialects[0]}.`);
  lines.push("", `[${info.name} reference](${info.link})`);
  return lines.join("\n");
}

/** Help for a flag of an instruction. */
export function flagHelp(info: InstructionInfo, flag: FlagInfo): string {
  const value = flag.value === "optional" ? "[=true|false]" : "=…";
  const lines = [`\`${info.name} --${flag.name}${value}\``, "", flag.help];
  if (flag.values.length > 0) lines.push("", `Values: ${flag.values.map((text) => `\`${text}\``).join(", ")}`);
  if (!flag.dialects.includes("sealer")) lines.push("", "sealer does not honour it.");
  return lines.join("\n");
}

/** Help for a parser directive. */
export function directiveHelp(info: DirectiveInfo): string {
  return [`\`# ${info.name}=${info.values[0] ?? ""}\``, "", info.help, "", `[Reference](${info.link})`].join("\n");
}

/** Markdown as the client wants it. */
export function contentOf(markdown: string, options: HoverOptions): MarkupContent {
  return options.markdown ? { kind: "markdown", value: markdown } : { kind: "plaintext", value: plainTextOf(markdown) };
}

/** Markdown of our own making without its marks. */
export function plainTextOf(markdown: string): string {
  return markdown
    .replace(/^```\w*\n?/gmu, "")
    .replace(/\[([^\]]*)\]\(([^)]*)\)/gu, "$1: $2")
    .replace(/\*\*([^*]*)\*\*/gu, "$1")
    .replace(/`([^`]*)`/gu, "$1")
    .trim();
}
