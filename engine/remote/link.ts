/**
 * The address of the next page from a `Link` header, or undefined on the last one.
 *
 * @see RFC 8288
 */
export function nextLink(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(", ") : (header ?? "");
  for (const match of text.matchAll(/<([^>]*)>([^<]*)/g)) {
    const [, target, parameters = ""] = match;
    if (/;\s*rel\s*=\s*"?next"?/i.test(parameters)) return target;
  }
  return undefined;
}
