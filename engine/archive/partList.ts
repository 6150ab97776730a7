/**
 * An archive in parts: `NAME.001`, `NAME.002` … and `NAME.parts.json`, which says what each must be. The parts joined are the archive
 * (`cat NAME.[0-9]*`), and each digest is what `sha256sum` prints.
 */
import { canonicalJsonBytes } from "../oci/canonicalJson.ts";
import { asCount, asList, asText, type Checked, decodeJson, refuse, required } from "../oci/checkedJson.ts";
import { readDigest } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

export interface Part {
  /** Name beside the list, no folder in it. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly digest: Digest;
}

const listEnding = ".parts.json";
const partEnding = /\.[0-9]{3}$/;

/** More parts than these have no name. */
export const mostParts = 999;

/** `archive.tar` → `archive.tar.parts.json`. */
export function partListPath(archive: string): string {
  return `${archive}${listEnding}`;
}

/** The path of a part, numbers starting at 1. */
export function partPath(archive: string, number: number): string {
  return `${archive}.${String(number).padStart(3, "0")}`;
}

/** Whether a file is called what the list of parts is called. */
export function isPartListName(file: string): boolean {
  return file.endsWith(listEnding);
}

/** The list that belongs to a part by its name; undefined when that is no part's name. */
export function partListOf(part: string): string | undefined {
  return partEnding.test(part) ? partListPath(part.replace(partEnding, "")) : undefined;
}

/** The bytes of the list. */
export function encodePartList(parts: readonly Part[]): Uint8Array {
  return canonicalJsonBytes({ schemaVersion: 1, parts: parts.map((part) => ({ ...part })) });
}

/** Reads a list; throws `DOCUMENT_INVALID`. */
export function parsePartList(bytes: Uint8Array, document: string): readonly Part[] {
  const at = decodeJson(bytes, document);
  const version = required(at, "schemaVersion");
  if (asCount(version) !== 1) refuse(version, "it is of a newer kind: update Kubefile");
  const list = required(at, "parts");
  const parts = asList(list).map(readPart);
  if (parts.length === 0) refuse(list, "it lists no part");
  return parts;
}

function readPart(at: Checked): Part {
  const name = required(at, "file");
  const file = asText(name);
  if (/[/\\]/.test(file) || file === "" || file === "." || file === "..") refuse(name, "a part lies beside its list");
  return { file, sizeBytes: asCount(required(at, "sizeBytes")), digest: readDigest(required(at, "digest")) };
}
