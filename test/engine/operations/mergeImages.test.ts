import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { parseContainerImages, parseImageExtension } from "../../../engine/oci/clusterImage.ts";
import { parseIndex } from "../../../engine/oci/index.ts";
import { parseManifest } from "../../../engine/oci/manifest.ts";
import { diffImages } from "../../../engine/operations/diffImages.ts";
import { exportRootfs } from "../../../engine/operations/exportRootfs.ts";
import { addToList, createList } from "../../../engine/operations/manifestLists.ts";
import { mergeImages } from "../../../engine/operations/mergeImages.ts";
import type { Store } from "../../../engine/store/contract.ts";
import { type ClusterImageParts, tagClusterImage } from "../../support/clusterImages.ts";
import { temporaryDir, temporaryStore } from "../../support/temporary.ts";

const signal = AbortSignal.timeout(60_000);
const amd64 = { os: "linux", architecture: "amd64" };
const nginxLink = "registry/docker/registry/v2/repositories/library/nginx/_manifests/tags/1/current/link";
const redisLink = "registry/docker/registry/v2/repositories/library/redis/_manifests/tags/7/current/link";

const base = { "bin/kubelet": "kubelet", "etc/kubeadm.yml": "kind: ClusterConfiguration\n" };
const app = (name: string) => ({ name, type: "kube" as const, files: [`${name}.yaml`], version: "v1" });

const shop: ClusterImageParts = {
  layers: [base, { "application/apps/shop/shop.yaml": "kind: Deployment\n", [nginxLink]: "sha256:nginx" }],
  extension: {
    type: "kube-installer",
    applications: [app("shop")],
    launch: { app_names: ["shop"] },
    env: { REGION: "eu" },
  },
  containerImages: ["docker.io/library/nginx:1"],
  env: ["PATH=/bin", "REGION=eu"],
};
const cache: ClusterImageParts = {
  layers: [
    base,
    {
      "application/apps/cache/cache.yaml": "kind: StatefulSet\n",
      [redisLink]: "sha256:redis",
      [nginxLink]: "sha256:nginx",
    },
  ],
  extension: { type: "kube-installer", applications: [app("cache")], launch: { app_names: ["cache"] } },
  containerImages: ["docker.io/library/redis:7", "docker.io/library/nginx:1"],
  env: ["PATH=/usr/bin"],
};

async function withImages(parts: Readonly<Record<string, ClusterImageParts>>, act: (store: Store) => Promise<void>) {
  await using temporary = await temporaryStore();
  for (const [name, each] of Object.entries(parts)) {
    await tagClusterImage(temporary.store, `test.example/${name}:1`, each, signal);
  }
  await act(temporary.store);
}

const merge = (store: Store, names: readonly string[], laterWins = false) =>
  mergeImages(
    store,
    names.map((name) => `test.example/${name}:1`),
    "test.example/merged:1",
    laterWins,
    signal,
  );

test("applications, launch lists, container images and files of both are in the merged image, their base once", async () => {
  await withImages({ shop, cache }, async (store) => {
    const merged = await merge(store, ["shop", "cache"]);
    assert.deepEqual(merged.conflicts, []);
    const { annotations = {}, layers } = parseManifest(store.readBytes(merged.descriptor.digest, 1 << 20), "merged");
    assert.equal(layers.length, 3);
    const extension = parseImageExtension(annotations["sealer.image.extension"] ?? "", "merged");
    assert.equal(extension.type, "kube-installer");
    assert.deepEqual(
      extension.applications?.map(({ name }) => name),
      ["cache", "shop"],
    );
    assert.deepEqual(extension.launch.app_names, ["shop", "cache"]);
    assert.deepEqual(extension.env, { REGION: "eu" });
    const images = parseContainerImages(annotations["sealer.image.container.images"] ?? "", "merged");
    assert.deepEqual(
      images.map(({ image }) => image),
      ["docker.io/library/nginx:1", "docker.io/library/redis:7"],
    );
    await using dir = await temporaryDir("merged");
    const root = path.join(dir.path, "rootfs");
    await exportRootfs(store, "test.example/merged:1", amd64, root, false, signal);
    assert.equal(await readFile(path.join(root, "application/apps/shop/shop.yaml"), "utf8"), "kind: Deployment\n");
    assert.equal(await readFile(path.join(root, redisLink), "utf8"), "sha256:redis");
    assert.equal(await readFile(path.join(root, "bin/kubelet"), "utf8"), "kubelet");
    assert.deepEqual((await store.verify(signal)).damaged, []);
  });
});

test("merging is the same every time", async () => {
  const digests: string[] = [];
  for (let i = 0; i < 2; i += 1) {
    await withImages({ shop, cache }, async (store) => {
      digests.push((await merge(store, ["shop", "cache"])).descriptor.digest);
    });
  }
  assert.equal(new Set(digests).size, 1);
});

