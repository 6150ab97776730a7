import type { ArgumentCursor } from "../cursor.ts";
import type { OpenKubefile } from "../documents.ts";
import { keptOut } from "../ignored.ts";
import type { World } from "../world.ts";
import { type Suggestion, suggestionKinds } from "./suggestion.ts";

/**
 * Files and folders of the build context behind `prefix`, the path as far as it is written. What the ignore file keeps out
 * of the build is not offered.
 */
export async function pathSuggestions(
  document: OpenKubefile,
  cursor: ArgumentCursor,
  prefix: string,
  world: World,
  signal: AbortSignal,
): Promise<Suggestion[]> {
  const context = world.context(document.uri);
  if (context === undefined || prefix.includes("$")) return [];
  const slash = prefix.lastIndexOf("/");
  const folder = prefix.slice(0, slash + 1);
  const [entries, ignore] = await Promise.all([context.entries(folder), context.ignoreFile()]);
  if (signal.aborted || entries === undefined) return [];
  const at = cursor.span.start + cursor.prefix.length;
  const rest = document.tree.text.slice(at, cursor.span.end);
  const next = rest.indexOf("/");
  const span = { start: at - (prefix.length - slash - 1), end: next < 0 ? cursor.span.end : at + next };
  const items: Suggestion[] = [];
  for (const { name, kind } of entries) {
    const path = `${folder.replace(/^\.?\/+/u, "")}${name}`;
    // Between blanks a name with a blank cannot be written.
    if ((/\s/u.test(name) && !cursor.quoted) || keptOut(ignore, path, kind === "directory") !== undefined) continue;
    const text = cursor.quoted ? JSON.stringify(name).slice(1, -1) : name;
    items.push(
      kind === "directory"
        ? {
            label: `${name}/`,
            kind: suggestionKinds.folder,
            text: next < 0 ? `${text}/` : text,
            span,
            group: 0,
            again: true,
          }
        : { label: name, kind: suggestionKinds.file, text, span, group: 1 },
    );
  }
  return items;
}
