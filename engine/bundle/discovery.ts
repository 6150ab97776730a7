import { createHash } from "node:crypto";
import { defaultKubeVersion } from "../chart/capabilities.ts";
import type { ValueSet } from "../discover/charts.ts";
import type { CustomRule } from "../discover/customResources.ts";
import { discoverImages } from "../discover/discover.ts";
import type { Discovery } from "../discover/found.ts";
import type { Digest } from "../oci/digest.ts";
import type { Store } from "../store/contract.ts";
import type { ImageTree } from "./imageTree.ts";

/** What discovery is told beside the tree. */
export interface ImageDiscoveryOptions {
  /** Shell text of everything the image launches. */
  readonly commands: readonly string[];
  readonly rules: readonly CustomRule[];
  /** Sets of values to render charts with, beside those that lie about them. */
  readonly valueSets: readonly (ValueSet & { readonly chart?: string })[];
  /** Images of a list that the caller names. */
  readonly imageList?: { readonly file: string; readonly text: string };
  /** Version of Kubernetes that the image installs, from its label; absent for an image that brings none. */
  readonly kubernetesVersion?: string;
}

/** Raised when what discovery finds changes although nothing it reads did. */
const version = 1;
const recordKind = "discovery";

/**
 * Finds the container images that an image's root file system needs. What was found in the same layers with the same words is
 * remembered, so that an unchanged build reads nothing. Throws what `discoverImages` throws.
 */
export async function discoverInImage(
  store: Store,
  layers: readonly Digest[],
  openTree: () => Promise<ImageTree>,
  options: ImageDiscoveryOptions,
  signal: AbortSignal,
): Promise<Discovery> {
  const key = createHash("sha256")
    .update(JSON.stringify([version, layers, options]))
    .digest("hex");
  const record = store.readRecord(recordKind, key);
  if (record !== undefined) {
    store.touchRecord(recordKind, key);
    return JSON.parse(Buffer.from(record.payload).toString("utf8")) as Discovery;
  }
  const { valueSets, ...rest } = options;
  const capabilities = { kubeVersion: options.kubernetesVersion ?? defaultKubeVersion, extraApiVersions: [] };
  const tree = await openTree();
  const found = await discoverImages(tree, { ...rest, scope: "rootfs", charts: { capabilities, valueSets }, signal });
  store.writeRecord({ kind: recordKind, key, refs: [], payload: Buffer.from(JSON.stringify(found)) });
  return found;
}
