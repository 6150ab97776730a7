import { l10n, window, workspace } from "vscode";
import type { Session } from "../session.ts";

/** One command of the palette. `run` gets what VS Code passes: a URI, a row and the selected rows, or nothing. */
export interface Command {
  readonly id: string;
  /** Refused in Restricted Mode: it reads or writes files on behalf of the workspace. */
  readonly needsTrust: boolean;
  run(session: Session, ...args: readonly unknown[]): unknown;
}

/** Refuses what an untrusted workspace may not do, in words; menus hide it too, but keys and other extensions do not ask menus. */
export function isRefused(command: Command): boolean {
  if (!command.needsTrust || workspace.isTrusted) return false;
  void window.showWarningMessage(
    l10n.t("Kubefile does not build or touch images for a folder that is not trusted. Trust the workspace first."),
  );
  return true;
}
