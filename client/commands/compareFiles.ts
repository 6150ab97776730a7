import { commands, l10n, type QuickPickItem, ThemeIcon, Uri, window } from "vscode";
import {
  diffImageFiles,
  type ImagePath,
  type ImageSummary,
  imageEntry,
  images,
  inspectImage,
  type PlatformImageDetails,
} from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import { failureOf } from "../failures.ts";
import { imageUri } from "../fileSystem/imageFileSystem.ts";
import { imageScheme, parseImagePath } from "../fileSystem/imagePath.ts";
import { shortDigest, shortReference } from "../references.ts";
import type { Session } from "../session.ts";
import type { Command } from "./command.ts";
import { imagesFor, subjectsOf } from "./subjects.ts";

/** Opens two files of images, or the files in which two images differ, in the editor's own comparison. */
export const compareFiles: Command = {
  id: "kubefile.compareFiles",
  needsTrust: true,
  async run(session, ...args) {
    const subjects = subjectsOf(args);
    const [file, otherFile] = [...subjects.flatMap((one) => (one.file ? [one.file] : [])), ...calledOn(args)];
    if (file !== undefined) {
      const other = otherFile ?? (await pickOther(session, file));
      if (other !== undefined) await compare(file, other);
      return;
    }
    const [first, second] = (await imagesFor(session, args, l10n.t("Compare Image"))) ?? [];
    if (first === undefined) return;
    const after =
      second?.image ??
      (await pickImage(session, l10n.t("Compare {0} with", shortReference(first.reference)), first.image.digest));
    if (after !== undefined) await compareImages(session, first.image, after);
  },
};

/** The file a menu of an editor was opened on, or the one in the editor. */
function calledOn([called]: readonly unknown[]): readonly ImagePath[] {
  const uri = called instanceof Uri ? called : called === undefined ? window.activeTextEditor?.document.uri : undefined;
  if (uri?.scheme !== imageScheme) return [];
  const place = parseImagePath(uri.path);
  return place?.kind === "file" ? [place.at] : [];
}

async function compare(left: ImagePath, right: ImagePath): Promise<void> {
  const name = left.path.slice(left.path.lastIndexOf("/") + 1);
  const title = `${name} (${shownPlace(left)} ↔ ${shownPlace(right)})`;
  await commands.executeCommand("vscode.diff", imageUri(left), imageUri(right), title);
}

function shownPlace({ image, layer }: ImagePath): string {
  return layer === undefined ? shortDigest(image) : l10n.t("{0}, layer {1}", shortDigest(image), layer);
}

/** The same path in another layer of the image, or in another image: only those that have it. */
async function pickOther(session: Session, file: ImagePath): Promise<ImagePath | undefined> {
  const own = await session.engine.request(inspectImage, { reference: file.image });
  const layers = own.images[0]?.layers ?? [];
  const title = l10n.t("Compare {0} with", `/${file.path}`);
  const places: readonly (QuickPickItem & { readonly at: ImagePath })[] = [
    {
      label: l10n.t("Root file system"),
      description: shortDigest(file.image),
      at: { image: file.image, path: file.path },
    },
    ...layers.map((layer, index) => ({
      label: l10n.t("Layer {0}", index + 1),
      description: layer.createdBy,
      at: { image: file.image, layer: index + 1, path: file.path },
    })),
  ];
  const candidates = places.filter(({ at }) => at.layer !== file.layer);
  const found = await Promise.all(candidates.map(async (one) => ((await hasFile(session, one.at)) ? [one] : [])));
  const anotherImage = { label: l10n.t("Another image…"), iconPath: new ThemeIcon("package"), at: undefined };
  const chosen = await window.showQuickPick([...found.flat(), anotherImage], { title });
  if (chosen === undefined) return undefined;
  if (chosen.at !== undefined) return chosen.at;
  const image = await pickImage(session, title, file.image);
  if (image === undefined) return undefined;
  const target = await platformOf(session, image, own.images[0]?.platform);
  if (target === undefined) return undefined;
  const at = { image: target.digest, path: file.path };
  if (await hasFile(session, at)) return at;
  void window.showInformationMessage(l10n.t("There is no /{0} in {1}.", file.path, nameOf(image)));
  return undefined;
}

async function hasFile(session: Session, at: ImagePath): Promise<boolean> {
  try {
    const { kind, leadsTo } = await session.engine.request(imageEntry, at);
    return kind === "file" || (kind === "symlink" && leadsTo === "file");
  } catch (error) {
    if (failureOf(error).code === "FILE_NOT_IN_IMAGE") return false;
    throw error;
  }
}

async function pickImage(session: Session, title: string, except: string): Promise<ImageSummary | undefined> {
  const all = await session.engine.ask(images);
  const items = all
    .filter(({ digest }) => digest !== except)
    .map((image) => ({
      label: nameOf(image),
      description: `${byteSize(image.sizeBytes)} · ${shortDigest(image.digest)}`,
      image,
    }));
  if (items.length === 0) {
    void window.showInformationMessage(l10n.t("There is no other image in this store to compare with."));
    return undefined;
  }
  return (await window.showQuickPick(items, { title, matchOnDescription: true }))?.image;
}

function nameOf({ references, digest }: ImageSummary): string {
  return references.map(shortReference).join(", ") || shortDigest(digest);
}

/** The image of an index for a platform, or its first. */
async function platformOf(
  session: Session,
  image: ImageSummary,
  platform: string | undefined,
): Promise<PlatformImageDetails | undefined> {
  const { images: all } = await session.engine.request(inspectImage, { reference: image.digest });
  return all.find((one) => one.platform === platform) ?? all[0];
}

/** Lists the files in which two images differ, and compares the chosen one. */
async function compareImages(session: Session, first: ImageSummary, second: ImageSummary): Promise<void> {
  const before = await platformOf(
    session,
    first,
    second.platforms.find((one) => first.platforms.includes(one)),
  );
  const after = await platformOf(session, second, before?.platform);
  if (before === undefined || after === undefined) return;
  const names = [nameOf(first), nameOf(second)] as const;
  const title = l10n.t("Files that differ: {0} ↔ {1}", ...names);
  const differing = window.withProgress({ location: { viewId: "kubefile.images" } }, () =>
    session.engine.request(diffImageFiles, { before: before.digest, after: after.digest }),
  );
  const { added, removed, changed } = await differing;
  const item = (path: string, icon: string, description: string, where: readonly string[]) => ({
    ...{ label: path, iconPath: new ThemeIcon(icon), description, path, where },
  });
  const items = [
    ...changed.map((path) => item(path, "diff-modified", l10n.t("changed"), [before.digest, after.digest])),
    ...added.map((path) => item(path, "diff-added", l10n.t("only in {0}", names[1]), [after.digest])),
    ...removed.map((path) => item(path, "diff-removed", l10n.t("only in {0}", names[0]), [before.digest])),
  ];
  if (items.length === 0) {
    void window.showInformationMessage(l10n.t("{0} and {1} have the same files.", ...names));
    return;
  }
  const chosen = await window.showQuickPick(items, { title, matchOnDescription: true });
  const [left, right] = (chosen?.where ?? []).map((image) => ({ image, path: chosen?.path ?? "" }));
  if (left === undefined) return;
  if (right === undefined) await commands.executeCommand("vscode.open", imageUri(left));
  else await compare(left, right);
}
