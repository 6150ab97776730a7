import type { Mention } from "./found.ts";

/**
 * The images of a text list (sealer's `manifests/imageList`, sealos' `images/shim/*`): one reference a line, `#` starts a comment.
 */
export function listImages(text: string): readonly Mention[] {
  return text.split("\n").flatMap((line, index) => {
    const name = line
      .replace(/(?:^|\s)#.*$/, "")
      .trim()
      .replace(/^(['"])(.*)\1$/, "$2");
    if (name === "") return [];
    return [{ text: name, path: "", line: index + 1, rule: "image list", confidence: "certain" as const }];
  });
}
