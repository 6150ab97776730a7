import { l10n, type QuickPickItem, QuickPickItemKind, Uri, window } from "vscode";
import { type ImageSummary, images } from "../../engine/protocol.ts";
import { age } from "../age.ts";
import { byteSize } from "../byteSize.ts";
import { shortDigest, shortReference } from "../references.ts";
import type { NamedImage, Session } from "../session.ts";
import type { Row, Subject } from "../views/tree.ts";
import { lastNameKey } from "./kubefiles.ts";

/** The subjects of the rows a command was called with: the selection when the row is part of it, else the row alone. */
export function subjectsOf(args: readonly unknown[]): readonly Subject[] {
  const [clicked, selected] = args;
  const rows = Array.isArray(selected) && selected.length > 0 ? selected : [clicked];
  return rows.filter(isRow).flatMap((one) => (one.subject ? [one.subject] : []));
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && "item" in value;
}

/**
 * The images a command is about: those of the rows, the one named by a string, or what the user picks, newest first.
 * `undefined` when nothing was picked.
 */
export async function imagesFor(
  session: Session,
  args: readonly unknown[],
  title: string,
): Promise<readonly NamedImage[] | undefined> {
  const fromRows = subjectsOf(args).flatMap((subject) => (subject.image ? [subject.image] : []));
  if (fromRows.length > 0) return fromRows;
  const all = await session.engine.ask(images);
  const named = nameIn(session, args[0]);
  if (named !== undefined) {
    const image = all.find(
      (one) => one.digest === named || one.references.map(shortReference).includes(shortReference(named)),
    );
    if (image)
      return [
        {
          reference: image.references.find((one) => shortReference(one) === shortReference(named)) ?? image.digest,
          image,
        },
      ];
  }
  return pick(all, title);
}

/** A reference as it is; for a Kubefile's address, which a code lens passes, the name of its last build. */
function nameIn(session: Session, argument: unknown): string | undefined {
  if (typeof argument !== "string") return undefined;
  if (!argument.startsWith("file:")) return argument;
  return session.context.workspaceState.get<string>(lastNameKey(Uri.parse(argument, true)));
}

async function pick(all: readonly ImageSummary[], title: string): Promise<readonly NamedImage[] | undefined> {
  if (all.length === 0) {
    void window.showInformationMessage(l10n.t("There is no image in this store yet. Build one first."));
    return undefined;
  }
  const nowMs = Date.now();
  const items = [...all]
    .sort((a, b) => b.storedAt - a.storedAt)
    .flatMap((image) => {
      const names = image.references.length > 0 ? image.references : [image.digest];
      return names.map((reference): QuickPickItem & { named: NamedImage } => ({
        label: image.references.length > 0 ? shortReference(reference) : shortDigest(image.digest),
        description: `${byteSize(image.sizeBytes)} · ${age(image.storedAt, nowMs)}`,
        detail: image.digest,
        kind: QuickPickItemKind.Default,
        named: { reference, image },
      }));
    });
  const chosen = await window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
  return chosen ? [chosen.named] : undefined;
}
