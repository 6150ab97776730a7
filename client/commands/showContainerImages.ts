import { l10n, Position, type QuickPickItem, Range, type Uri, window } from "vscode";
import type { DiscoverResult, ImagePlace } from "../../engine/protocol.ts";
import { placeUri } from "../containerImages/containerImages.ts";
import { type ImageWithPlaces, withPlaces } from "../containerImages/places.ts";
import { reason, rowDescription, summaryOf } from "../containerImages/wording.ts";
import { shortReference } from "../references.ts";
import type { Command } from "./command.ts";
import { kubefileFor } from "./kubefiles.ts";

/** Lists the container images of a Kubefile, or of one line, with size and reason; choosing one opens the place that names it. */
export const showContainerImages: Command = {
  id: "kubefile.showContainerImages",
  needsTrust: true,
  async run(session, ...args) {
    const [called, names] = args;
    const kubefile =
      typeof called === "string" && !called.startsWith("file:")
        ? called
        : (await kubefileFor(args, l10n.t("Container Images")))?.fsPath;
    if (kubefile === undefined) return;
    const result = await session.containerImages.look(kubefile);
    const wanted = Array.isArray(names) ? names.filter(isText) : result.images.map(({ image }) => image);
    const images = withPlaces(result, wanted);
    if (images.length === 0) {
      void window.showInformationMessage(l10n.t("No file below this Kubefile names a container image."));
      return;
    }
    const place = await pickPlace(images);
    if (place !== undefined) await open(result, place);
  },
};

function isText(value: unknown): value is string {
  return typeof value === "string";
}

interface Pickable<Value> extends QuickPickItem {
  readonly value: Value;
}

async function pickPlace(images: readonly ImageWithPlaces[]): Promise<ImagePlace | undefined> {
  const title = `${l10n.t("Container Images")}: ${summaryOf(
    images.map(({ image }) => image),
    l10n.t,
  )}`;
  const chosen = await window.showQuickPick(images.map(imageItem), {
    title,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  const places = chosen?.value.places ?? [];
  if (places.length <= 1) return places[0];
  const items = places.map(placeItem);
  return (await window.showQuickPick(items, { title: chosen?.value.image.image ?? "" }))?.value;
}

function imageItem(value: ImageWithPlaces): Pickable<ImageWithPlaces> {
  const { image, places } = value;
  const icon = image.problem === undefined ? (image.cached ? "$(pass)" : "$(cloud-download)") : "$(warning)";
  const [first, ...others] = places;
  const more = others.length === 0 ? "" : l10n.t(" and {0} more places", others.length);
  const why = first === undefined ? (image.added?.reason ?? "") : `${reason(first, l10n.t)}${more}`;
  return {
    label: `${icon} ${shortReference(image.image)}`,
    description: rowDescription(image, places, l10n.t),
    detail: why,
    value,
  };
}

function placeItem(value: ImagePlace): Pickable<ImagePlace> {
  return { label: `$(go-to-file) ${value.file}:${value.line}`, description: reason(value, l10n.t), value };
}

async function open(result: DiscoverResult, { file, line }: ImagePlace): Promise<void> {
  const at = new Position(line - 1, 0);
  const uri: Uri = placeUri(result, file);
  await window.showTextDocument(uri, { selection: new Range(at, at) });
}
