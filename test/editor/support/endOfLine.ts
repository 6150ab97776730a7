/** Runs in the page, where these exist; the project's types are Node's. */
interface PageElement {
  readonly textContent: string | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}
declare const document: PageElement;
declare function getComputedStyle(element: PageElement, pseudo: string): { readonly content: string };

/**
 * Whether the text shown after the line that starts with `start` holds `wanted`. That text is a style's, not the page's:
 * it is only to be had from the computed style of what follows the line.
 */
export function showsAfterLine([start, wanted]: readonly [string, string]): boolean {
  const lines = [...document.querySelectorAll(".monaco-editor .view-line")];
  const line = lines.find(({ textContent }) => textContent?.replaceAll("\u00a0", " ").startsWith(start));
  const parts = line ? [...line.querySelectorAll("span")] : [];
  return parts.some((part) => getComputedStyle(part, "::after").content.includes(wanted));
}

/** The opposite, for waiting. */
export function showsNothingAfterLine(start: string): boolean {
  const lines = [...document.querySelectorAll(".monaco-editor .view-line")];
  const line = lines.find(({ textContent }) => textContent?.replaceAll("\u00a0", " ").startsWith(start));
  const parts = line ? [...line.querySelectorAll("span")] : [];
  return parts.every((part) => !getComputedStyle(part, "::after").content.includes(":"));
}
