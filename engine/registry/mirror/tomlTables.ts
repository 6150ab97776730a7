/** A table of a TOML file: its name as written, and its keys with their values as written. */
export interface TomlTable {
  /** Parts of the dotted name, without quotes; empty for the top of the file. */
  readonly name: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  /** Lines of the table, from its header (or the file's start) to before the next header; counted from 0. */
  readonly firstLine: number;
  readonly endLine: number;
}

/**
 * Reads as much of a TOML file as must be known of other programs' configuration: tables by name, and their plain keys. Values stay text;
 * arrays over several lines are one text. What is more than that is left alone.
 *
 * @see TOML v1.0, "Table" and "Keys"
 */
export function readTomlTables(text: string): readonly TomlTable[] {
  const lines = text.split("\n");
  const tables: { name: readonly string[]; values: Map<string, string>; firstLine: number; endLine: number }[] = [
    { name: [], values: new Map(), firstLine: 0, endLine: lines.length },
  ];
  for (let index = 0; index < lines.length; index += 1) {
    const line = withoutComment(lines[index] ?? "").trim();
    const table = tables.at(-1);
    const header = /^\[(?!\[)(.*)\]$/.exec(line) ?? /^\[\[(.*)\]\]$/.exec(line);
    if (header !== null && table !== undefined) {
      table.endLine = index;
      tables.push({ name: splitName(header[1] ?? ""), values: new Map(), firstLine: index, endLine: lines.length });
      continue;
    }
    const pair = /^("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=\s*(.*)$/.exec(line);
    if (pair === null) continue;
    let value = pair[2] ?? "";
    while (value.startsWith("[") && !isClosed(value) && index + 1 < lines.length) {
      index += 1;
      value += ` ${withoutComment(lines[index] ?? "").trim()}`;
    }
    table?.values.set(unquoted(pair[1] ?? ""), value);
  }
  return tables;
}

/** The text of a value that is one string; `undefined` for anything else. */
export function tomlString(value: string | undefined): string | undefined {
  const parsed = value === undefined ? null : /^"((?:[^"\\]|\\.)*)"$|^'([^']*)'$/.exec(value);
  if (parsed === null) return undefined;
  return parsed[2] ?? (JSON.parse(`"${parsed[1] ?? ""}"`) as string);
}

/** A string as TOML writes it. */
export function tomlText(text: string): string {
  return JSON.stringify(text);
}

function splitName(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map((part) => part[1] ?? part[2] ?? part[3] ?? "");
}

function unquoted(key: string): string {
  return key.replace(/^["']|["']$/g, "");
}

/** Cuts a comment off; a `#` inside quotes is none. */
function withoutComment(line: string): string {
  const match = /^(?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*')*/.exec(line);
  return match?.[0] ?? line;
}

function isClosed(value: string): boolean {
  const bare = value.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, "");
  return bare.split("[").length === bare.split("]").length;
}
