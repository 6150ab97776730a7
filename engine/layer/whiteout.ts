import { type ByteString, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";

/*
 * Names by which a layer deletes what lies below it.
 * OCI image-spec v1.1 layer.md, "Whiteouts".
 */
const prefix = ".wh.";
const opaqueName = ".wh..wh..opq";

export type Whiteout =
  /** The path of what is deleted. */
  | { readonly kind: "whiteout"; readonly path: ByteString }
  /** The directory whose content of lower layers is hidden. */
  | { readonly kind: "opaque"; readonly directory: ByteString };

/**
 * What the name of a layer entry deletes, or undefined for an ordinary entry. Names that start with `.wh.` and mean neither throw
 * `LAYER_INVALID`: taken as files they would hide or reveal what the author did not see.
 */
export function readWhiteout(path: ByteString): Whiteout | undefined {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const directory = path.slice(0, Math.max(slash, 0)) as ByteString;
  if (!name.startsWith(prefix)) {
    if (path.startsWith(prefix) || path.includes(`/${prefix}`)) throw invalid(path, "an entry below a whiteout");
    return undefined;
  }
  if (directory.startsWith(prefix) || directory.includes(`/${prefix}`))
    throw invalid(path, "a whiteout below a whiteout");
  if (name === opaqueName) return { kind: "opaque", directory };
  const victim = name.slice(prefix.length);
  if (victim === "" || victim === "." || victim === ".." || victim.startsWith(prefix)) {
    throw invalid(path, "a whiteout that names nothing");
  }
  return { kind: "whiteout", path: (directory === "" ? victim : `${directory}/${victim}`) as ByteString };
}

/** The entry name that deletes `path`. */
export function whiteoutPath(path: ByteString): ByteString {
  const slash = path.lastIndexOf("/");
  return `${path.slice(0, slash + 1)}${prefix}${path.slice(slash + 1)}` as ByteString;
}

/** Whether a file may not be put into a layer under this path, because its name would be read as a whiteout. */
export function isWhiteoutName(path: ByteString): boolean {
  return path.startsWith(prefix) || path.includes(`/${prefix}`);
}

function invalid(path: ByteString, reason: string): EngineError {
  return new EngineError("LAYER_INVALID", { path: textOfBytes(path), reason });
}
