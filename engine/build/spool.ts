import { createHash } from "node:crypto";
import { lstatSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { bytesOfText } from "../byteString.ts";
import type { FileIdentity, LayerContent } from "../layer/layerEntry.ts";

/** Writes contents of a stream of members to files of a folder, to be packed from there. */
export class Spool {
  readonly #dir: string;
  #count = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Writes one content and tells where it is and what it must still be when it is read. */
  async write(
    content: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly content: LayerContent; readonly digest: string }> {
    const file = path.join(this.#dir, `spool-${this.#count++}`);
    const hash = createHash("sha256");
    const handle = await open(file, "wx");
    try {
      for await (const chunk of content) {
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
    } finally {
      await handle.close();
    }
    return {
      content: { from: "file", path: bytesOfText(file), identity: identityOf(file) },
      digest: hash.digest("hex"),
    };
  }
}

function identityOf(file: string): FileIdentity {
  const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(file, { bigint: true });
  return { dev, ino, size: Number(size), mtimeNs, ctimeNs };
}
