/**
 * Semantic versions and constraints as Masterminds/semver 3.4 reads them: `semver`, `semverCompare`, dependency ranges.
 * @see https://github.com/Masterminds/semver
 */
import { compareText, GoFunction, goInt, Int, Named, type Value } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import { type FunctionTable, fn } from "./define.ts";

/** A parsed version; missing parts are 0. */
export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly pre: string;
  readonly metadata: string;
  readonly original: string;
}

const versionText =
  /^v?(\d+)(\.\d+)?(\.\d+)?(-([0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+([0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?$/;
const largestUint = (1n << 64n) - 1n;

/** Parses loosely: a leading v and missing parts are fine. @throws GoError */
export function parseVersion(text: string): Version {
  const found = versionText.exec(text);
  if (found === null) throw new GoError("invalid semantic version");
  const [, major = "0", minor = ".0", patch = ".0", , pre = "", , , metadata = ""] = found;
  const part = (digits: string): bigint => {
    const value = BigInt(digits);
    if (value > largestUint) {
      throw new GoError(`error parsing version segment: strconv.ParseUint: parsing "${digits}": value out of range`);
    }
    return value;
  };
  if (pre.split(".").some((piece) => /^0\d+$/.test(piece))) throw new GoError("version segment starts with 0");
  return {
    major: part(major),
    minor: part(minor.slice(1)),
    patch: part(patch.slice(1)),
    pre,
    metadata,
    original: text,
  };
}

/** The normalised text of a version. */
export function versionTextOf(version: Version): string {
  const { major, minor, patch, pre, metadata } = version;
  return `${major}.${minor}.${patch}${pre === "" ? "" : `-${pre}`}${metadata === "" ? "" : `+${metadata}`}`;
}

/** Order of two versions; build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (const part of ["major", "minor", "patch"] as const) {
    if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  }
  return comparePre(a.pre, b.pre);
}

function comparePre(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "") return 1;
  if (b === "") return -1;
  const as = a.split(".");
  const bs = b.split(".");
  for (let i = 0; i < Math.max(as.length, bs.length); i++) {
    const order = comparePart(as[i], bs[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const numeric = [a, b].map((part) => /^\d+$/.test(part) && BigInt(part) <= largestUint);
  if (numeric[0] && numeric[1]) return BigInt(a) === BigInt(b) ? 0 : BigInt(a) > BigInt(b) ? 1 : -1;
  if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
  return Math.sign(compareText(a, b));
}

interface Constraint {
  readonly operator: string;
  readonly version: Version;
  /** Some part is missing or a wildcard. */
  readonly dirty: boolean;
  readonly minorDirty: boolean;
  readonly patchDirty: boolean;
}

const loose =
  "v?([0-9|x|X|*]+)(\\.[0-9|x|X|*]+)?(\\.[0-9|x|X|*]+)?(-([0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*))?(\\+([0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*))?";
const operators = "=||!=|>|<|>=|=>|<=|=<|~|~>|\\^";
const oneConstraint = new RegExp(`^\\s*(${operators})\\s*(${loose})\\s*$`);
const rangeText = new RegExp(`\\s*(${loose})\\s+-\\s+(${loose})\\s*`, "g");
const findConstraint = new RegExp(`(${operators})\\s*(${loose})`, "g");
const validConstraint = new RegExp(
  `^(\\s*(${operators})\\s*(${loose})\\s*)((?:\\s+|,\\s*)(${operators})\\s*(${loose})\\s*)*$`,
);

/** Longer constraints are refused: their patterns backtrack. */
const longestConstraint = 256;

/** A test made from a constraint text. @throws GoError when the text is no constraint */
export function parseConstraint(text: string): (version: Version) => boolean {
  if (text.length > longestConstraint) throw new GoError(`improper constraint: ${text}`);
  const rewritten = text.replace(
    rangeText,
    (_, low: string, ...groups: string[]) => `>= ${low}, <= ${groups[9] ?? ""} `,
  );
  const alternatives = rewritten.split("||").map((alternative) => {
    if (!validConstraint.test(alternative)) throw new GoError(`improper constraint: ${alternative}`);
    const constraints = (alternative.match(findConstraint) ?? [alternative]).map(parseOne);
    return { constraints, allowsPre: constraints.some((constraint) => constraint.version.pre !== "") };
  });
  return (version) =>
    alternatives.some(({ constraints, allowsPre }) => {
      if (version.pre !== "" && !allowsPre) return false;
      return constraints.every((constraint) => satisfies(version, constraint));
    });
}

function parseOne(text: string): Constraint {
  const found = oneConstraint.exec(text);
  if (found === null) throw new GoError(`improper constraint: ${text}`);
  const [, operator = "", whole = "", major = "", minor = "", patch = "", pre = ""] = found;
  const isX = (part: string): boolean => part === "" || /^\.?[xX*]$/.test(part);
  const version = (source: string): Version => {
    try {
      return parseVersion(source);
    } catch {
      throw new GoError("constraint parser error");
    }
  };
  if (isX(major))
    return { operator, version: version(`0.0.0${pre}`), dirty: true, minorDirty: false, patchDirty: false };
  if (isX(minor)) {
    return { operator, version: version(`${major}.0.0${pre}`), dirty: true, minorDirty: true, patchDirty: false };
  }
  if (isX(patch)) {
    return { operator, version: version(`${major}${minor}.0${pre}`), dirty: true, minorDirty: false, patchDirty: true };
  }
  return { operator, version: version(whole), dirty: false, minorDirty: false, patchDirty: false };
}

function satisfies(version: Version, constraint: Constraint): boolean {
  const order = compareVersions(version, constraint.version);
  switch (constraint.operator) {
    case "":
    case "=":
      return constraint.dirty ? tilde(version, constraint) : order === 0;
    case "!=":
      return differs(version, constraint);
    case ">":
      return above(version, constraint);
    case "<":
      return order < 0;
    case ">=":
    case "=>":
      return order >= 0;
    case "<=":
    case "=<":
      return atMost(version, constraint);
    case "^":
      return caret(version, constraint);
    default:
      return tilde(version, constraint);
  }
}

function differs(v: Version, c: Constraint): boolean {
  if (!c.dirty) return compareVersions(v, c.version) !== 0;
  if (c.version.major !== v.major) return true;
  if (c.version.minor !== v.minor && !c.minorDirty) return true;
  if (c.minorDirty) return false;
  if (c.version.patch !== v.patch && !c.patchDirty) return true;
  if (c.patchDirty) return (v.pre !== "" || c.version.pre !== "") && comparePre(v.pre, c.version.pre) !== 0;
  return compareVersions(v, c.version) !== 0;
}

function above(v: Version, c: Constraint): boolean {
  if (!c.dirty || v.major !== c.version.major)
    return c.dirty ? v.major > c.version.major : compareVersions(v, c.version) > 0;
  if (c.minorDirty) return false;
  return c.patchDirty ? v.minor > c.version.minor : compareVersions(v, c.version) > 0;
}

function atMost(v: Version, c: Constraint): boolean {
  if (!c.dirty) return compareVersions(v, c.version) <= 0;
  if (v.major > c.version.major) return false;
  return !(v.major === c.version.major && v.minor > c.version.minor && !c.minorDirty);
}

function tilde(v: Version, c: Constraint): boolean {
  if (compareVersions(v, c.version) < 0) return false;
  const { major, minor, patch } = c.version;
  if (major === 0n && minor === 0n && patch === 0n && !c.minorDirty && !c.patchDirty) return true;
  return v.major === major && (v.minor === minor || c.minorDirty);
}

function caret(v: Version, c: Constraint): boolean {
  if (compareVersions(v, c.version) < 0) return false;
  const { major, minor, patch } = c.version;
  if (major > 0n || c.minorDirty) return v.major === major;
  if (v.major > 0n) return false;
  if (minor > 0n || c.patchDirty) return v.minor === minor;
  return v.minor === 0n && v.patch === patch;
}

/** Helm's `IsCompatibleRange`: whether a version lies in a range; false when either does not parse. */
export function isInRange(constraint: string, version: string): boolean {
  try {
    return parseConstraint(constraint)(parseVersion(version));
  } catch (error) {
    if (error instanceof GoError) return false;
    throw error;
  }
}

function versionOf(value: Value): Version {
  const version = value instanceof Named ? versions.get(value) : undefined;
  if (version === undefined) throw new GoError("wrong type for value; expected *semver.Version");
  return version;
}

const versions = new WeakMap<Named, Version>();

/** A version as templates see it: parts as methods, comparisons, text. */
export function versionValue(version: Version): Named {
  const part = (value: bigint): GoFunction => new GoFunction([], undefined, () => new Int("uint64", value));
  const text = (value: string): GoFunction => new GoFunction([], undefined, () => value);
  const compare = (test: (order: number) => Value): GoFunction => {
    return new GoFunction(["*semver.Version"], undefined, ([other]) =>
      test(compareVersions(version, versionOf(other))),
    );
  };
  const bumped = (change: Partial<Version>): GoFunction => {
    return new GoFunction([], undefined, () => {
      const next = { ...version, pre: "", metadata: "", ...change };
      const prefix = version.original.startsWith("v") ? "v" : "";
      return versionValue({ ...next, original: prefix + versionTextOf(next) });
    });
  };
  const named = new Named({
    goType: "*semver.Version",
    kind: "ptr",
    text: () => versionTextOf(version),
    methods: new Map([
      ["Major", part(version.major)],
      ["Minor", part(version.minor)],
      ["Patch", part(version.patch)],
      ["Prerelease", text(version.pre)],
      ["Metadata", text(version.metadata)],
      ["Original", text(version.original)],
      ["String", text(versionTextOf(version))],
      ["Compare", compare((order) => goInt(order))],
      ["Equal", compare((order) => order === 0)],
      ["GreaterThan", compare((order) => order > 0)],
      ["GreaterThanEqual", compare((order) => order >= 0)],
      ["LessThan", compare((order) => order < 0)],
      ["LessThanEqual", compare((order) => order <= 0)],
      ["IncMajor", bumped({ major: version.major + 1n, minor: 0n, patch: 0n })],
      ["IncMinor", bumped({ minor: version.minor + 1n, patch: 0n })],
      ["IncPatch", bumped(version.pre === "" ? { patch: version.patch + 1n } : {})],
    ]),
  });
  versions.set(named, version);
  return named;
}

export const semverFunctions: FunctionTable = {
  semver: fn(["string"], ([text]) => versionValue(parseVersion(text))),
  semverCompare: fn(["string", "string"], ([constraint, version]) =>
    parseConstraint(constraint)(parseVersion(version)),
  ),
};
