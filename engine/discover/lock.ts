import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar, type YAMLMap } from "yaml";
import { compareText, type Discovery, type Finding } from "./found.ts";

/**
 * The image lock, `kubefile.lock`: every container image that a cluster image carries, with digests, and the user's own words on
 * what discovery found. People commit it and edit `add`, `ignore` and `optional`; the rest is written by `kubefile lock` and `kubefile build`.
 */
export interface ImageLock {
  readonly images: readonly LockedImage[];
  readonly add: readonly AddedImage[];
  readonly ignore: readonly IgnoredImage[];
  /** Files of values that charts are rendered with too, each a set of its own; relative to the lock. */
  readonly values: readonly string[];
}

export interface LockedImage {
  /** Normalised reference with tag or digest. */
  readonly image: string;
  /** What the registry answered for the reference: digest of an index or of a manifest. */
  readonly digest: string;
  /** `os/arch[/variant]` → digest of that platform's manifest. */
  readonly platforms: Readonly<Record<string, string>>;
  /** Where it was found and why, as `file:line (rule)`. */
  readonly found: readonly string[];
  /** A build goes on without it when it cannot be pulled. */
  readonly optional: boolean;
  /** 1-based line in the lock, when it was read from one. */
  readonly line?: number;
}

export interface AddedImage {
  readonly image: string;
  readonly reason: string;
  readonly optional: boolean;
  readonly line?: number;
}

export interface IgnoredImage {
  /** A normalised reference, or a pattern in which `*` stands for any text. */
  readonly image: string;
  readonly reason: string;
  readonly line?: number;
}

export interface LockProblem {
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

export const emptyLock: ImageLock = { images: [], add: [], ignore: [], values: [] };

const heading = `# The container images of this cluster image. Commit this file.
# \`images\` is written by \`kubefile lock\`; \`add\` and \`ignore\` are yours: each entry names an image and says why.
# \`values\` are yours too: files of values that charts are rendered with beside their own, each on its own.
# An image marked \`optional: true\` may be missing; every other failure to pull one fails the build.
`;

/** Reads a lock. Never throws: what cannot be understood is a problem with its line, and is left out. */
export function parseLock(text: string): { readonly lock: ImageLock; readonly problems: readonly LockProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: "silent" });
  const reader: Reader = { problems: [], lineAt: (offset) => lines.linePos(offset ?? 0).line };
  for (const error of document.errors)
    reader.problems.push({ line: reader.lineAt(error.pos[0]), message: error.message.split("\n", 1)[0] ?? "" });
  const root = document.contents;
  if (root === null || reader.problems.length > 0) return { lock: emptyLock, problems: reader.problems };
  if (!isMap(root))
    return { lock: emptyLock, problems: [{ line: 1, message: "The lock must be a map with the key images." }] };
  checkVersion(root, reader);
  return {
    lock: {
      images: entries(root, "images", reader).flatMap((entry) => lockedImage(entry, reader)),
      add: entries(root, "add", reader).flatMap((entry) => addedImage(entry, reader)),
      ignore: entries(root, "ignore", reader).flatMap((entry) => ignoredImage(entry, reader)),
      values: valuesFiles(root, reader),
    },
    problems: reader.problems,
  };
}

interface Reader {
  readonly problems: LockProblem[];
  readonly lineAt: (offset: number | undefined) => number;
}

function checkVersion(root: YAMLMap, reader: Reader): void {
  const version = root.get("version");
  if (version === 1) return;
  const line = reader.lineAt((root.get("version", true) as Scalar | undefined)?.range?.[0]);
  reader.problems.push({ line, message: `The lock says version ${String(version)}; this program reads version 1.` });
}

function entries(root: YAMLMap, key: string, reader: Reader): readonly YAMLMap[] {
  const list = root.get(key);
  if (list === undefined || list === null) return [];
  if (!isSeq(list)) {
    reader.problems.push({ line: 1, message: `${key} must be a list.` });
    return [];
  }
  return list.items.flatMap((item) => {
    if (isMap(item)) return [item];
    const offset = isScalar(item) ? item.range?.[0] : undefined;
    reader.problems.push({
      line: reader.lineAt(offset),
      message: `An entry of ${key} must be a map with the key image.`,
    });
    return [];
  });
}

