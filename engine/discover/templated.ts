/**
 * Makes a `.tmpl` manifest readable as YAML without knowing its variables: lines that only steer the template are emptied, expressions
 * within a line become a mark that no image name can hold. Line numbers stay.
 */
export function withoutTemplate(text: string): string {
  return text
    .split("\n")
    .map((line) => {
      if (!line.includes("{{")) return line;
      if (/^\s*(?:\{\{[^}]*\}\}\s*)+$/.test(line)) return "";
      return line.replace(/\{\{.*?\}\}/g, templateMark);
    })
    .join("\n");
}

/** What stands for a template expression; angle brackets are legal in YAML and never in a reference. */
const templateMark = "<template>";
