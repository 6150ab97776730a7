import type { RateLimit } from "../remote/rateLimit.ts";

/** What a mirror did for one upstream since it was started. */
export interface UpstreamCounts {
  readonly host: string;
  /** Answers that cost the upstream nothing but at most a HEAD. */
  readonly hits: number;
  /** Manifests and blobs that had to be fetched. */
  readonly misses: number;
  /** Answers made of what was known because the upstream failed. */
  readonly stale: number;
  /** Bytes that came from the upstream. */
  readonly fetchedBytes: number;
  /** Bytes that were served without asking it for them. */
  readonly savedBytes: number;
  /** What the upstream last said of how often it may still be asked. */
  readonly rateLimit?: RateLimit;
}

export interface MirrorCounts {
  readonly upstreams: readonly UpstreamCounts[];
}

interface Counts {
  hits: number;
  misses: number;
  stale: number;
  fetchedBytes: number;
  savedBytes: number;
}

/** Counts, per upstream, what was served from here and what was fetched. */
export class MirrorReport {
  readonly #counts = new Map<string, Counts>();

  hit(host: string, bytes: number): void {
    const counts = this.#of(host);
    counts.hits += 1;
    counts.savedBytes += bytes;
  }

  stale(host: string, bytes: number): void {
    const counts = this.#of(host);
    counts.stale += 1;
    counts.savedBytes += bytes;
  }

  miss(host: string): void {
    this.#of(host).misses += 1;
  }

  fetched(host: string, bytes: number): void {
    this.#of(host).fetchedBytes += bytes;
  }

  /** A copy of all counts, sorted by host. @param rateLimitOf what an upstream last told of its limits */
  counts(rateLimitOf: (host: string) => RateLimit | undefined): MirrorCounts {
    const upstreams = [...this.#counts].map(([host, counts]): UpstreamCounts => {
      const rateLimit = rateLimitOf(host);
      return { host, ...counts, ...(rateLimit === undefined ? {} : { rateLimit }) };
    });
    return { upstreams: upstreams.sort((a, b) => (a.host < b.host ? -1 : 1)) };
  }

  #of(host: string): Counts {
    const known = this.#counts.get(host);
    if (known !== undefined) return known;
    const counts = { hits: 0, misses: 0, stale: 0, fetchedBytes: 0, savedBytes: 0 };
    this.#counts.set(host, counts);
    return counts;
  }
}
