/** Random bytes that a seed repeats: SHA-256 over seed and counter. */
import { createHash } from "node:crypto";

/** A source of random bytes; two sources of one seed give the same bytes. */
export function seededBytes(seed: string): (count: number) => Uint8Array {
  let counter = 0;
  let rest = Buffer.alloc(0);
  return (count) => {
    const parts: Buffer[] = [rest];
    let length = rest.length;
    while (length < count) {
      const next = createHash("sha256").update(`${counter++}\n`).update(seed).digest();
      parts.push(next);
      length += next.length;
    }
    const all = Buffer.concat(parts);
    rest = all.subarray(count);
    return all.subarray(0, count);
  };
}
