/** What a mirror did for one upstream since it was started. */
export interface UpstreamCounts {
  readonly host: string;
  /** Answers that cost the upstream nothing but at most a HEAD. */
  readonly hits: number;
  /** Answers made of what was known because the upstream failed. */
  readonly stale: number;
  /** Bytes that came from the upstream. */
  readonly fetchedBytes: number;
  /** Bytes that were served without asking it for them. */
  readonly savedBytes: number;
}

export interface MirrorCounts {
  readonly upstreams: readonly UpstreamCounts[];
}

/** Counts, per upstream, what was served from here and what was fetched. */
export class MirrorReport {
  readonly #counts = new Map<string, { hits: number; stale: number; fetchedBytes: number; savedBytes: number }>();

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

  fetched(host: string, bytes: number): void {
    this.#of(host).fetchedBytes += bytes;
  }

  /** A copy of all counts, sorted by host. */
  counts(): MirrorCounts {
    const upstreams = [...this.#counts].map(([host, counts]) => ({ host, ...counts }));
    return { upstreams: upstreams.sort((a, b) => (a.host < b.host ? -1 : 1)) };
  }

  #of(host: string): { hits: number; stale: number; fetchedBytes: number; savedBytes: number } {
    const known = this.#counts.get(host);
    if (known !== undefined) return known;
    const counts = { hits: 0, stale: 0, fetchedBytes: 0, savedBytes: 0 };
    this.#counts.set(host, counts);
    return counts;
  }
}
