/** Small images made by hand for transfers: real tar layers, sealer's annotations, one or two platforms. */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { encodeConfig } from "../../engine/oci/config.ts";
import type { Descriptor } from "../../engine/oci/descriptor.ts";
import { encodeIndex } from "../../engine/oci/index.ts";
import { encodeManifest } from "../../engine/oci/manifest.ts";
import { mediaTypes } from "../../engine/oci/mediaTypes.ts";
import type { Lease, Store } from "../../engine/store/contract.ts";

/** What sealer writes on the manifest, the values every route must keep. */
export const testAnnotations: Readonly<Record<string, string>> = {
  "sealer.image.extension": JSON.stringify({
    schemaVersion: "v1alpha1",
    type: "app-installer",
    launch: { app_names: ["shop"] },
  }),
  "sealer.image.container.images": JSON.stringify([{ image: "docker.io/library/nginx:alpine", appName: "shop" }]),
};

/** A tar of files, made by GNU tar with nothing of this machine in it. */
export async function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const dir = await mkdtemp(path.join(tmpdir(), "kubefile-layer-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
      await writeFile(path.join(dir, name), content);
    }
    const options = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--format=pax"];
    const pax = "--pax-option=delete=atime,delete=ctime";
    const made = spawnSync("tar", [...options, pax, "-cf", "layer.tar", "--exclude=layer.tar", "."], { cwd: dir });
    if (made.status !== 0) throw new Error(`tar: ${made.stderr.toString()}`);
    return await readFile(path.join(dir, "layer.tar"));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Stores an image of uncompressed layers and returns its manifest's descriptor. */
export async function putImage(
  lease: Lease,
  layers: readonly Uint8Array[],
  architecture: string = "amd64",
): Promise<Descriptor> {
  const descriptors: Descriptor[] = [];
  for (const bytes of layers) {
    const { digest, sizeBytes } = await lease.putBytes(bytes);
    descriptors.push({ mediaType: mediaTypes.ociLayer, digest, size: sizeBytes });
  }
  const diffIds = descriptors.map((layer) => layer.digest);
  const config = await lease.putBytes(
    encodeConfig({
      architecture,
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: { Labels: { "io.sealer.version": "test" } },
      rootfs: { type: "layers", diff_ids: diffIds },
      history: diffIds.map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "COPY . /" })),
    }),
  );
  const manifest = await lease.putBytes(
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.sizeBytes },
      layers: descriptors,
      annotations: testAnnotations,
    }),
  );
  return { mediaType: mediaTypes.ociManifest, digest: manifest.digest, size: manifest.sizeBytes };
}

/** Stores an image of two layers under a name. */
export async function tagTestImage(store: Store, name: string, signal: AbortSignal): Promise<Descriptor> {
  await using lease = store.lease("test");
  const image = await putImage(lease, [
    await tarOf({ "etc/kubeadm.yml": "kind: ClusterConfiguration\n", "bin/tool": "x".repeat(300_000) }),
    await tarOf({ "application/apps/shop/shop.yaml": "kind: Deployment\n".repeat(1000) }),
  ]);
  await store.tag(name, image, signal);
  return image;
}

/** Stores an index of two platforms that share a layer. */
export async function tagTestIndex(store: Store, name: string, signal: AbortSignal): Promise<Descriptor> {
  await using lease = store.lease("test");
  const shared = await tarOf({ "manifests/shop.yaml": "kind: Service\n".repeat(500) });
  const manifests: Descriptor[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const image = await putImage(
      lease,
      [shared, await tarOf({ "bin/kubelet": `for ${architecture}\n`.repeat(9000) })],
      architecture,
    );
    manifests.push({ ...image, platform: { os: "linux", architecture } });
  }
  const index = await lease.putBytes(encodeIndex({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  const descriptor = { mediaType: mediaTypes.ociIndex, digest: index.digest, size: index.sizeBytes };
  await store.tag(name, descriptor, signal);
  return descriptor;
}
