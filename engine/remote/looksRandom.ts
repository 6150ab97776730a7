/** Every second byte is enough to tell, and half the work. */
const stride = 2;
/** How much more often equal bytes meet than in random ones before they count as worth compressing. */
const margin = 1.2;

const counts = new Uint16Array(256);

/**
 * Whether a stretch looks as if compressing it were in vain: whether its bytes are spread as evenly as random ones. Text
 * exceeds the bound tenfold, base64 threefold. Only ever a guess: the worst it costs is size, at most that of storing.
 */
export function looksRandom(bytes: Uint8Array, start: number, length: number): boolean {
  counts.fill(0);
  const end = start + length;
  for (let i = start; i < end; i += stride) {
    const byte = bytes[i] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  let squares = 0;
  for (const count of counts) squares += count * count;
  const samples = length / stride;
  return squares < margin * ((samples * samples) / 256 + samples);
}
