import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { BuildRecord, KubefilePlace } from "../protocol.ts";
import type { Store } from "../store/contract.ts";

/** Kind of the records that say where the layers of an image built here come from. */
export const originKind: string = "image-origin";

/** For each layer, the instruction that made it. */
export interface ImageOrigin {
  readonly kubefile: string;
  readonly contextDir: string;
  readonly layers: readonly { readonly diffId: string; readonly line: number; readonly endLine: number }[];
}

/** Notes beside an image which line of which Kubefile made each layer; the note goes when the image does. */
export function rememberOrigin(
  store: Store,
  image: Descriptor,
  inputs: { readonly contextDir: string; readonly recipe: { readonly path: string } },
  steps: BuildRecord["steps"],
): void {
  const platform: Platform | undefined = image.platform;
  const layers = steps.flatMap(({ info, layer }) => {
    const wanted = platform === undefined || info.platform === formatPlatform(platform);
    return wanted && layer !== undefined ? [{ diffId: layer.diffId, line: info.line, endLine: info.endLine }] : [];
  });
  const origin: ImageOrigin = { kubefile: inputs.recipe.path, contextDir: inputs.contextDir, layers };
  const payload = Buffer.from(JSON.stringify(origin), "utf8");
  store.writeRecord({ kind: originKind, key: image.digest, refs: [], keptWith: image.digest, payload });
}

/** Where each layer of an image built here comes from. */
export function originOf(store: Store, manifest: Digest): ReadonlyMap<string, KubefilePlace> {
  const record = store.readRecord(originKind, manifest);
  if (record === undefined) return new Map();
  const origin = JSON.parse(Buffer.from(record.payload).toString("utf8")) as ImageOrigin;
  return new Map(
    origin.layers.map(({ diffId, line, endLine }) => [diffId, { kubefile: origin.kubefile, line, endLine }]),
  );
}
