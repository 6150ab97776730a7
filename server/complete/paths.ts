import type { Span } from "../../kubefile/span.ts";
import type { IgnoreText } from "../buildContext.ts";
import type { ArgumentCursor } from "../cursor.ts";
import type { OpenKubefile } from "../documents.ts";
import type { Entry } from "../files.ts";
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
  const place: Place = { folder, span, whole: next < 0, quoted: cursor.quoted };
  return entries.flatMap((entry) => entrySuggestion(entry, place, ignore));
}

interface Place {
  /** The path in front of the name, with a slash at its end. */
  readonly folder: string;
  readonly span: Span;
  /** Nothing of the path stands behind the name. */
  readonly whole: boolean;
  readonly quoted: boolean;
}

function entrySuggestion({ name, kind }: Entry, place: Place, ignore: IgnoreText | undefined): Suggestion[] {
  const path = `${place.folder.replace(/^\.?\/+/u, "")}${name}`;
  // Between blanks a name with a blank cannot be written.
  if ((/\s/u.test(name) && !place.quoted) || keptOut(ignore, path, kind === "directory") !== undefined) return [];
  const text = place.quoted ? JSON.stringify(name).slice(1, -1) : name;
  const { span } = place;
  return kind === "directory"
    ? [
        {
          label: `${name}/`,
          kind: suggestionKinds.folder,
          text: place.whole ? `${text}/` : text,
          span,
          group: 0,
          again: true,
        },
      ]
    : [{ label: name, kind: suggestionKinds.file, text, span, group: 1 }];
}
