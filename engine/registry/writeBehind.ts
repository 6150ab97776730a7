/** A body is gathered to this much at most before it is written: a write for every packet costs more than the packet. */
export const gatherBytes: number = 1024 * 1024;
/** Buffers that wait for the next upload; more are given back to the system. */
const keptBuffers = 16;
const pool: Buffer[] = [];

/**
 * Writes a body in pieces of a mebibyte, taking the next packets while the disk is busy with the last piece. Writes do not overlap; when
 * this returns or throws, all that came is written. Memory is two pieces, however fast the client is.
 *
 * @param leastBytes what is worth a write while the disk is idle: `gatherBytes` for speed, less where somebody waits for the bytes
 * @param admit asked before each packet with the bytes taken so far; false ends the body there, and answers false
 */
export async function writeBehind(
  body: AsyncIterable<Uint8Array>,
  write: (bytes: Uint8Array) => Promise<void>,
  admit: (bytesWithThis: number) => boolean,
  leastBytes: number,
): Promise<boolean> {
  const buffers = [takeBuffer(), takeBuffer()];
  let filled = 0;
  let takenBytes = 0;
  let writing = Promise.resolve();
  let idle = true;
  const flush = async (): Promise<void> => {
    await writing;
    const [full, other] = buffers as [Buffer, Buffer];
    idle = false;
    writing = write(full.subarray(0, filled)).finally(() => {
      idle = true;
    });
    // Its failure is thrown at the next flush; until then nobody waits for it.
    writing.catch(() => undefined);
    buffers.splice(0, 2, other, full);
    filled = 0;
  };
  const take = async (chunk: Uint8Array): Promise<void> => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + gatherBytes - filled);
      buffers[0]?.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === gatherBytes) await flush();
    }
    if (idle && filled >= leastBytes) await flush();
  };
  try {
    for await (const chunk of body) {
      takenBytes += chunk.length;
      if (!admit(takenBytes)) return false;
      await take(chunk);
    }
    if (filled > 0) await flush();
    await writing;
    return true;
  } catch (error) {
    // What came before a body broke is written too: whoever goes on need not send it again.
    if (filled > 0) await flush().catch(() => undefined);
    throw error;
  } finally {
    // Whoever comes next must find no write under way, and no buffer that is still read.
    await writing.catch(() => undefined);
    for (const buffer of buffers) if (pool.length < keptBuffers) pool.push(buffer);
  }
}

function takeBuffer(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(gatherBytes);
}
