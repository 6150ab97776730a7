/** Folders of container images in sealer's layout, with small real images in them. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type Digest, digestOf } from "../../engine/oci/digest.ts";
import { distributionLayout, type PackedImage } from "../../engine/registry/distributionLayout.ts";
import { tarOf } from "./testImages.ts";

export interface BundledTestImage {
  readonly target: Digest;
  readonly layer: Digest;
}

/** Writes `registry/` below a folder, with one image of one layer under each name; answers what each name stands for. */
export async function makeBundle(
  dir: string,
  names: readonly string[],
  layerBytes: number = 1000,
): Promise<ReadonlyMap<string, BundledTestImage>> {
  const blobs = new Map<Digest, Buffer>();
  const add = (bytes: Buffer): { readonly digest: Digest; readonly sizeBytes: number } => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { digest, sizeBytes: bytes.length };
  };
  const images: PackedImage[] = [];
  const made = new Map<string, BundledTestImage>();
  for (const name of names) {
    const tar = await tarOf({ "etc/name": name, "data.bin": Buffer.alloc(layerBytes, name) });
    const layer = add(gzipSync(tar));
    const config = add(
      Buffer.from(
        JSON.stringify({
          architecture: "amd64",
          os: "linux",
          config: { Cmd: ["/bin/true"] },
          rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
          history: [{ created_by: name }],
        }),
      ),
    );
    const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
    const manifest = add(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType,
          config: {
            mediaType: "application/vnd.docker.container.image.v1+json",
            digest: config.digest,
            size: config.sizeBytes,
          },
          layers: [
            {
              mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
              digest: layer.digest,
              size: layer.sizeBytes,
            },
          ],
        }),
      ),
    );
    images.push({
      image: name,
      target: manifest.digest,
      mediaType,
      manifests: [{ ...manifest, platform: "linux/amd64", blobs: [config, layer] }],
    });
    made.set(name, { target: manifest.digest, layer: layer.digest });
  }
  for (const file of distributionLayout(images)) {
    const place = path.join(dir, "registry", file.path);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, file.kind === "text" ? file.text : (blobs.get(file.digest) ?? ""));
  }
  return made;
}
