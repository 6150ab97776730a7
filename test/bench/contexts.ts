import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";

/** A build context of one of the sizes that are compared. */
export interface ContextSize {
  readonly name: string;
  readonly files: number;
  readonly fileBytes: number;
  readonly what: string;
}

export const sizes: Readonly<Record<string, ContextSize>> = {
  S: { name: "S", files: 1000, fileBytes: 4096, what: "1,000 files of 4 KiB" },
  M: { name: "M", files: 20_000, fileBytes: 8192, what: "20,000 files of 8 KiB" },
  L: { name: "L", files: 8, fileBytes: 256 * 1024 * 1024, what: "8 files of 256 MiB" },
};

/** Makes the context once: half of every file random, half text; 100 files to a directory. The bytes are the same each time. */
export function makeContext(root: string, { files, fileBytes }: ContextSize): string {
  if (existsSync(root)) return root;
  const random = generator(1);
  for (let index = 0; index < files; index++) {
    const directory = path.join(root, `d${String(Math.floor(index / 100)).padStart(4, "0")}`);
    mkdirSync(directory, { recursive: true });
    writeHalfRandom(path.join(directory, `f${String(index % 100).padStart(2, "0")}.yaml`), fileBytes, random);
  }
  return root;
}

/** Changes one small file, a different one each time. */
export function changeOne(root: string, round: number): void {
  const changed = path.join(root, "changing", `f${round % 3}.yaml`);
  mkdirSync(path.dirname(changed), { recursive: true });
  if (existsSync(changed)) appendFileSync(changed, `changed: ${round}\n`);
  else writeFileSync(changed, `first: ${round}\n`);
}

function writeHalfRandom(file: string, size: number, random: () => number): void {
  const descriptor = openSync(file, "w");
  const chunkSize = Math.min(size, 1024 * 1024);
  const chunk = Buffer.alloc(chunkSize);
  for (let written = 0; written < size; written += chunkSize) {
    const half = Math.floor(chunkSize / 2);
    for (let at = 0; at + 4 <= half; at += 4) chunk.writeUInt32LE(random(), at);
    chunk.fill(`line ${written} of a text that compresses well\n`, half);
    writeSync(descriptor, chunk);
  }
  closeSync(descriptor);
}

/** Marsaglia's xorshift: the same numbers on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
