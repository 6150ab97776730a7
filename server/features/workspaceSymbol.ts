import { SymbolKind, type WorkspaceSymbol } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { OpenKubefile } from "../documents.ts";
import { type Files, joinUri } from "../files.ts";
import { holdsInOrder } from "../matching.ts";
import { definitionsOf, type NameKind, namesOf } from "../names.ts";
import { rangeOf } from "../ranges.ts";

/** How much of a workspace is looked through for one question. */
const limits = { folders: 2000, entries: 2000, files: 200, bytes: 1 << 20, symbols: 500 } as const;
const passedOver: ReadonlySet<string> = new Set([".git", "node_modules", ".hg", ".svn"]);

const kinds: Readonly<Record<NameKind, SymbolKind>> = {
  stage: SymbolKind.Module,
  app: SymbolKind.Package,
  variable: SymbolKind.Variable,
  heredoc: SymbolKind.String,
};

/** Stages, applications and variables of every Kubefile of the workspace whose name holds the letters of `query` in order. */
export async function workspaceSymbols(
  query: string,
  open: readonly OpenKubefile[],
  roots: readonly string[],
  files: Files | undefined,
  signal: AbortSignal,
): Promise<WorkspaceSymbol[]> {
  const found: WorkspaceSymbol[] = [];
  for (const document of open) found.push(...matching(document, query));
  if (files !== undefined) {
    const seen = new Set(open.map((document) => document.uri));
    for (const uri of await findKubefiles(roots, files, signal)) {
      if (signal.aborted || found.length >= limits.symbols) break;
      if (seen.has(uri)) continue;
      seen.add(uri);
      const text = await files.read(uri, limits.bytes, signal);
      if (text !== undefined)
        found.push(...matching(new OpenKubefile(TextDocument.create(uri, "kubefile", 0, text)), query));
    }
  }
  return found.slice(0, limits.symbols);
}

function matching(document: OpenKubefile, query: string): WorkspaceSymbol[] {
  const container = document.uri.split("/").slice(-2).map(decodeURIComponent).join("/");
  const symbols: WorkspaceSymbol[] = [];
  for (const named of namesOf(document.tree).all) {
    if (named.kind === "heredoc" || !holdsInOrder(named.name, query)) continue;
    for (const { span } of definitionsOf(named).slice(0, 1)) {
      symbols.push({
        name: named.name,
        kind: kinds[named.kind],
        containerName: container,
        location: { uri: document.uri, range: rangeOf(document.lines, span) },
      });
    }
  }
  return symbols;
}

/** The Kubefiles below the roots, breadth first, within the limits. */
async function findKubefiles(roots: readonly string[], files: Files, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const queue = [...roots];
  for (let looked = 0; looked < limits.folders && found.length < limits.files && !signal.aborted; looked++) {
    const folder = queue.shift();
    if (folder === undefined) break;
    for (const entry of (await files.list(folder, limits.entries, signal)) ?? []) {
      if (entry.kind === "directory" && !passedOver.has(entry.name)) queue.push(joinUri(folder, entry.name));
      if (entry.kind === "file" && isKubefileName(entry.name)) found.push(joinUri(folder, entry.name));
    }
  }
  return found.slice(0, limits.files);
}

/** `Kubefile`, `Kubefile.anything` or `anything.kubefile`. */
export function isKubefileName(name: string): boolean {
  return name === "Kubefile" || name.startsWith("Kubefile.") || name.endsWith(".kubefile");
}
