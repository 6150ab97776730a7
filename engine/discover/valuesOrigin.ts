import { parseReference } from "../oci/reference.ts";
import { parseDocuments, type Tree } from "./tree.ts";

/** A text in a values file with its line. */
interface NamedText {
  readonly text: string;
  readonly line: number;
}

/**
 * Finds where a chart's values name an image: the line with the longest text that is the image's repository, or the end of it.
 *
 * @param valuesText the chart's own `values.yaml`
 * @returns for a normalised image, the 1-based line; `undefined` when the values do not name it
 */
export function valuesLines(valuesText: string): (image: string) => number | undefined {
  const texts: NamedText[] = [];
  for (const document of parseDocuments(valuesText))
    if (document.tree !== undefined) collectTexts(document.tree, texts);
  return (image) => {
    const { host, repository } = parseReference(image);
    const full = `${host}/${repository}`;
    let best: { readonly line: number; readonly length: number } | undefined;
    for (const { text, line } of texts) {
      const name = text.replace(/@.*$/, "").replace(/:[^/]*$/, "");
      const names =
        name === full || name === repository || repository === `library/${name}` || full.endsWith(`/${name}`);
      if (names && name.length > (best?.length ?? 0)) best = { line, length: name.length };
    }
    return best?.line;
  };
}

function collectTexts(tree: Tree, into: NamedText[]): void {
  if (tree.kind === "map") for (const value of tree.entries.values()) collectTexts(value, into);
  else if (tree.kind === "seq") for (const item of tree.items) collectTexts(item, into);
  else if (tree.text !== undefined && /^[a-z0-9][\w./:@-]{2,}$/i.test(tree.text))
    into.push({ text: tree.text, line: tree.line });
}