test("what the images disagree on is told, each thing once, and nothing is named", async () => {
  const other: ClusterImageParts = {
    layers: [
      { "bin/kubelet": "another kubelet" },
      {
        "application/apps/shop/shop.yaml": "kind: Job\n",
        [nginxLink]: "sha256:another",
        "etc/kubeadm.yml": "kind: ClusterConfiguration\n",
      },
    ],
    extension: { type: "kube-installer", applications: [{ ...app("shop"), files: ["other.yaml"] }] },
    env: ["REGION=us"],
  };
  await withImages({ shop, other }, async (store) => {
    await assert.rejects(
      merge(store, ["shop", "other"]),
      (error: { code: string; facts: { conflicts: readonly string[] } }) => {
        assert.equal(error.code, "MERGE_CONFLICT");
        const from = "test.example/shop:1 and test.example/other:1: ";
        assert.deepEqual(error.facts.conflicts, [
          `${from}application shop differs`,
          `${from}both install a cluster`,
          `${from}container image library/nginx:1 has another digest`,
          `${from}file application/apps/shop/shop.yaml differs`,
          `${from}file bin/kubelet differs`,
          `${from}variable REGION has another value`,
        ]);
        return true;
      },
    );
    assert.equal(store.lookup("test.example/merged:1"), undefined);
    const merged = await merge(store, ["shop", "other"], true);
    assert.equal(merged.conflicts.length, 6);
    await using dir = await temporaryDir("merged");
    const root = path.join(dir.path, "rootfs");
    await exportRootfs(store, "test.example/merged:1", amd64, root, false, signal);
    assert.equal(await readFile(path.join(root, "bin/kubelet"), "utf8"), "another kubelet");
  });
});

test("a whiteout of one image that would delete a file of another is a conflict", async () => {
  const deleting: ClusterImageParts = { layers: [{ "application/apps/shop/.wh.shop.yaml": "" }] };
  await withImages({ shop, deleting }, async (store) => {
    await assert.rejects(merge(store, ["shop", "deleting"]), {
      code: "MERGE_CONFLICT",
      message: /file application\/apps\/shop\/shop\.yaml/,
    });
  });
});

test("of lists, the platforms all have are merged, each with its own", async () => {
  const arm = (parts: ClusterImageParts) => ({ ...parts, architecture: "arm64" });
  await withImages({ shop, cache, "shop-arm": arm(shop), "cache-arm": arm(cache) }, async (store) => {
    for (const name of ["shop", "cache"]) {
      await createList(store, `test.example/${name}-all:1`, [`test.example/${name}:1`], { amend: false }, signal);
      await addToList(store, `test.example/${name}-all:1`, [`test.example/${name}-arm:1`], {}, signal);
    }
    const merged = await merge(store, ["shop-all", "cache-all"]);
    assert.deepEqual(merged.platforms, ["linux/amd64", "linux/arm64"]);
    assert.equal(parseIndex(store.readBytes(merged.descriptor.digest, 1 << 20), "merged").manifests.length, 2);
    assert.deepEqual((await merge(store, ["shop-all", "cache-arm"])).platforms, ["linux/arm64"]);
    await assert.rejects(merge(store, ["shop", "cache-arm"]), { code: "IMAGE_PLATFORM_MISSING" });
  });
});

test("a list is made once, grows, and an image of a platform takes the place of another", async () => {
  await withImages({ shop, cache }, async (store) => {
    const list = "test.example/list:1";
    await createList(store, list, ["test.example/shop:1"], { amend: false }, signal);
    await assert.rejects(createList(store, list, [], { amend: false }, signal), { code: "IMAGE_EXISTS" });
    const replaced = await addToList(store, list, ["test.example/cache:1"], {}, signal);
    assert.deepEqual(
      replaced.index.manifests.map(({ digest }) => digest),
      [store.lookup("test.example/cache:1")?.target.digest],
    );
    const changes = { architecture: "arm", variant: "v7", annotations: { a: "b" } };
    const grown = await addToList(store, list, ["test.example/shop:1"], changes, signal);
    assert.equal(grown.index.manifests.length, 2);
    assert.deepEqual(grown.index.manifests[1]?.platform, { os: "linux", architecture: "arm", variant: "v7" });
    assert.deepEqual(grown.index.manifests[1]?.annotations, { a: "b" });
  });
});

test("a diff names files, applications, container images, labels and variables, and not what only moved to another layer", async () => {
  const after: ClusterImageParts = {
    layers: [
      { ...base, "bin/kubelet": "kubelet 2" },
      { "application/apps/shop/shop.yaml": "kind: Deployment\n", new: "file", [nginxLink]: "sha256:nginx2" },
    ],
    extension: { applications: [{ ...app("shop"), files: ["other.yaml"] }, app("extra")] },
    containerImages: ["docker.io/library/redis:7"],
    env: ["PATH=/bin", "REGION=us"],
    labels: { made: "by hand" },
  };
  await withImages({ before: shop, after }, async (store) => {
    const diff = await diffImages(store, "test.example/before:1", "test.example/after:1", amd64, signal);
    assert.deepEqual(diff.files, { added: ["new"], removed: [], changed: ["bin/kubelet", nginxLink] });
    assert.deepEqual(diff.applications, { added: ["extra"], removed: [], changed: ["shop"] });
    assert.deepEqual(diff.containerImages, {
      added: ["docker.io/library/redis:7"],
      removed: ["docker.io/library/nginx:1"],
      changed: [],
    });
    assert.deepEqual(diff.labels.added, ["made"]);
    assert.deepEqual(diff.env.changed, ["REGION"]);
    assert.equal(diff.layers.shared, 0);
    const same = await diffImages(store, "test.example/before:1", "test.example/before:1", amd64, signal);
    assert.deepEqual(same.files, { added: [], removed: [], changed: [] });
  });
});

test("a root file system goes only into a folder that is new or empty", async () => {
  await withImages({ shop }, async (store) => {
    await using dir = await temporaryDir("mount");
    const root = path.join(dir.path, "rootfs");
    await exportRootfs(store, "test.example/shop:1", amd64, root, false, signal);
    await assert.rejects(exportRootfs(store, "test.example/shop:1", amd64, root, false, signal), {
      code: "FOLDER_NOT_EMPTY",
    });
  });
});
