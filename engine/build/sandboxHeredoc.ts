import type { SandboxCommand } from "./sandboxSpec.ts";

/** A here-document of an instruction: the word after `<<` without quotes, and the lines up to it, tabs already taken off for `<<-`. */
export interface Heredoc {
  readonly name: string;
  readonly content: string;
}

/**
 * The command of a RUN in shell form with here-documents. When the whole text is one of them, its lines are the script: run by the shell, or
 * as a file of its own when they start with `#!`. Otherwise the shell gets text and documents as they stand and reads them itself.
 * @see Dockerfile reference, "Here-Documents"
 */
export function heredocCommand(text: string, heredocs: readonly Heredoc[], shell: readonly string[]): SandboxCommand {
  const [only] = heredocs;
  if (only !== undefined && heredocs.length === 1 && /^<<-?(["']?)[^\s"'<>|&;()]+\1$/.test(text.trim())) {
    if (only.content.startsWith("#!")) return { kind: "script", name: only.name, text: only.content };
    return { kind: "shell", shell, text: only.content };
  }
  const documents = heredocs.map(({ name, content }) => `\n${content}${name}`).join("");
  return { kind: "shell", shell, text: `${text}${documents}` };
}
