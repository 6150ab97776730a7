import { commands, l10n, Uri, window, workspace } from "vscode";
import { isKubefile } from "../cacheStatus/cacheStatus.ts";

/** Where Kubefiles are looked for when none is open or named. */
const pattern = "**/{Kubefile,Kubefile.*,*.kubefile}";

/** The Kubefile a command is about: the one it was called on, the one in the editor, the only one, or what the user picks. */
export async function kubefileFor(args: readonly unknown[], title: string): Promise<Uri | undefined> {
  const [called] = args;
  if (called instanceof Uri) return called;
  // Code lenses pass what the language server knows: the address as text.
  if (typeof called === "string" && called.startsWith("file:")) return Uri.parse(called, true);
  const active = window.activeTextEditor?.document;
  if (active && isKubefile(active)) return active.uri;
  const found = await workspace.findFiles(pattern, "**/{node_modules,.git}/**", 200);
  if (found.length === 0) {
    const create = l10n.t("New Kubefile");
    const answer = await window.showWarningMessage(l10n.t("There is no Kubefile in this workspace."), create);
    if (answer === create) await commands.executeCommand("kubefile.newKubefile");
    return undefined;
  }
  const [only] = found;
  if (found.length === 1) return only;
  const items = found
    .map((uri) => ({ label: workspace.asRelativePath(uri), uri }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t("Choose a Kubefile") }))?.uri;
}

/** Where the name of a Kubefile's last image is kept. */
export function lastNameKey(kubefile: Uri): string {
  return `lastName:${kubefile.toString()}`;
}
