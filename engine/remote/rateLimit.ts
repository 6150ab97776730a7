/** What a registry says about how often it may still be asked. */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
  /** Length of the window, in seconds, when told. */
  readonly windowSeconds?: number;
}

/**
 * Reads the headers Docker Hub sends with manifests (`ratelimit-limit: 100;w=21600`).
 *
 * @see https://docs.docker.com/docker-hub/usage/pulls/
 */
export function rateLimitOf(headers: Readonly<Record<string, string | string[] | undefined>>): RateLimit | undefined {
  const limit = read(headers["ratelimit-limit"]);
  const remaining = read(headers["ratelimit-remaining"]);
  if (limit === undefined || remaining === undefined) return undefined;
  const windowSeconds = limit.window ?? remaining.window;
  return {
    limit: limit.count,
    remaining: remaining.count,
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
  };
}

function read(header: string | string[] | undefined): { count: number; window: number | undefined } | undefined {
  const match = /^\s*(\d{1,12})\s*(?:;\s*w=(\d{1,12}))?/.exec(
    (typeof header === "string" ? header : header?.[0]) ?? "",
  );
  if (match?.[1] === undefined) return undefined;
  return { count: Number(match[1]), window: match[2] === undefined ? undefined : Number(match[2]) };
}
