import { canonicalJson, canonicalJsonBytes, type Json } from "../oci/canonicalJson.ts";
import { asRecord, asTextMap, decodeJson, member } from "../oci/checkedJson.ts";
import { digestHex, digestOf } from "../oci/digest.ts";
import { familiarReference, parseReference } from "../oci/reference.ts";
import type { Store } from "../store/contract.ts";
import { type ArchiveFile, annotationsLabel, fileOf } from "./archiveFile.ts";
import type { NamedTarget, SingleImage } from "./imageParts.ts";
import { jsonFile } from "./ociLayout.ts";

/**
 * The files of what `docker load` reads: `manifest.json` lists per image its configuration, names and layers. The format has no
 * manifest annotations; they travel in a label of the configuration, from where our `load` brings them back.
 * Layers are written as the store holds them: every reader of the format looks at the bytes, not at the name.
 */
export async function dockerArchiveFiles(
  store: Store,
  images: readonly { readonly named: NamedTarget; readonly single: SingleImage }[],
  signal: AbortSignal,
): Promise<readonly ArchiveFile[]> {
  const files = new Map<string, ArchiveFile>();
  const entries = new Map<
    string,
    { readonly Config: string; readonly RepoTags: string[]; readonly Layers: readonly string[] }
  >();
  for (const { named, single } of images) {
    const original = await store.readDocument(single.manifest.config, signal);
    const config = withAnnotations(original, single.manifest.annotations ?? {});
    const configPath = `${digestHex(digestOf(config))}.json`;
    files.set(configPath, fileOf(configPath, config));
    const layers = single.manifest.layers.map(
      (layer): ArchiveFile => ({
        path: `${digestHex(layer.digest)}.tar`,
        sizeBytes: layer.size,
        open: (inner) => store.readBlob(layer, inner),
      }),
    );
    for (const layer of layers) files.set(layer.path, layer);
    const entry = entries.get(configPath) ?? {
      Config: configPath,
      RepoTags: [],
      Layers: layers.map((layer) => layer.path),
    };
    const reference = parseReference(named.name);
    if (reference.tag !== undefined) entry.RepoTags.push(familiarReference(reference));
    entries.set(configPath, entry);
  }
  return [jsonFile("manifest.json", [...entries.values()]), ...files.values()];
}

/** The configuration with the annotations as a label; as it is when there are none. Members we do not know are kept. */
export function withAnnotations(config: Uint8Array, annotations: Readonly<Record<string, string>>): Uint8Array {
  if (Object.keys(annotations).length === 0) return config;
  const { whole, runtime, labels } = readLabels(config);
  return canonicalJsonBytes({
    ...whole,
    config: { ...runtime, Labels: { ...labels, [annotationsLabel]: canonicalJson(annotations) } },
  });
}

/** Undoes `withAnnotations`: the configuration without the label, and what the label said. */
export function withoutAnnotations(config: Uint8Array): {
  readonly config: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
} {
  const { whole, runtime, labels } = readLabels(config);
  const { [annotationsLabel]: carried, ...others } = labels;
  if (carried === undefined) return { config, annotations: {} };
  const annotations = asTextMap(decodeJson(Buffer.from(carried, "utf8"), `the label ${annotationsLabel}`));
  const { Labels: _, ...rest } = runtime;
  const kept = Object.keys(others).length === 0 ? rest : { ...rest, Labels: others };
  const { config: __, ...outer } = whole;
  const restored = Object.keys(kept).length === 0 ? outer : { ...outer, config: kept };
  return { config: canonicalJsonBytes(restored), annotations };
}

type Members = Readonly<Record<string, Json>>;

function readLabels(bytes: Uint8Array): {
  readonly whole: Members;
  readonly runtime: Members;
  readonly labels: Readonly<Record<string, string>>;
} {
  const at = decodeJson(bytes, "the image configuration");
  const runtime = member(at, "config");
  const labels = runtime === undefined ? undefined : member(runtime, "Labels");
  return {
    whole: asRecord(at) as Members,
    runtime: runtime === undefined ? {} : (asRecord(runtime) as Members),
    labels: labels === undefined ? {} : asTextMap(labels),
  };
}
