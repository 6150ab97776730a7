import type { DiscoveredImage, DiscoverResult } from "../../engine/protocol.ts";
import type { Translate } from "../cacheStatus/wording.ts";

/** Something wrong at a line, or worth saying about it. */
export interface ImageProblem {
  /** Path in the context, or absolute for the lock. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly severity: "error" | "warning" | "information" | "hint";
  readonly code: "notLocked" | "moved" | "unresolved" | "lock" | "unneeded";
  readonly message: string;
  /** The image it is about, when fixes can name it. */
  readonly image?: string;
}

/** The problems of a context: what its lock lacks, what cannot be resolved, and what is wrong in the lock itself. */
export function problemsOf(result: DiscoverResult, t: Translate): readonly ImageProblem[] {
  return [...missing(result, t), ...unresolved(result, t), ...inLock(result, t)];
}

function missing(result: DiscoverResult, t: Translate): readonly ImageProblem[] {
  const facts = new Map(result.images.map((image) => [image.image, image]));
  const problems = result.places.flatMap((place): ImageProblem[] => {
    const image = facts.get(place.image);
    if (image?.problem === undefined || place.packed !== "yes" || place.confidence === "declared") return [];
    const { file, line } = place;
    return [{ file, line, image: image.image, code: image.problem, ...told(image, t) }];
  });
  return [...new Map(problems.map((one) => [`${one.file}\0${one.line}\0${one.image}`, one])).values()];
}

function told(image: DiscoveredImage, t: Translate): Pick<ImageProblem, "severity" | "message"> {
  if (image.problem === "moved") {
    const message = t(
      "{0} stands for another digest than kubefile.lock holds. Run kubefile lock to take it.",
      image.image,
    );
    return { severity: "information", message };
  }
  const message = t("{0} is not in kubefile.lock: a build with --locked refuses it. Run kubefile lock.", image.image);
  return { severity: "warning", message };
}

function unresolved(result: DiscoverResult, t: Translate): readonly ImageProblem[] {
  return result.unresolved.flatMap(({ file, line, text, reason, rule, packed, stopsBuild }): ImageProblem[] => {
    if (packed !== "yes") return [];
    if (stopsBuild) {
      const message = t("The chart cannot be rendered, so its images are not known: {0}", reason);
      return [{ file, line, severity: "error", code: "unresolved", message }];
    }
    const message =
      rule === "manifest"
        ? t("Its images are not known: {0}", reason)
        : t("{0} names no image that can be packed: {1}", text, reason);
    return [{ file, line, severity: "warning", code: "unresolved", message }];
  });
}

function inLock({ lock }: DiscoverResult, t: Translate): readonly ImageProblem[] {
  const file = lock.path;
  return [
    ...lock.problems.map(
      ({ line, message }): ImageProblem => ({ file, line, severity: "error", code: "lock", message }),
    ),
    ...lock.unneeded.map(
      ({ image, line }): ImageProblem => ({
        ...{ file, line, image, severity: "hint", code: "unneeded" },
        message: t("Nothing names {0} any more where the lock found it. Run kubefile lock to take it out.", image),
      }),
    ),
  ];
}
