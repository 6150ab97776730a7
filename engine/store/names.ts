import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { canonicalJson, compareBytewise } from "../oci/canonicalJson.ts";
import { asCount, asText, decodeJson, required } from "../oci/checkedJson.ts";
import { type Descriptor, readDescriptor } from "../oci/descriptor.ts";
import { digestHex, digestOf } from "../oci/digest.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { NamedImage } from "./contract.ts";
import type { Flusher } from "./flush.ts";
import { entriesOf, type Layout, removeFile } from "./layout.ts";
import { ownIdentity } from "./liveness.ts";
import { errnoOf, writing, writingSync } from "./storeErrors.ts";

/** Throws `REFERENCE_INVALID` unless the text is the one normalised form of a reference. */
export function checkName(name: string): void {
  const normalised = formatReference(parseReference(name));
  if (normalised === name) return;
  throw new EngineError("REFERENCE_INVALID", { text: name, reason: `its normalised form is "${normalised}"` });
}

/** Makes the name point at the target, durably. The file is named by a digest because names are longer than file names may be. */
export async function writeName(layout: Layout, flusher: Flusher, image: NamedImage): Promise<void> {
  const born = path.join(layout.tmp, `${ownIdentity()}_${randomBytes(8).toString("hex")}_name`);
  const { name, target, taggedAtMs } = image;
  await writing(layout.dir, async () => {
    try {
      await writeFile(born, canonicalJson({ name, target: { ...target } as never, taggedAtMs }));
      await flusher.publish(born, namePath(layout, name), async () => undefined);
    } finally {
      removeFile(born);
    }
  });
}

/** Removes a name, durably; false when it was not there. */
export async function removeName(layout: Layout, flusher: Flusher, name: string): Promise<boolean> {
  if (!writingSync(layout.dir, () => removeFile(namePath(layout, name)))) return false;
  await flusher.flushFolder(layout.names);
  return true;
}

/** What the name points at, or undefined. */
export function readName(layout: Layout, name: string): NamedImage | undefined {
  return readNameFile(namePath(layout, name));
}

/** All names, sorted bytewise. */
export function listNames(layout: Layout): readonly NamedImage[] {
  return entriesOf(layout.names)
    .map((file) => readNameFile(path.join(layout.names, file)))
    .filter((image) => image !== undefined)
    .sort((a, b) => compareBytewise(a.name, b.name));
}

function namePath(layout: Layout, name: string): string {
  return path.join(layout.names, digestHex(digestOf(name)));
}

function readNameFile(file: string): NamedImage | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const at = decodeJson(bytes, `the name in ${file}`);
  const target: Descriptor = readDescriptor(required(at, "target"));
  return { name: asText(required(at, "name")), target, taggedAtMs: asCount(required(at, "taggedAtMs")) };
}
