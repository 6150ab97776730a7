import { type Digest, isDigest } from "../oci/digest.ts";
import type { Store } from "../store/contract.ts";
import { decodeFingerprints, type Fingerprints } from "./fingerprints.ts";
import { decodeLayerIndex, encodeLayerIndex, type LayerIndex } from "./layerIndex.ts";

/** What is remembered of a built layer, under its content key. */
export interface LayerMemory {
  /** Absent when the step changed nothing and so made no layer. */
  readonly diffId: Digest | undefined;
  readonly sizeBytes: number;
  readonly builtAtMs: number;
  readonly durationMs: number;
}

/** What is remembered of an instruction of one Kubefile: how it was when it was last built, to say what is different now. */
export interface StepTrace {
  readonly key: Digest;
  readonly definition: Digest;
  readonly text: string;
  /** Build arguments and variables it read. */
  readonly variables: Readonly<Record<string, string>>;
  /** Digest of the base image or of the chain of layers below, for steps that depend on it. */
  readonly below: string;
}

/** Kinds of records the cache keeps; `du` and `prune` show them. */
export const recordKinds = {
  layer: "layer",
  index: "layer-index",
  trace: "step",
  fingerprints: "fingerprints",
  shape: "layer-shape",
} as const;

/** Records of the store as the cache reads and writes them. Whatever cannot be read is as if it were not there. */
export class StepMemory {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  layer(key: Digest): LayerMemory | undefined {
    const found = this.#json(recordKinds.layer, key);
    if (found === undefined) return undefined;
    const { diffId, sizeBytes, builtAtMs, durationMs } = found;
    if (diffId !== null && !(typeof diffId === "string" && isDigest(diffId))) return undefined;
    if (typeof sizeBytes !== "number" || typeof builtAtMs !== "number" || typeof durationMs !== "number")
      return undefined;
    return { diffId: diffId ?? undefined, sizeBytes, builtAtMs, durationMs };
  }

  rememberLayer(key: Digest, layer: LayerMemory): void {
    const refs = layer.diffId === undefined ? [] : [layer.diffId];
    this.#write(recordKinds.layer, key, { ...layer, diffId: layer.diffId ?? null }, refs);
  }

  /** Says that a remembered layer was used, so that a prune by age or size takes others first. */
  touchLayer(key: Digest, definition: Digest): void {
    this.#store.touchRecord(recordKinds.layer, key);
    this.#store.touchRecord(recordKinds.index, definition);
  }

  /** The newest layer made by the same definition, whatever its content. */
  index(definition: Digest): LayerIndex | undefined {
    const record = this.#store.readRecord(recordKinds.index, definition);
    return record === undefined ? undefined : decodeLayerIndex(record.payload);
  }

  rememberIndex(definition: Digest, index: LayerIndex): void {
    const payload = encodeLayerIndex(index);
    this.#store.writeRecord({ kind: recordKinds.index, key: definition, refs: [index.diffId], payload });
  }

  /** Whether a layer of this definition was ever built here: if not, its content need not be read to know that it is new. */
  knowsDefinition(definition: Digest): boolean {
    return this.#store.readRecord(recordKinds.index, definition) !== undefined;
  }

  trace(step: string): StepTrace | undefined {
    const found = this.#json(recordKinds.trace, step);
    if (found === undefined) return undefined;
    const { key, definition, text, variables, below } = found;
    if (typeof key !== "string" || !isDigest(key) || typeof definition !== "string" || !isDigest(definition))
      return undefined;
    if (typeof text !== "string" || typeof below !== "string" || typeof variables !== "object" || variables === null)
      return undefined;
    return { key, definition, text, variables: variables as Readonly<Record<string, string>>, below };
  }

  rememberTrace(step: string, trace: StepTrace): void {
    this.#write(recordKinds.trace, step, { ...trace }, []);
  }

  fingerprints(contextRoot: string): Fingerprints {
    return decodeFingerprints(this.#store.readRecord(recordKinds.fingerprints, contextRoot)?.payload);
  }

  rememberFingerprints(contextRoot: string, payload: Uint8Array): void {
    this.#store.writeRecord({ kind: recordKinds.fingerprints, key: contextRoot, refs: [], payload });
  }

  #json(kind: string, key: string): Readonly<Record<string, unknown>> | undefined {
    const record = this.#store.readRecord(kind, key);
    if (record === undefined) return undefined;
    const value: unknown = JSON.parse(Buffer.from(record.payload).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  }

  #write(kind: string, key: string, value: unknown, refs: readonly Digest[]): void {
    this.#store.writeRecord({ kind, key, refs, payload: Buffer.from(JSON.stringify(value), "utf8") });
  }
}
