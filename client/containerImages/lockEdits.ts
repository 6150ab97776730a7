/** A text put into a file at a place; `end` beyond `start` replaces. UTF-16 units. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The edit that adds an entry to `ignore` or `add` of a `kubefile.lock`. Everything else, comments too, stays as it is.
 *
 * @param lock text of the lock; empty when there is none
 */
export function entryEdit(lock: string, section: "ignore" | "add", image: string, reason: string): TextEdit {
  const entry = `  - image: ${JSON.stringify(image)}\n    reason: ${JSON.stringify(reason)}\n`;
  if (lock.trim() === "") return { start: 0, end: lock.length, text: `version: 1\nimages: []\n${section}:\n${entry}` };
  const empty = new RegExp(`^${section}:[ \\t]*(?:\\[[ \\t]*\\]|null|~)[ \\t]*$`, "m").exec(lock);
  if (empty !== null)
    return { start: empty.index, end: empty.index + empty[0].length, text: `${section}:\n${entry.trimEnd()}` };
  const head = new RegExp(`^${section}:[ \\t]*(?:#.*)?(?:\\r?\\n|$)`, "m").exec(lock);
  if (head === null) {
    const gap = lock.endsWith("\n") ? "" : "\n";
    return { start: lock.length, end: lock.length, text: `${gap}${section}:\n${entry}` };
  }
  const at = head.index + head[0].length;
  const indent = /^[ \t]*(?=- )/.exec(lock.slice(at))?.[0] ?? "  ";
  const gap = head[0].endsWith("\n") ? "" : "\n";
  return { start: at, end: at, text: gap + entry.replace(/^ {2}/gm, indent) };
}
