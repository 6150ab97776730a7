/**
 * The files and folders of a tree that launch commands lead to: named in the command itself, or in a script that it runs.
 *
 * @param commands shell text of CMD, CMDS, LAUNCH and APPCMDS
 * @param paths all regular files of the tree
 * @param readScript the text of a script in the tree
 */
export async function commandPaths(
  commands: readonly string[],
  paths: readonly string[],
  readScript: (path: string) => Promise<string>,
): Promise<readonly string[]> {
  const files = new Set(paths);
  const folders = new Set(paths.flatMap(parents));
  const found = new Set<string>();
  const queue = commands.map((text) => ({ text, depth: 0 }));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const word of shellWords(next.text)) {
      const path = inTree(word);
      if (path === undefined || found.has(path) || !(files.has(path) || folders.has(path))) continue;
      found.add(path);
      if (files.has(path) && script.test(path) && next.depth < maxDepth)
        queue.push({ text: await readScript(path), depth: next.depth + 1 });
    }
  }
  return [...found].filter((path) => !script.test(path)).sort();
}

const script = /\.(?:sh|bash)$|(?:^|\/)(?:entrypoint|install|start)$/;
/** Scripts that call scripts are followed this far. */
const maxDepth = 3;

/** Words as far as a path in them can be told; quotes and operators are separators. */
function shellWords(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => line.replace(/(?:^|\s)#.*$/, "").split(/[\s'"`;|&()<>=,]+/));
}

function inTree(word: string): string | undefined {
  const path = word.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
  return path === "" || path.startsWith("-") || path.includes("..") || path.includes("$") ? undefined : path;
}

function parents(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
