import { l10n, languages, SnippetString, Uri, window, workspace } from "vscode";
import { type Template, templates } from "../templates.ts";
import type { Command } from "./command.ts";

/** Opens a new Kubefile from a template, not yet saved: in the workspace's folder when there is one. */
export const newKubefile: Command = {
  id: "kubefile.newKubefile",
  needsTrust: false,
  async run(_session, ...args) {
    const template = templates.find(({ name }) => name === args[0]) ?? (await pick());
    if (template === undefined) return;
    const document = await workspace.openTextDocument(await freeName());
    const editor = await window.showTextDocument(document);
    await languages.setTextDocumentLanguage(document, "kubefile");
    await editor.insertSnippet(new SnippetString(template.body));
  },
};

/** An unsaved file that saves as `Kubefile` in the first folder, or, where that exists, a file without a name yet. */
async function freeName(): Promise<Uri> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  if (folder === undefined) return Uri.from({ scheme: "untitled", path: "Kubefile" });
  const target = Uri.joinPath(folder, "Kubefile");
  const exists = await workspace.fs.stat(target).then(
    () => true,
    () => false,
  );
  return exists ? Uri.from({ scheme: "untitled", path: "Kubefile" }) : target.with({ scheme: "untitled" });
}

async function pick(): Promise<Template | undefined> {
  const words: Readonly<Record<Template["name"], readonly [string, string]>> = {
    app: [l10n.t("Application image"), l10n.t("applications for a cluster that is already there")],
    cluster: [l10n.t("Cluster image"), l10n.t("Kubernetes and what runs on it")],
    sealos: [l10n.t("sealos image"), l10n.t("manifests and the images they need, started by a command")],
    openyurt: [l10n.t("OpenYurt on Kubernetes"), l10n.t("edge autonomy added to a cluster image")],
  };
  const items = templates.map((template) => {
    const [label, description] = words[template.name];
    return { label, description, template };
  });
  return (await window.showQuickPick(items, { title: l10n.t("New Kubefile") }))?.template;
}
