import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { EngineError } from "../../../engine/errors.ts";
import { decompress } from "../../../engine/layer/decompress.ts";
import { annotationKeys } from "../../../engine/oci/clusterImage.ts";
import { encodeConfig } from "../../../engine/oci/config.ts";
import type { Descriptor } from "../../../engine/oci/descriptor.ts";
import { type Digest, digestOf } from "../../../engine/oci/digest.ts";
import type { ImageSource } from "../../../engine/oci/imageSource.ts";
import { encodeIndex } from "../../../engine/oci/index.ts";
import { encodeManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";
import { validateImage } from "../../../engine/oci/validate.ts";

const never = new AbortController().signal;

/** A source that checks nothing, so that the validation has to. Blobs may lie under a digest that is not theirs. */
class Heap implements ImageSource {
  readonly blobs = new Map<Digest, Uint8Array>();

  put(mediaType: string, bytes: Uint8Array, claimed: Digest = digestOf(bytes)): Descriptor {
    this.blobs.set(claimed, bytes);
    return { mediaType, digest: claimed, size: bytes.byteLength };
  }

  async resolve(): Promise<undefined> {
    return undefined;
  }

  async readDocument({ digest }: Descriptor): Promise<Uint8Array> {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) throw new EngineError("BLOB_MISSING", { digest, where: "the heap" });
    return bytes;
  }

  async *readBlob(descriptor: Descriptor): AsyncGenerator<Uint8Array> {
    yield await this.readDocument(descriptor);
  }
}

interface Twist {
  readonly diffId?: Digest;
  readonly layerType?: string;
  readonly layerBytes?: Uint8Array;
  readonly layerDigest?: Digest;
  readonly layerSize?: number;
  readonly moreDiffIds?: readonly Digest[];
  readonly history?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

function image(heap: Heap, twist: Twist = {}): Descriptor {
  const tar = Buffer.from("not really a tar, which nobody here looks into");
  const layer = {
    ...heap.put(twist.layerType ?? mediaTypes.ociLayerGzip, twist.layerBytes ?? gzipSync(tar), twist.layerDigest),
    ...(twist.layerSize === undefined ? {} : { size: twist.layerSize }),
  };
  const config = encodeConfig({
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [twist.diffId ?? digestOf(tar), ...(twist.moreDiffIds ?? [])] },
    history: Array.from({ length: twist.history ?? 1 }, () => ({ created_by: "x" })),
  });
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: heap.put(mediaTypes.ociConfig, config),
    layers: [layer],
    ...(twist.annotations === undefined ? {} : { annotations: twist.annotations }),
  });
  return heap.put(mediaTypes.ociManifest, manifest);
}

async function claims(heap: Heap, target: Descriptor): Promise<string[]> {
  return (await validateImage(heap, target, decompress, never)).map((claim) => claim.problem);
}

test("an image that says the truth has no false claims", async () => {
  const heap = new Heap();
  assert.deepEqual(await claims(heap, image(heap)), []);
  const multiMember = Buffer.concat([gzipSync("not really a tar, "), gzipSync("which nobody here looks into")]);
  assert.deepEqual(await claims(heap, image(heap, { layerBytes: multiMember })), []);
});

const twists: readonly (readonly [what: string, twist: Twist, problem: RegExp])[] = [
  ["another diffID", { diffId: digestOf("x") }, /unpacked it is/],
  ["a layer under a digest that is not its own", { layerDigest: digestOf("x") }, /its content has digest/],
  ["a wrong size of a layer", { layerSize: 7 }, /bytes, not 7/],
  ["a layer that is not compressed as it says", { layerBytes: Buffer.from("not really a tar") }, /unpacked it is/],
  ["a layer cut off", { layerBytes: gzipSync("x".repeat(1000)).subarray(0, 20) }, /./],
  ["more diffIDs than layers", { moreDiffIds: [digestOf("x")] }, /lists 2 layers, the manifest 1/],
  ["history of more layers than there are", { history: 3 }, /history made 3 layers/],
  ["an extension that cannot be read", { annotations: { [annotationKeys.imageExtension]: "{" } }, /not JSON/],
  [
    "container images that cannot be read",
    { annotations: { [annotationKeys.containerImages]: "{}" } },
    /a list was expected/,
  ],
];

for (const [what, twist, problem] of twists) {
  test(`${what} is a false claim`, async () => {
    const heap = new Heap();
    assert.match((await claims(heap, image(heap, twist))).join("\n"), problem);
  });
}

test("an index that lies about the platform, the type or the size of a manifest is caught", async () => {
  const heap = new Heap();
  const one = image(heap);
  const indexOf = (entry: Descriptor): Descriptor =>
    heap.put(
      mediaTypes.ociIndex,
      encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] }),
    );
  const platform = { os: "linux", architecture: "amd64" };
  assert.deepEqual(await claims(heap, indexOf({ ...one, platform })), []);
  assert.match(
    (await claims(heap, indexOf({ ...one, platform: { os: "linux", architecture: "arm64" } }))).join(),
    /for linux\/amd64/,
  );
  assert.match(
    (await claims(heap, indexOf({ ...one, mediaType: mediaTypes.dockerManifest }))).join(),
    /it is application\/vnd.oci/,
  );
  assert.match((await claims(heap, indexOf({ ...one, size: 1 }))).join(), /bytes, not 1/);
  assert.match((await claims(heap, indexOf({ ...one, digest: digestOf("none") }))).join(), /none of its manifests/);
});

test("a missing layer is a false claim; an error of another kind is not about the image", async () => {
  const heap = new Heap();
  const target = image(heap);
  for (const digest of heap.blobs.keys()) {
    if (digest !== target.digest) heap.blobs.delete(digest);
  }
  assert.equal((await claims(heap, target)).length, 2);
  heap.readDocument = async () => {
    throw new EngineError("CANCELLED", { what: "reading" });
  };
  await assert.rejects(claims(heap, target), { code: "CANCELLED" });
});
