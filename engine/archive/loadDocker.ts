import { EngineError } from "../errors.ts";
import { asList, asText, asTexts, type Checked, decodeJson, member, required } from "../oci/checkedJson.ts";
import { parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, Digester, digestAlgorithm } from "../oci/digest.ts";
import { encodeManifest } from "../oci/manifest.ts";
import { type LayerCompression, mediaTypes, ociLayerType } from "../oci/mediaTypes.ts";
import { formatReference, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { BlobStat } from "../store/contract.ts";
import type { ArchiveContent } from "./archiveContent.ts";
import { withoutAnnotations } from "./dockerArchive.ts";
import { type Found, type Loading, missing, readFileOf } from "./found.ts";

/**
 * The images of a `docker save` archive, of Docker from 1.10 on and of all that write alike. The format has no manifest: one is
 * made, in OCI's types, with the annotations our `save` carried in a label. Every layer is checked against its diffID.
 * @see moby image/tarexport, docker image spec v1.2 "Combined Image JSON + Filesystem Changeset Format"
 */
export async function loadDockerArchive(loading: Loading, content: ArchiveContent): Promise<readonly Found[]> {
  const bytes = await readFileOf(loading, content, "manifest.json");
  const entries = asList(decodeJson(bytes, `manifest.json of ${content.label}`));
  if (entries.length === 0)
    throw new EngineError("ARCHIVE_UNREADABLE", { file: content.label, problem: "it holds no image" });
  const found: Found[] = [];
  for (const entry of entries) found.push(await loadEntry(loading, content, entry));
  return found;
}

async function loadEntry(loading: Loading, content: ArchiveContent, entry: Checked): Promise<Found> {
  const written = await readFileOf(loading, content, asText(required(entry, "Config")));
  const { config: configBytes, annotations } = withoutAnnotations(written);
  const config = parseConfig(configBytes, `the configuration in ${content.label}`);
  const files = asTexts(required(entry, "Layers"));
  const diffIds = config.rootfs.diff_ids;
  if (files.length !== diffIds.length) {
    const problem = `an image has ${files.length} layers, its configuration lists ${diffIds.length}`;
    throw new EngineError("ARCHIVE_UNREADABLE", { file: content.label, problem });
  }
  const layers: Descriptor[] = [];
  for (const [i, file] of files.entries()) layers.push(await loadLayer(loading, content, file, diffIds[i]));
  const configStat = await loading.lease.putBytes(configBytes);
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configStat.digest, size: configStat.sizeBytes },
    layers,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
  const { digest, sizeBytes } = await loading.lease.putBytes(manifest);
  const tags = member(entry, "RepoTags");
  const names = (tags === undefined ? [] : asTexts(tags)).map((tag) =>
    formatReference(withDefaultTag(parseReference(tag))),
  );
  return { target: { mediaType: mediaTypes.ociManifest, digest, size: sizeBytes }, names };
}

async function loadLayer(
  loading: Loading,
  content: ArchiveContent,
  file: string,
  diffId: Digest | undefined,
): Promise<Descriptor> {
  const stat = await content.blob(file, loading.signal);
  if (stat === undefined) throw missing(content, file);
  const compression = await detectCompression(loading, stat);
  const actual = compression === "none" ? stat.digest : await uncompressedDigest(loading, stat);
  if (actual !== diffId) {
    throw new EngineError("BLOB_MISMATCH", {
      what: `Loading ${content.label}, ${file}`,
      expected: `${diffId}`,
      found: actual,
    });
  }
  return { mediaType: ociLayerType(compression), digest: stat.digest, size: stat.sizeBytes };
}

async function uncompressedDigest({ store, decompress, signal }: Loading, stat: BlobStat): Promise<Digest> {
  const digester = new Digester(digestAlgorithm(stat.digest));
  for await (const chunk of decompress(store.read(stat.digest, {}, signal))) digester.update(chunk);
  return digester.finish();
}

async function detectCompression({ store, signal }: Loading, stat: BlobStat): Promise<LayerCompression> {
  const end = Math.min(4, stat.sizeBytes);
  const head: number[] = [];
  for await (const chunk of store.read(stat.digest, { start: 0, end }, signal)) head.push(...chunk);
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  const isZstd = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  return isZstd ? "zstd" : "none";
}