function valuesFiles(root: YAMLMap, reader: Reader): readonly string[] {
  const list = root.get("values", true);
  if (list === undefined || list === null) return [];
  if (isSeq(list)) {
    const names = list.items.map((item) => (isScalar(item) ? item.value : undefined));
    if (names.every((name) => typeof name === "string")) return names;
  }
  reader.problems.push({ line: reader.lineAt(list.range?.[0]), message: "values must be a list of file names." });
  return [];
}

function nameOf(entry: YAMLMap, reader: Reader): { readonly image: string; readonly line: number } | undefined {
  const image: unknown = entry.get("image");
  const line = reader.lineAt(entry.range?.[0]);
  if (typeof image === "string" && image !== "") return { image, line };
  reader.problems.push({ line, message: "The entry has no image." });
  return undefined;
}

function lockedImage(entry: YAMLMap, reader: Reader): readonly LockedImage[] {
  const name = nameOf(entry, reader);
  if (name === undefined) return [];
  const digest: unknown = entry.get("digest");
  if (typeof digest !== "string" || !/^sha(?:256|512):[0-9a-f]{64,128}$/.test(digest)) {
    reader.problems.push({ line: name.line, message: `${name.image} has no valid digest: run kubefile lock.` });
    return [];
  }
  const platforms: unknown = entry.get("platforms");
  const found: unknown = entry.get("found");
  return [
    {
      ...name,
      digest,
      platforms: isMap(platforms)
        ? Object.fromEntries(
            platforms.items.map((pair) => [String(pair.key), String((pair.value as Scalar | null)?.value)]),
          )
        : {},
      found: isSeq(found) ? found.items.map((item) => String(isScalar(item) ? item.value : "")) : [],
      optional: entry.get("optional") === true,
    },
  ];
}

function addedImage(entry: YAMLMap, reader: Reader): readonly AddedImage[] {
  const name = nameOf(entry, reader);
  return name === undefined ? [] : [{ ...name, reason: reasonOf(entry), optional: entry.get("optional") === true }];
}

function ignoredImage(entry: YAMLMap, reader: Reader): readonly IgnoredImage[] {
  const name = nameOf(entry, reader);
  return name === undefined ? [] : [{ ...name, reason: reasonOf(entry) }];
}

function reasonOf(entry: YAMLMap): string {
  const reason: unknown = entry.get("reason");
  return typeof reason === "string" ? reason : "";
}

/** Writes a lock: the same lock always gives the same bytes, sorted by image. */
export function formatLock(lock: ImageLock): string {
  const parts = [heading, "version: 1\n"];
  const byImage = <Entry extends { readonly image: string }>(list: readonly Entry[]): readonly Entry[] =>
    [...list].sort((a, b) => compareText(a.image, b.image));
  parts.push(section("images", byImage(lock.images).map(lockedLines)));
  if (lock.add.length > 0) parts.push(section("add", byImage(lock.add).map(addedLines)));
  if (lock.ignore.length > 0) parts.push(section("ignore", byImage(lock.ignore).map(ignoredLines)));
  if (lock.values.length > 0)
    parts.push(
      section(
        "values",
        lock.values.map((file) => [quoted(file)]),
      ),
    );
  return parts.join("");
}

function section(name: string, blocks: readonly (readonly string[])[]): string {
  if (blocks.length === 0) return `${name}: []\n`;
  return `${name}:\n${blocks.map(([first = "", ...rest]) => [`  - ${first}`, ...rest.map((line) => `    ${line}`)].join("\n")).join("\n")}\n`;
}

function lockedLines(entry: LockedImage): readonly string[] {
  const platforms = Object.entries(entry.platforms).sort(([a], [b]) => compareText(a, b));
  return [
    `image: ${quoted(entry.image)}`,
    `digest: ${entry.digest}`,
    ...(entry.optional ? ["optional: true"] : []),
    ...(platforms.length === 0 ? [] : ["platforms:", ...platforms.map(([name, digest]) => `  ${name}: ${digest}`)]),
    ...(entry.found.length === 0 ? [] : ["found:", ...entry.found.map((place) => `  - ${quoted(place)}`)]),
  ];
}

