import { execFileSync } from "node:child_process";
import { createReadStream, linkSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { applyLayer } from "../../engine/layer/apply.ts";
import { readLayerTar } from "../../engine/layer/decompress.ts";
import { parseDigest } from "../../engine/oci/digest.ts";
import { isRoot } from "../engine/layer/layerFixture.ts";

const signal = new AbortController().signal;

/** Files of every kind and odd name that a program of the host can put into a layer. */
export function oddTree(root: string): void {
  mkdirSync(path.join(root, "d/deep/er"), { recursive: true });
  writeFileSync(path.join(root, "d/file"), "content\n", { mode: 0o640 });
  writeFileSync(path.join(root, "d/empty"), "");
  writeFileSync(path.join(root, "setuid"), "#!/bin/sh\n");
  execFileSync("chmod", ["4755", path.join(root, "setuid")]);
  linkSync(path.join(root, "setuid"), path.join(root, "d/linked"));
  symlinkSync("../d/file", path.join(root, "d/relative"));
  symlinkSync("/nowhere/at/all", path.join(root, "absolute"));
  symlinkSync("x".repeat(300), path.join(root, "long-target"));
  execFileSync("mkfifo", ["-m", "620", path.join(root, "fifo")]);
  const long = path.join(root, `${"long-directory-name/".repeat(9)}`);
  mkdirSync(long, { recursive: true });
  writeFileSync(path.join(long, "n".repeat(200)), "far down\n");
  writeFileSync(path.join(root, "ünïcödé 'name'"), "u");
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xe9, 0xff])]), "not UTF-8");
  writeFileSync(path.join(root, "holes"), "start");
  truncateSync(path.join(root, "holes"), 3 * 1024 * 1024);
  utimesSync(path.join(root, "d/file"), 1_234_567_890, 1_234_567_890);
  mkdirSync(path.join(root, "closed"), { mode: 0o1711 });
  utimesSync(path.join(root, "closed"), 1_000_000_000, 1_000_000_000);
  if (!isRoot) return;
  execFileSync("chown", [
    "-h",
    "1234:5678",
    path.join(root, "d/file"),
    path.join(root, "absolute"),
    path.join(root, "closed"),
  ]);
  execFileSync("mknod", ["-m", "666", path.join(root, "null"), "c", "1", "3"]);
}

/** Applies the layers of an image in an OCI layout, checked against the diffIds of its configuration. */
export async function applyImage(layout: string, tag: string, root: string): Promise<void> {
  const json = (file: string): Record<string, unknown> =>
    JSON.parse(execFileSync("cat", [file]).toString()) as Record<string, unknown>;
  const blob = (digest: string): string => path.join(layout, "blobs", digest.replace(":", "/"));
  interface Pointer {
    readonly digest: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }
  const index = json(path.join(layout, "index.json")) as unknown as { readonly manifests: readonly Pointer[] };
  const pointer = index.manifests.find((one) => one.annotations?.["org.opencontainers.image.ref.name"] === tag);
  const manifest = json(blob(pointer?.digest ?? "")) as unknown as {
    readonly config: Pointer;
    readonly layers: readonly Pointer[];
  };
  const config = json(blob(manifest.config.digest)) as unknown as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  for (const [position, layer] of manifest.layers.entries()) {
    const diffId = parseDigest(config.rootfs.diff_ids[position] ?? "");
    const tar = readLayerTar(createReadStream(blob(layer.digest)), { diffId });
    await applyLayer(tar, { root, setOwners: isRoot, signal });
  }
}
