/** Bits per byte above which bytes are not worth compressing: text has 4 to 6, machine code 6, compressed data almost 8. */
const randomBits = 7.95;
/** Every fourth byte is enough to tell, and a quarter of the work. */
const stride = 4;

/**
 * Whether bytes look as if compressing them were in vain, by the histogram of a sample. Only ever a guess: the worst it
 * costs is size, at most that of storing.
 */
export function looksRandom(bytes: Uint8Array): boolean {
  const counts = new Uint32Array(256);
  let total = 0;
  for (let i = 0; i < bytes.byteLength; i += stride) {
    const byte = bytes[i] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
    total += 1;
  }
  if (total < 4096) return false;
  let bits = 0;
  for (const count of counts) {
    if (count > 0) bits -= (count / total) * Math.log2(count / total);
  }
  return bits > randomBits;
}