function addedLines(entry: AddedImage): readonly string[] {
  return [
    `image: ${quoted(entry.image)}`,
    ...(entry.reason === "" ? [] : [`reason: ${quoted(entry.reason)}`]),
    ...(entry.optional ? ["optional: true"] : []),
  ];
}

function ignoredLines(entry: IgnoredImage): readonly string[] {
  return [`image: ${quoted(entry.image)}`, ...(entry.reason === "" ? [] : [`reason: ${quoted(entry.reason)}`])];
}

/** A scalar that reads back as the same text; plain where YAML allows it. */
function quoted(text: string): string {
  return /^[A-Za-z0-9][\w./@+-]*(?::[\w./@+-]+)*(?: [\w./@+()[\]:-]+)*$/.test(text) && !/: |^\d+(?:\.\d+)?$/.test(text)
    ? text
    : JSON.stringify(text);
}

/** One image that a build must carry, with every place that asks for it. */
export interface RequiredImage {
  readonly image: string;
  readonly optional: boolean;
  readonly findings: readonly Finding[];
  /** Why it is carried although nothing names it: the lock's `add`. */
  readonly added?: string;
}

/**
 * What a build must carry: what was found, less what the lock ignores, and what the lock adds. Images that a chart merely declares
 * are carried only when the lock adds them.
 */
export function requiredImages(discovery: Discovery, lock: ImageLock): readonly RequiredImage[] {
  const required = new Map<string, { image: string; optional: boolean; findings: Finding[]; added?: string }>();
  const optional = new Set(lock.images.filter((entry) => entry.optional).map((entry) => entry.image));
  for (const finding of discovery.findings) {
    if (finding.confidence === "declared" || isIgnored(finding.image, lock)) continue;
    const entry = required.get(finding.image);
    if (entry === undefined)
      required.set(finding.image, { image: finding.image, optional: optional.has(finding.image), findings: [finding] });
    else entry.findings.push(finding);
  }
  for (const added of lock.add) {
    const entry = required.get(added.image);
    const reason = added.reason === "" ? "added by the image lock" : added.reason;
    if (entry === undefined)
      required.set(added.image, { image: added.image, optional: added.optional, findings: [], added: reason });
    else entry.added = reason;
  }
  return [...required.values()].sort((a, b) => compareText(a.image, b.image));
}

/** The entry of the lock that says to leave an image out. */
export function ignoringEntry(image: string, lock: ImageLock): IgnoredImage | undefined {
  return lock.ignore.find((entry) => matches(entry.image, image));
}

function isIgnored(image: string, lock: ImageLock): boolean {
  return ignoringEntry(image, lock) !== undefined;
}

function matches(pattern: string, image: string): boolean {
  if (!pattern.includes("*")) return pattern === image;
  const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`).test(image);
}

/** How what was found now differs from what the lock says. */
export interface LockDrift {
  /** Required and not in the lock. */
  readonly missing: readonly RequiredImage[];
  /** In the lock and no longer required. */
  readonly unneeded: readonly LockedImage[];
}

/** Compares what is required with the lock. An image that is required and locked is no drift, wherever it is named. */
export function lockDrift(required: readonly RequiredImage[], lock: ImageLock): LockDrift {
  const locked = new Set(lock.images.map((entry) => entry.image));
  const needed = new Set(required.map((entry) => entry.image));
  return {
    missing: required.filter((entry) => !locked.has(entry.image)),
    unneeded: lock.images.filter((entry) => !needed.has(entry.image)),
  };
}

/** The places of a required image as the lock writes them: `file:line (rule)`, each once, at most ten. */
export function foundLines(required: RequiredImage): readonly string[] {
  const unique = foundPlaces(required);
  return unique.length <= 10 ? unique : [...unique.slice(0, 9), `and ${unique.length - 9} more places`];
}

/** Every place of a required image as `file:line (rule)`, each once. */
export function foundPlaces(required: RequiredImage): readonly string[] {
  const lines = required.findings.map(({ origin, rule }) => {
    const values = origin.values === undefined || origin.values === "values.yaml" ? "" : ` with ${origin.values}`;
    return `${origin.file}:${origin.line} (${rule}${values})`;
  });
  if (required.added !== undefined) lines.push(`kubefile.lock (${required.added})`);
  return [...new Set(lines)];
}
