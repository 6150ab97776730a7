import path from "node:path";
import { type ExtensionContext, RelativePattern, type TextDocument, Uri, workspace } from "vscode";

const pattern = "**/{Kubefile,Kubefile.*,*.kubefile}";

/** Knows the Kubefiles of the workspace, and which of them a file belongs to: the nearest above it. */
export class KubefileFolders {
  #found: Promise<readonly string[]> | undefined;

  constructor(context: ExtensionContext, changed: () => void) {
    const watcher = workspace.createFileSystemWatcher(pattern, false, true, false);
    const again = (): void => {
      this.#found = undefined;
      changed();
    };
    context.subscriptions.push(
      watcher,
      watcher.onDidCreate(again),
      watcher.onDidDelete(again),
      workspace.onDidChangeWorkspaceFolders(again),
    );
  }

  /** The Kubefile whose build context a document lies in; undefined when there is none. */
  async kubefileOf(document: TextDocument): Promise<string | undefined> {
    if (document.uri.scheme !== "file") return undefined;
    if (document.languageId === "kubefile") return document.uri.fsPath;
    this.#found ??= this.#find();
    const file = document.uri.fsPath;
    const above = (await this.#found).filter((kubefile) => isBelow(file, path.dirname(kubefile)));
    return above.sort(nearestFirst)[0];
  }

  async #find(): Promise<readonly string[]> {
    const found = await workspace.findFiles(pattern, "**/{node_modules,.git}/**", 500);
    return found.filter(({ scheme }) => scheme === "file").map(({ fsPath }) => fsPath);
  }
}

/** Follows every file below a Kubefile's folder. */
export function watchContext(kubefile: string, changed: () => void): Disposable {
  const folder = Uri.file(path.dirname(kubefile));
  const watcher = workspace.createFileSystemWatcher(new RelativePattern(folder, "**/*"));
  watcher.onDidChange(changed);
  watcher.onDidCreate(changed);
  watcher.onDidDelete(changed);
  return { [Symbol.dispose]: () => watcher.dispose() };
}

/** A file's path in a folder, `/`-separated; undefined when it lies elsewhere. */
export function pathInside(folder: string, file: string): string | undefined {
  return isBelow(file, folder) ? path.relative(folder, file).split(path.sep).join("/") : undefined;
}

function isBelow(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
}

/** The deepest folder first; in one folder the plain name first, then by name. */
function nearestFirst(a: string, b: string): number {
  const depth = path.dirname(b).length - path.dirname(a).length;
  if (depth !== 0) return depth;
  if (path.basename(a) === "Kubefile") return -1;
  if (path.basename(b) === "Kubefile") return 1;
  return a < b ? -1 : 1;
}
