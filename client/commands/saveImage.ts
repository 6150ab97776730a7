import path from "node:path";
import { commands, env, l10n, ProgressLocation, Uri, window, workspace } from "vscode";
import { type SaveParams, saveImage as saveRequest } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import { shortReference } from "../references.ts";
import type { Command } from "./command.ts";
import { imagesFor } from "./subjects.ts";

/** Writes an image to one file, for the way to a site without internet. */
export const saveImage: Command = {
  id: "kubefile.saveImage",
  needsTrust: true,
  async run(session, ...args) {
    const [chosen] = (await imagesFor(session, args, l10n.t("Save Image"))) ?? [];
    if (chosen === undefined) return;
    const format = await pickFormat();
    if (format === undefined) return;
    const target = await pickTarget(chosen.reference, format);
    if (target === undefined) return;
    const saved = await window.withProgress(
      {
        location: ProgressLocation.Notification,
        title: l10n.t("Saving {0}", shortReference(chosen.reference)),
        cancellable: true,
      },
      (_, token) =>
        session.engine.request(saveRequest, { reference: chosen.reference, path: target.fsPath, format }, token),
    );
    const reveal = l10n.t("Reveal");
    const copy = l10n.t("Copy Path");
    const sentence = l10n.t("Saved {0} ({1}).", path.basename(saved.path), byteSize(saved.sizeBytes));
    void window.showInformationMessage(sentence, reveal, copy).then((answer) => {
      if (answer === reveal) return commands.executeCommand("revealFileInOS", Uri.file(saved.path));
      return answer === copy ? env.clipboard.writeText(saved.path) : undefined;
    });
  },
};

async function pickFormat(): Promise<SaveParams["format"] | undefined> {
  const items: readonly { label: string; description: string; format: SaveParams["format"] }[] = [
    { label: "OCI archive", description: l10n.t("one file, read by skopeo, podman, buildah"), format: "oci-archive" },
    { label: "Docker archive", description: l10n.t("one file, read by docker load"), format: "docker-archive" },
    { label: "OCI layout", description: l10n.t("a folder, read by umoci, oras, skopeo"), format: "oci-dir" },
  ];
  return (await window.showQuickPick(items, { title: l10n.t("Save Image"), placeHolder: l10n.t("Choose a format") }))
    ?.format;
}

async function pickTarget(reference: string, format: SaveParams["format"]): Promise<Uri | undefined> {
  const name = shortReference(reference).replace(/[^a-zA-Z0-9._-]+/g, "_");
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const file = `${name}${format === "oci-dir" ? "" : ".tar"}`;
  return window.showSaveDialog({
    title: l10n.t("Save Image"),
    saveLabel: l10n.t("Save"),
    ...(folder ? { defaultUri: Uri.joinPath(folder, file) } : {}),
    ...(format === "oci-dir" ? {} : { filters: { [l10n.t("Archives")]: ["tar"] } }),
  });
}
