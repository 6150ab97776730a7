/**
 * sealer's own line scan, to the letter, for comparison: what `sealer build` finds in a YAML file or a rendered chart.
 *
 * A line counts when, without quotes, commas and blanks, the part before its first colon ends with `image` and holds no `#`. Nothing of
 * YAML is understood, so a comment behind the name becomes part of it and a CRD's `image: string` is an image.
 *
 * @see sealer v0.11.0, build/layerutils/utils.go (DecodeImages) and build/layerutils/charts
 */
export function sealerLineImages(text: string): readonly string[] {
  const names: string[] = [];
  for (const line of text.split("\n")) {
    // sealer's scanner gives up the rest of the file at a line of more than 64 KiB.
    if (Buffer.byteLength(line) > 64 * 1024) break;
    const packed = line.replace(/[", ]/g, "");
    const colon = packed.indexOf(":");
    if (colon === -1) continue;
    const key = packed.slice(0, colon);
    if (!key.endsWith("image") || key.includes("#")) continue;
    names.push(packed.slice(colon + 1));
  }
  return cleaned(names);
}

/** sealer's clean-up of a list: blanks and one pair of quotes off, comments and empty lines out, each name once, in order. */
export function sealerListImages(text: string): readonly string[] {
  return cleaned(text.split("\n"));
}

function cleaned(names: readonly string[]): readonly string[] {
  const kept = names
    .map((name) => name.trim().replace(/^['"]+|['"]+$/g, ""))
    .filter((name) => name !== "" && !name.startsWith("#"));
  return [...new Set(kept)];
}

const pathPart = "[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*";
const domainPart = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const reference = new RegExp(
  `^(?:${domainPart}(?:\\.${domainPart})*(?::[0-9]+)?/)?${pathPart}(?:/${pathPart})*(?::[\\w][\\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/**
 * sealer's normalised form of a name: `docker.io` and `library/` added, no tag added. `undefined` when it would not parse, which sealer
 * passes over in silence.
 *
 * @see sealer v0.11.0, and distribution/reference, ParseNormalizedNamed
 */
export function sealerNormalised(name: string): string | undefined {
  if (/^[0-9a-f]{64}$/.test(name)) return undefined;
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const hasDomain = first !== "" && (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  const domain = hasDomain ? (first === "index.docker.io" ? "docker.io" : first) : "docker.io";
  const rest = hasDomain ? name.slice(slash + 1) : name;
  const path = domain === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest;
  const repository = path.replace(/@.*$/, "").replace(/:[^/]*$/, "");
  if (repository.toLowerCase() !== repository) return undefined;
  const full = `${domain}/${path}`;
  return reference.test(full) ? full : undefined;
}
