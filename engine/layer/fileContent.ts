import { ftruncateSync, writeSync } from "node:fs";
import type { TarMember } from "../tar/read.ts";

/** Writes the content of a member into an empty file; holes of sparse files stay holes. */
export async function writeContent(fd: number, member: TarMember): Promise<void> {
  const stretches = (member.stretches ?? [{ offset: 0, size: member.entry.size }]).toReversed();
  let within = 0;
  for await (const chunk of member.storedContent()) {
    for (let taken = 0; taken < chunk.length; ) {
      const stretch = stretches.at(-1);
      if (stretch === undefined) return;
      const piece = chunk.subarray(taken, taken + stretch.size - within);
      writeAll(fd, piece, stretch.offset + within);
      taken += piece.length;
      within += piece.length;
      if (within < stretch.size) continue;
      stretches.pop();
      within = 0;
    }
  }
  if (member.stretches !== undefined) ftruncateSync(fd, member.entry.size);
}

function writeAll(fd: number, chunk: Uint8Array, position: number): void {
  for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at, chunk.length - at, position + at);
}
