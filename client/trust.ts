import { workspace } from "vscode";

/** Whether the engine may look at this workspace: it is trusted, and its files lie on this machine's disk. */
export function engineMayWork(): boolean {
  const folders = workspace.workspaceFolders ?? [];
  const isVirtual = folders.length > 0 && folders.every(({ uri }) => uri.scheme !== "file");
  return workspace.isTrusted && !isVirtual;
}
