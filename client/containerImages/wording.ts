import type { DiscoveredImage, ImagePlace } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import type { Translate } from "../cacheStatus/wording.ts";
import { shortDigest, shortReference } from "../references.ts";
import type { ImageWithPlaces } from "./places.ts";

/** `4 images · 312 MB · all cached`, or how many of them are. */
export function summaryOf(images: readonly DiscoveredImage[], t: Translate): string {
  if (images.length === 0) return t("no container images");
  const count = images.length === 1 ? t("1 image") : t("{0} images", images.length);
  const cached = images.filter((image) => image.cached).length;
  const state = cached === images.length ? t("all cached") : t("{0} of {1} cached", cached, images.length);
  const known = images.every(({ sizeBytes }) => sizeBytes !== undefined);
  const size = images.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  const missing = images.filter(({ problem }) => problem === "notLocked").length;
  return [
    count,
    ...(known ? [byteSize(size)] : []),
    images.length === 1 ? oneState(images[0], t) : state,
    ...(missing === 0 ? [] : [t("{0} not in kubefile.lock", missing)]),
  ].join(" · ");
}

function oneState(image: DiscoveredImage | undefined, t: Translate): string {
  return image?.cached === true ? t("cached") : t("not cached");
}

/** What the lens above a line says: of one image its facts, of several their sum. */
export function lineTitle(images: readonly ImageWithPlaces[], t: Translate): string {
  const [only] = images;
  if (only === undefined || images.length > 1)
    return summaryOf(
      images.map(({ image }) => image),
      t,
    );
  const { image, places } = only;
  const aside = whyNotPacked(image, places, t);
  if (aside !== undefined) return `${shortReference(image.image)} · ${aside}`;
  return [
    shortReference(image.image),
    ...(image.sizeBytes === undefined ? [] : [byteSize(image.sizeBytes)]),
    image.inBase ? t("in the base image") : oneState(image, t),
    ...lockState(image, t),
  ].join(" · ");
}

function lockState(image: DiscoveredImage, t: Translate): readonly string[] {
  if (image.problem === "notLocked") return [t("not in kubefile.lock")];
  if (image.problem === "moved") return [t("moved")];
  return image.locked === undefined ? [] : [t("locked")];
}

/** Why a build leaves an image out; undefined for one that it packs. */
export function whyNotPacked(image: DiscoveredImage, places: readonly ImagePlace[], t: Translate): string | undefined {
  if (image.isPacked) return undefined;
  if (image.ignored) {
    const { reason } = image.ignored;
    return reason === "" ? t("ignored by kubefile.lock") : t("ignored by kubefile.lock: {0}", reason);
  }
  if (places.some(({ packed }) => packed === "unknown")) return t("the Kubefile cannot be read");
  if (places.every(({ confidence }) => confidence === "declared"))
    return t("the chart may use it; nothing asks for it");
  return t("not packed: no instruction brings this file where a build looks");
}

/** Everything about the images of a line, as Markdown. */
export function hoverText(images: readonly ImageWithPlaces[], t: Translate): string {
  return images.map((one) => imageDetails(one, t)).join("\n\n---\n\n");
}

function imageDetails({ image, places }: ImageWithPlaces, t: Translate): string {
  const lines = [`**${escaped(image.image)}**`];
  const aside = whyNotPacked(image, places, t);
  lines.push(aside === undefined ? t("The next build packs it.") : `${escaped(aside)}.`);
  for (const place of uniquePlaces(places).slice(0, 8)) lines.push(`- ${escaped(reason(place, t))}`);
  if (image.added) lines.push(`- ${escaped(t("added by kubefile.lock: {0}", image.added.reason))}`);
  const size = image.sizeBytes === undefined ? t("size not known yet") : byteSize(image.sizeBytes);
  lines.push("", `${size} · ${image.cached ? t("cached in the store") : t("not in the store")}`);
  if (image.digest) lines.push("", `${t("Digest")} \`${image.digest}\``);
  lines.push("", ...lockLines(image, t));
  return lines.join("\n");
}

function lockLines(image: DiscoveredImage, t: Translate): readonly string[] {
  if (image.problem === "moved" && image.locked)
    return [
      t(
        "kubefile.lock holds it to {0}; the name stood for another digest when it was last asked.",
        shortDigest(image.locked.digest),
      ),
    ];
  if (image.locked) return [t("Locked to {0}", shortDigest(image.locked.digest))];
  return image.problem === "notLocked" ? [t("It is not in kubefile.lock.")] : [];
}

function uniquePlaces(places: readonly ImagePlace[]): readonly ImagePlace[] {
  return [...new Map(places.map((place) => [`${place.foundIn} ${place.rule} ${place.values}`, place])).values()];
}

/** Why a place names an image: `Deployment container in charts/web/templates/pod.yaml with values-prod.yaml, certain`. */
export function reason(place: ImagePlace, t: Translate): string {
  const where = place.values === undefined ? place.foundIn : t("{0} with {1}", place.foundIn, place.values);
  return `${place.rule} · ${where} · ${confidence(place, t)}`;
}

function confidence(place: ImagePlace, t: Translate): string {
  switch (place.confidence) {
    case "certain":
      return t("certain");
    case "high":
      return t("a known rule");
    case "medium":
      return t("likely");
    case "declared":
      return t("declared by the chart");
    default:
      return place.confidence satisfies never;
  }
}

/** What a list of images says of each: size and state. */
export function rowDescription(image: DiscoveredImage, places: readonly ImagePlace[], t: Translate): string {
  const [, ...facts] = lineTitle([{ image, places }], t).split(" · ");
  return facts.join(" · ");
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!|<>~]/g, "\\$&");
}
