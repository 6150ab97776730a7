import {
  CodeAction,
  CodeActionKind,
  type CodeActionProvider,
  l10n,
  languages,
  Range,
  type TextDocument,
  Uri,
  WorkspaceEdit,
  workspace,
} from "vscode";
import { shortReference } from "../references.ts";
import type { Session } from "../session.ts";
import type { DocumentImages } from "./containerImages.ts";
import { imageFiles } from "./features.ts";
import { ImageDiagnostic } from "./imageProblems.ts";
import { entryEdit } from "./lockEdits.ts";
import { namedInFile } from "./places.ts";

/** Offers what a person may say about an image: leave it out, carry it all the same, or write the lock again. */
export function registerFixes({ containerImages, context }: Session): void {
  const provider: CodeActionProvider = {
    async provideCodeActions(document, range, { diagnostics }) {
      const about = containerImages.about(document);
      if (about === undefined) return [];
      const own = diagnostics.filter((one) => one instanceof ImageDiagnostic);
      const fixes = await Promise.all(own.map((diagnostic) => fixesOf(about, diagnostic)));
      return [...fixes.flat(), ...(await additions(about, document, range.start.line + 1))];
    },
  };
  context.subscriptions.push(
    languages.registerCodeActionsProvider(imageFiles, provider, { providedCodeActionKinds: [CodeActionKind.QuickFix] }),
  );
}

async function fixesOf(about: DocumentImages, diagnostic: ImageDiagnostic): Promise<readonly CodeAction[]> {
  const { code, image } = diagnostic;
  if (code !== "notLocked" && code !== "moved" && code !== "unneeded") return [];
  const lock = new CodeAction(l10n.t("Run kubefile lock"), CodeActionKind.QuickFix);
  lock.command = { title: lock.title, command: "kubefile.updateImageLock", arguments: [about.kubefile] };
  lock.isPreferred = true;
  lock.diagnostics = [diagnostic];
  if (code !== "notLocked" || image === undefined) return [lock];
  const ignore = new CodeAction(l10n.t("Ignore {0} in kubefile.lock", shortReference(image)), CodeActionKind.QuickFix);
  ignore.edit = await editOf(about, "ignore", image, "not needed on the site");
  ignore.diagnostics = [diagnostic];
  return [lock, ignore];
}

/** Images of a line that nothing asks for by itself, such as those a chart merely declares. */
async function additions(about: DocumentImages, document: TextDocument, line: number): Promise<readonly CodeAction[]> {
  if (document.languageId === "kubefile") return [];
  const here = namedInFile(about.result, about.file).find((named) => named.line === line);
  const left = (here?.images ?? []).filter(({ image }) => !image.isPacked && image.ignored === undefined);
  return Promise.all(
    left.map(async ({ image }) => {
      const title = l10n.t("Add {0} to kubefile.lock", shortReference(image.image));
      const action = new CodeAction(title, CodeActionKind.QuickFix);
      action.edit = await editOf(about, "add", image.image, "needed on the site");
      return action;
    }),
  );
}

async function editOf(
  { result }: DocumentImages,
  section: "ignore" | "add",
  image: string,
  reason: string,
): Promise<WorkspaceEdit> {
  const uri = Uri.file(result.lock.path);
  const edit = new WorkspaceEdit();
  const open = await workspace.openTextDocument(uri).then(
    (document) => document,
    () => undefined,
  );
  const { start, end, text } = entryEdit(open?.getText() ?? "", section, image, reason);
  if (open === undefined) edit.createFile(uri, { ignoreIfExists: true });
  const range = open === undefined ? new Range(0, 0, 0, 0) : new Range(open.positionAt(start), open.positionAt(end));
  edit.replace(uri, range, text);
  return edit;
}
