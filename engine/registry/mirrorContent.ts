import { EngineError, isEngineError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { downloadBlob, headBlob } from "../remote/blobs.ts";
import type { RegistryClient } from "../remote/client.ts";
import { getManifest, headManifest } from "../remote/manifests.ts";
import { listReferrers } from "../remote/referrers.ts";
import type { RemoteRepository } from "../remote/repository.ts";
import { listTags } from "../remote/tags.ts";
import type { Store } from "../store/contract.ts";
import type { BlobBody, Content, RepositoryName, StoredManifest } from "./content.ts";
import { type FollowedDownload, followDownload } from "./followedDownload.ts";
import { mirroredNames, mirroredTags, readMirrored, readTag, writeMirrored, writeTag } from "./mirrorRecords.ts";
import { type MirrorCounts, MirrorReport } from "./mirrorReport.ts";
import { openStoredBlob } from "./storedBlob.ts";
import { imageName, namesHost, type Upstream, upstreamOf } from "./upstream.ts";
import { refusedHost, type UpstreamRules } from "./upstreamGuard.ts";

export interface MirrorOptions {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly rules: UpstreamRules;
  /** Never ask an upstream. */
  readonly offline: boolean;
  /** How long a tag counts as fresh. */
  readonly tagTtlMs: number;
  /** How long "there is no such thing" counts. */
  readonly missTtlMs: number;
  readonly now: () => number;
  /** Ends downloads that nobody reads any more, with the server. */
  readonly signal: AbortSignal;
}

/** Content of any upstream, fetched when it is first asked for. */
export interface Mirror extends Content {
  counts(): MirrorCounts;
}

/** A blob up to this size is whole and checked before the first byte of an answer; a larger one is answered while it arrives. */
const wholeFirstBytes = 256 * 1024;
const maxManifestBytes = 4 * 1024 * 1024;

/**
 * A mirror of every registry.
 *
 * A tag is asked for with HEAD, which registries do not count as a pull; what it points at is fetched when it changed. A digest is never
 * asked for again. When an upstream fails, what is known is served; only an upstream's own "not found" is answered as not found.
 *
 * Throws `MIRROR_REFUSED` for a host that may not be asked, and `MIRROR_UPSTREAM_FAILED` when an upstream fails and nothing is known.
 */
export function openMirror(options: MirrorOptions): Mirror {
  const { store, client, now } = options;
  const downloads = new Map<Digest, FollowedDownload>();
  const sizes = new Map<string, Promise<number | undefined>>();
  const manifests = new Map<string, Promise<StoredManifest | undefined>>();
  const misses = new Map<string, number>();
  const report = new MirrorReport();

  const ask = async <Result>(
    upstream: Upstream,
    what: string,
    act: (where: RemoteRepository) => Promise<Result>,
  ): Promise<Result> => {
    const refusal = refusedHost(upstream.host, options.rules);
    if (refusal !== undefined) throw new EngineError("MIRROR_REFUSED", { what, reason: refusal });
    const host = options.rules.named.get(upstream.host) ?? upstream.host;
    return act({ what, host, repository: upstream.repository });
  };

  const isMissing = (key: string): boolean => (misses.get(key) ?? 0) > now();
  const noteMiss = (key: string): void => {
    if (misses.size > 10_000) misses.clear();
    misses.set(key, now() + options.missTtlMs);
  };

  const stored = (upstream: Upstream, digest: Digest): StoredManifest | undefined => {
    const known = readMirrored(store, "manifest", upstream, digest);
    if (known === undefined || store.stat(digest) === undefined) return undefined;
    return { digest, mediaType: known.mediaType, bytes: store.readBytes(digest, maxManifestBytes) };
  };

  const fetchManifest = async (upstream: Upstream, reference: string): Promise<StoredManifest> => {
    const what = `mirror ${imageName(upstream, reference)}`;
    const { descriptor, bytes } = await ask(upstream, what, (where) =>
      getManifest(client, where, reference, options.signal),
    );
    await using lease = store.lease(what);
    await lease.putBytes(bytes, descriptor.digest.startsWith("sha512:") ? "sha512" : "sha256");
    writeMirrored(store, "manifest", upstream, descriptor);
    if (!isDigest(reference)) writeTag(store, upstream, reference, { target: descriptor, checkedAtMs: now() });
    report.miss(upstream.host);
    report.fetched(upstream.host, bytes.length);
    return { digest: descriptor.digest, mediaType: descriptor.mediaType, bytes };
  };

  const byDigest = async (upstream: Upstream, digest: Digest): Promise<StoredManifest | undefined> => {
    const known = stored(upstream, digest);
    if (known !== undefined) {
      report.hit(upstream.host, known.bytes.length);
      return known;
    }
    return options.offline ? undefined : fetchManifest(upstream, digest);
  };

  const byTag = async (upstream: Upstream, tag: string): Promise<StoredManifest | undefined> => {
    const known = readTag(store, upstream, tag);
    const kept = known === undefined ? undefined : stored(upstream, known.target.digest);
    const fresh = known !== undefined && now() - known.checkedAtMs < options.tagTtlMs;
    if (kept !== undefined && (fresh || options.offline)) {
      report.hit(upstream.host, kept.bytes.length);
      return kept;
    }
    if (options.offline) return undefined;
    try {
      return await revalidated(upstream, tag, kept);
    } catch (error) {
      if (kept === undefined || isEngineError(error, "REMOTE_NOT_FOUND")) throw error;
      report.stale(upstream.host, kept.bytes.length);
      return kept;
    }
  };

  const revalidated = async (
    upstream: Upstream,
    tag: string,
    kept: StoredManifest | undefined,
  ): Promise<StoredManifest> => {
    if (kept === undefined) return fetchManifest(upstream, tag);
    const what = `mirror ${imageName(upstream, tag)}`;
    const head = await ask(upstream, what, (where) => headManifest(client, where, tag, options.signal));
    if (head?.digest !== kept.digest) return fetchManifest(upstream, tag);
    await using lease = store.lease(what);
    await lease.pin(kept.digest, options.signal);
    writeTag(store, upstream, tag, { target: head, checkedAtMs: now() });
    report.hit(upstream.host, kept.bytes.length);
    return kept;
  };

  /** Many who ask for the same thing at once share one answer. */
  const shared = <Result>(
    flights: Map<string, Promise<Result>>,
    key: string,
    act: () => Promise<Result>,
  ): Promise<Result> => {
    const flying = flights.get(key);
    if (flying !== undefined) return flying;
    const flight = act().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };

  const orMissing = async <Result>(
    key: string,
    act: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> => {
    if (isMissing(key)) return undefined;
    try {
      return await act();
    } catch (error) {
      if (!isEngineError(error, "REMOTE_NOT_FOUND")) throw error;
      noteMiss(key);
      return undefined;
    }
  };

  /**
   * A path that names no host is Docker Hub's by guess. Who pushes such a path first asks whether it is there; that must not fail because
   * Docker Hub cannot be reached.
   */
  const orGuessedWrong = async <Result>(
    name: RepositoryName,
    act: () => Promise<Result | undefined>,
  ): Promise<Result | undefined> => {
    try {
      return await act();
    } catch (error) {
      if (namesHost(name) || !isEngineError(error)) throw error;
      if (!error.code.startsWith("REMOTE_") && error.code !== "MIRROR_REFUSED") throw error;
      return undefined;
    }
  };

  /** Joins the download of a blob, or starts it; for a repository whose upstream said that it has the blob. */
  const joinDownload = (upstream: Upstream, descriptor: Descriptor, what: string): FollowedDownload => {
    const { digest, size } = descriptor;
    const flying = downloads.get(digest);
    if (flying !== undefined) return flying;
    const bytes = (signal: AbortSignal): AsyncIterable<Uint8Array> => upstreamBytes(upstream, what, descriptor, signal);
    const events = {
      complete: () => writeMirrored(store, "blob", upstream, descriptor),
      ended: () => void downloads.delete(digest),
    };
    report.miss(upstream.host);
    const download = followDownload(store, digest, size, bytes, events, options.signal);
    downloads.set(digest, download);
    return download;
  };

  /** Keeps a blob that is here already for one more repository. False when it is not here. */
  const keepAlso = async (upstream: Upstream, descriptor: Descriptor, what: string): Promise<boolean> => {
    await using lease = store.lease(what);
    if ((await lease.pin(descriptor.digest, options.signal)) === undefined) return false;
    writeMirrored(store, "blob", upstream, descriptor);
    return true;
  };

  async function* upstreamBytes(
    upstream: Upstream,
    what: string,
    descriptor: Descriptor,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const source = await ask(upstream, what, async (where) => downloadBlob(client, where, descriptor, 0, signal));
    for await (const chunk of source) {
      report.fetched(upstream.host, chunk.length);
      yield chunk;
    }
  }

  const kept = async (upstream: Upstream, digest: Digest, signal: AbortSignal): Promise<BlobBody | undefined> =>
    readMirrored(store, "blob", upstream, digest) === undefined ? undefined : openStoredBlob(store, digest, signal);

  /** A blob whose repository was not asked yet: nothing is answered before its upstream said that it has it. */
  const fetchedBlob = async (
    upstream: Upstream,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<BlobBody | undefined> => {
    const what = `mirror ${imageName(upstream, digest)}`;
    const size = await shared(sizes, what, () =>
      ask(upstream, what, (where) => headBlob(client, where, digest, options.signal)),
    );
    if (size === undefined) return undefined;
    const descriptor: Descriptor = { mediaType: "application/octet-stream", digest, size };
    if (!(await keepAlso(upstream, descriptor, what))) {
      const download = joinDownload(upstream, descriptor, what);
      const body = size > wholeFirstBytes ? download.body() : undefined;
      if (body !== undefined) return body;
      await download.done;
      await keepAlso(upstream, descriptor, what);
    }
    return kept(upstream, digest, signal);
  };

  return {
    async manifest(name, reference): Promise<StoredManifest | undefined> {
      const upstream = upstreamOf(name);
      const key = imageName(upstream, reference);
      const ask = (): Promise<StoredManifest | undefined> =>
        isDigest(reference) ? byDigest(upstream, reference) : byTag(upstream, reference);
      return orGuessedWrong(name, () => orMissing(key, () => shared(manifests, key, ask)));
    },

    async blob(name, digest, signal): Promise<BlobBody | undefined> {
      const upstream = upstreamOf(name);
      const known = await kept(upstream, digest, signal);
      if (known !== undefined) {
        report.hit(upstream.host, known.sizeBytes);
        return known;
      }
      if (options.offline) return undefined;
      const key = imageName(upstream, digest);
      return orGuessedWrong(name, () => orMissing(key, () => fetchedBlob(upstream, digest, signal)));
    },

    async tags(name, signal): Promise<readonly string[] | undefined> {
      const upstream = upstreamOf(name);
      const known = mirroredTags(store, upstream);
      if (options.offline) return known.length === 0 ? undefined : known;
      const what = `list the tags of ${upstream.host}/${upstream.repository}`;
      try {
        return await ask(upstream, what, async (where) => {
          const all: string[] = [];
          for await (const page of listTags(client, where, signal)) all.push(...page);
          return all.sort();
        });
      } catch (error) {
        if (isEngineError(error, "REMOTE_NOT_FOUND")) return undefined;
        if (known.length === 0) throw error;
        return known;
      }
    },

    async referrers(name, digest, signal): Promise<readonly Descriptor[]> {
      if (options.offline) return [];
      const upstream = upstreamOf(name);
      const what = `list what refers to ${imageName(upstream, digest)}`;
      const found = await orGuessedWrong(name, () =>
        ask(upstream, what, (where) => listReferrers(client, where, digest, undefined, signal)),
      );
      return found ?? [];
    },

    repositories(): readonly string[] {
      return [...new Set(mirroredNames(store).map((full) => full.slice(0, full.lastIndexOf(":"))))];
    },

    counts: () => report.counts((host) => client.rateLimit(options.rules.named.get(host) ?? host)),
  };
}
