import type { CustomRule } from "./customResources.ts";
import type { Mention } from "./found.ts";
import { resourceImages } from "./resource.ts";
import { parseDocuments } from "./tree.ts";

/** What one file or one rendered template names. */
export interface ManifestImages {
  readonly mentions: readonly Mention[];
  /** Documents that are no YAML; their images cannot be known. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** A document that can hold nothing of interest, told before it is parsed: CRDs are most of the bytes of an operator's manifest. */
const schemaOnly = /^kind:\s*["']?CustomResourceDefinition["']?\s*$/m;
const separator = /^---(?:[ \t].*)?\r?$/m;

/**
 * The images that a stream of YAML or JSON documents names.
 *
 * @param text a manifest, a rendered template or a JSON file
 * @param rules the rules for custom resources
 */
export function manifestImages(text: string, rules: readonly CustomRule[]): ManifestImages {
  const mentions: Mention[] = [];
  const problems: { line: number; message: string }[] = [];
  for (const part of splitStream(text)) {
    if (schemaOnly.test(part.text)) continue;
    for (const document of parseDocuments(part.text, part.line)) {
      problems.push(...document.problems);
      if (document.tree !== undefined) mentions.push(...resourceImages(document.tree, rules));
    }
  }
  return { mentions, problems };
}

/**
 * Cuts a stream at its `---` lines. A line that starts with `---` ends a document wherever it stands, block scalars included, so this
 * needs no parser.
 *
 * @see YAML 1.2.2, 9.1.2 Document Markers
 */
function splitStream(text: string): readonly { readonly text: string; readonly line: number }[] {
  const parts: { text: string; line: number }[] = [];
  let line = 1;
  let rest = text;
  for (;;) {
    const mark = separator.exec(rest);
    const own = mark === null ? rest : rest.slice(0, mark.index);
    if (own.trim() !== "") parts.push({ text: own, line });
    if (mark === null) return parts;
    const used = mark.index + mark[0].length;
    line += newlines(rest, used);
    rest = rest.slice(used);
  }
}

function newlines(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
