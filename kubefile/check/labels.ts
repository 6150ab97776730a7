import type { Label, Pair } from "../syntax.ts";
import { type Finding, finding, isVariable } from "./finding.ts";

type ValueKind = "url" | "time" | "licenses" | "version" | "revision";

/** Labels whose values have a form. @see OCI image-spec v1.1 annotations.md, and label-schema.org 1.0, which came before it */
const kinds: ReadonlyMap<string, ValueKind> = new Map([
  ["org.opencontainers.image.created", "time"],
  ["org.opencontainers.image.url", "url"],
  ["org.opencontainers.image.documentation", "url"],
  ["org.opencontainers.image.source", "url"],
  ["org.opencontainers.image.licenses", "licenses"],
  ["org.opencontainers.image.version", "version"],
  ["org.label-schema.build-date", "time"],
  ["org.label-schema.url", "url"],
  ["org.label-schema.vcs-url", "url"],
  ["org.label-schema.vcs-ref", "revision"],
]);

const time =
  /^\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-][0-2]\d:[0-5]\d)$/;
const version = /^v?\d+(?:\.\d+){0,2}(?:[-.+_][0-9A-Za-z.+_-]+)?$/;
const url = /^(?:[a-z][a-z0-9+.-]*:\/\/[^\s/]+\S*|git@[^\s:]+:\S+)$/i;
const license = /^(?:[A-Za-z0-9][A-Za-z0-9.-]*\+?|LicenseRef-[A-Za-z0-9.-]+)$/;

const wanted: Readonly<Record<ValueKind, { readonly is: (value: string) => boolean; readonly what: string }>> = {
  url: { is: (value) => url.test(value), what: "a URL, such as https://example.org" },
  time: { is: (value) => time.test(value), what: "a time as RFC 3339 writes it, such as 2024-05-07T10:00:00Z" },
  licenses: { is: isLicenses, what: "an SPDX expression, such as Apache-2.0" },
  version: { is: (value) => version.test(value), what: "a version, such as 1.2.3" },
  revision: { is: (value) => /^[0-9a-f]{7,64}$/.test(value), what: "a commit, in hexadecimal" },
};

/** `MIT`, `Apache-2.0 OR (MIT AND BSD-3-Clause)`, `GPL-2.0-only WITH Classpath-exception-2.0`. @see SPDX 2.3, annex D */
function isLicenses(value: string): boolean {
  const words = value.replace(/[()]/g, " ").trim().split(/\s+/);
  return words.every((word, index) => (index % 2 === 0 ? license.test(word) : /^(?:AND|OR|WITH)$/i.test(word)));
}

/** Values of labels: empty ones, and those of known labels that are not what the label holds. */
export function checkLabelValues(node: Label): readonly Finding[] {
  const found: Finding[] = [];
  for (const pair of node.pairs) {
    const one = checkValue(pair);
    if (one !== undefined) found.push(one);
  }
  return found.length === 0 ? nothing : found;
}

const nothing: readonly Finding[] = [];

function checkValue({ span, name, value }: Pair): Finding | undefined {
  if (value === undefined || isVariable(value.text)) return undefined;
  if (value.value.trim() === "") {
    return finding("KF087", span, `${name.value} is empty: give it a value, or leave the label out.`);
  }
  const kind = kinds.get(name.value);
  if (kind === undefined || value.value.length > 1000 || wanted[kind].is(value.value)) return undefined;
  return finding("KF088", value.span, `${name.value} holds ${wanted[kind].what}.`);
}
