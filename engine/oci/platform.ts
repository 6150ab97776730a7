import { EngineError } from "../errors.ts";

/** What an image runs on, in the specification's own field names. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const wordPattern = /^[A-Za-z0-9_.-]+$/;

/** Spellings of other worlds (uname, Debian, Rust) and Go's word for them. */
const architectures: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map([
  ["x86_64", { architecture: "amd64" }],
  ["x86-64", { architecture: "amd64" }],
  ["i386", { architecture: "386" }],
  ["i486", { architecture: "386" }],
  ["i586", { architecture: "386" }],
  ["i686", { architecture: "386" }],
  ["aarch64", { architecture: "arm64" }],
  ["armhf", { architecture: "arm", variant: "v7" }],
  ["armel", { architecture: "arm", variant: "v6" }],
  ["ppc64el", { architecture: "ppc64le" }],
]);

/** The variant meant when none is written. It is left out of the normalised form, as containerd does. */
const defaultVariants: ReadonlyMap<string, string> = new Map([
  ["arm64", "v8"],
  ["amd64", "v1"],
]);

/**
 * Reads `os/arch[/variant]` or an architecture alone (then the system is linux) and normalises it; throws `PLATFORM_INVALID`.
 * @see github.com/containerd/platforms, platforms.go and database.go
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  const fail = (reason: string): never => {
    throw new EngineError("PLATFORM_INVALID", { text: text.slice(0, 100), reason });
  };
  if (parts.length > 3) fail("it has more than three parts");
  if (!parts.every((part) => wordPattern.test(part))) fail("each part is letters, digits, '_', '.' and '-'");
  const [first = "", second, third] = parts;
  if (second === undefined) return normalizePlatform({ os: "linux", architecture: first });
  return normalizePlatform({
    os: first,
    architecture: second,
    ...(third === undefined ? {} : { variant: third }),
  });
}

/** One spelling for one meaning: lower case, Go's architecture words, default variants left out, `arm` always with a variant. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const known = architectures.get(written);
  const architecture = known?.architecture ?? written;
  const variant = normalizeVariant(architecture, platform.variant?.toLowerCase() || known?.variant);
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(platform["os.version"] === undefined ? {} : { "os.version": platform["os.version"] }),
    ...(platform["os.features"] === undefined ? {} : { "os.features": platform["os.features"] }),
  };
}

/** `os/arch[/variant]` of the normalised platform. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform);
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Whether both name the same platform; `os.version` and `os.features` are not compared. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(a) === formatPlatform(b);
}

/**
 * How well an image for `offered` serves a machine of `wanted`: 0 is the same platform, larger is an older variant that still runs,
 * undefined does not run. An arm v7 runs v6 and v5; arm64 runs arm64 only.
 */
export function platformDistance(wanted: Platform, offered: Platform): number | undefined {
  const want = normalizePlatform(wanted);
  const offer = normalizePlatform(offered);
  if (want.os !== offer.os || want.architecture !== offer.architecture) return undefined;
  if (want.variant === offer.variant) return 0;
  const wantNumber = variantNumber(want);
  const offerNumber = variantNumber(offer);
  if (wantNumber === undefined || offerNumber === undefined || offerNumber > wantNumber) return undefined;
  return wantNumber - offerNumber;
}

/** The entry that serves `wanted` best; the first of equals. Entries without a platform never match. */
export function choosePlatform<Entry extends { readonly platform?: Platform }>(
  entries: readonly Entry[],
  wanted: Platform,
): Entry | undefined {
  let best: { readonly entry: Entry; readonly distance: number } | undefined;
  for (const entry of entries) {
    if (entry.platform === undefined) continue;
    const distance = platformDistance(wanted, entry.platform);
    if (distance !== undefined && (best === undefined || distance < best.distance)) best = { entry, distance };
  }
  return best?.entry;
}

function normalizeVariant(architecture: string, written: string | undefined): string | undefined {
  const variant = written !== undefined && /^[0-9]/.test(written) ? `v${written}` : written;
  if (architecture === "arm") return variant ?? "v7";
  return variant === defaultVariants.get(architecture) ? undefined : variant;
}

function variantNumber(platform: Platform): number | undefined {
  const variant = platform.variant ?? defaultVariants.get(platform.architecture);
  const digits = variant === undefined ? null : /^v([0-9]+)$/.exec(variant);
  return digits?.[1] === undefined ? undefined : Number(digits[1]);
}
