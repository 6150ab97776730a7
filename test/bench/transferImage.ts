/** The M and L images of the transfer benchmark: one layer each, made from a seed, so that every run moves the same bytes. */
import { createCipheriv } from "node:crypto";
import { encodeConfig } from "../../engine/oci/config.ts";
import type { Descriptor } from "../../engine/oci/descriptor.ts";
import { encodeManifest } from "../../engine/oci/manifest.ts";
import { mediaTypes } from "../../engine/oci/mediaTypes.ts";
import type { Store } from "../../engine/store/contract.ts";

export type BenchSize = "M" | "L";

/** M: 20,000 files of 8 KiB, half random half text each. L: 8 files of 256 MiB, every other one random. */
const shapes = {
  M: { files: 20_000, fileBytes: 8 * 1024 },
  L: { files: 8, fileBytes: 256 * 1024 * 1024 },
} as const;

/** Stores the image and names it. */
export async function storeBenchImage(
  store: Store,
  name: string,
  size: BenchSize,
  signal: AbortSignal,
): Promise<Descriptor> {
  await using lease = store.lease("bench");
  await using writer = lease.createBlob();
  for await (const chunk of benchTar(size)) await writer.write(chunk);
  const layer = await writer.commit();
  const diff_ids = [layer.digest];
  const config = await lease.putBytes(
    encodeConfig({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids } }),
  );
  const manifest = await lease.putBytes(
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.sizeBytes },
      layers: [{ mediaType: mediaTypes.ociLayer, digest: layer.digest, size: layer.sizeBytes }],
    }),
  );
  const descriptor = { mediaType: mediaTypes.ociManifest, digest: manifest.digest, size: manifest.sizeBytes };
  await store.tag(name, descriptor, signal);
  return descriptor;
}

async function* benchTar(size: BenchSize): AsyncGenerator<Uint8Array> {
  const { files, fileBytes } = shapes[size];
  const random = createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16));
  const text = words(1024 * 1024);
  const zeros = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < files; i += 1) {
    yield header(`d${i % 200}/file-${i}`, fileBytes);
    if (size === "M") {
      const at = (i * 4099) % (text.length - 4096);
      yield Buffer.concat([random.update(zeros.subarray(0, fileBytes / 2)), text.subarray(at, at + fileBytes / 2)]);
      continue;
    }
    for (let done = 0; done < fileBytes; done += zeros.length)
      yield i % 2 === 0 ? random.update(zeros) : shuffled(text, done);
  }
  yield zeros.subarray(0, 1024);
}

/** Text that compresses like text: words of a small vocabulary in no order. */
function words(bytes: number): Buffer {
  const random = createCipheriv("aes-128-ctr", Buffer.alloc(16, 9), Buffer.alloc(16));
  const vocabulary = Array.from({ length: 4096 }, () => {
    const letters = random.update(Buffer.alloc(9));
    return [...letters.subarray(0, 3 + ((letters[8] ?? 0) % 6))]
      .map((byte) => String.fromCharCode(97 + (byte % 26)))
      .join("");
  });
  const parts: string[] = [];
  for (let length = 0; length < bytes; ) {
    // A few words are frequent and most are rare, as in any language.
    const rank = Math.floor(vocabulary.length ** (random.update(Buffer.alloc(4)).readUInt32LE(0) / 2 ** 32)) - 1;
    const word = vocabulary[rank] ?? "";
    parts.push(word);
    length += word.length + 1;
  }
  return Buffer.from(parts.join(" ")).subarray(0, bytes);
}

/** The same text from another place each time, so that no window sees it twice. */
function shuffled(text: Buffer, seed: number): Buffer {
  const at = ((seed / 1024 / 1024) * 77_777) % text.length;
  return Buffer.concat([text.subarray(at), text.subarray(0, at)]);
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(`0000644\0${"0000000\0".repeat(2)}`, 100);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0        0", 136);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
