/**
 * The tags of a repository.
 *
 * @see distribution-spec v1.1, "Listing Tags"
 */
import { EngineError } from "../errors.ts";
import type { RegistryClient } from "./client.ts";
import { resolveLocation } from "./exchange.ts";
import { nextLink } from "./link.ts";
import type { RemoteRepository } from "./repository.ts";
import { toPull } from "./scope.ts";

const pageLimitBytes = 8 * 1024 * 1024;
const pageSize = 1000;

/**
 * All tags, page by page in the registry's own order.
 *
 * @throws EngineError REMOTE_NOT_FOUND when there is no such repository, and other REMOTE_ codes
 */
export async function* listTags(
  client: RegistryClient,
  where: RemoteRepository,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const { what, host: registry, repository } = where;
  let target: string | URL | undefined = `${repository}/tags/list?n=${pageSize}`;
  const seen = new Set<string>();
  while (target !== undefined) {
    const answer = await client.request(
      { what, registry, method: "GET", target, scopes: [toPull(repository)], accept: [200] },
      signal,
    );
    const page = Buffer.from(await answer.read(pageLimitBytes)).toString("utf8");
    yield parseTags(page, where);
    const link = nextLink(answer.headers["link"]);
    target =
      link === undefined
        ? undefined
        : resolveLocation(link, answer.url, { what, registry }, client.options.insecureRegistries);
    if (target instanceof URL && seen.has(target.href)) {
      throw new EngineError("REMOTE_PROTOCOL", { what, registry, reason: "its list of tags goes in circles" });
    }
    if (target instanceof URL) seen.add(target.href);
  }
}

function parseTags(text: string, where: RemoteRepository): readonly string[] {
  try {
    const { tags } = JSON.parse(text) as { tags?: unknown };
    // Go registries write null for an empty list.
    if (tags === null || tags === undefined) return [];
    if (Array.isArray(tags)) return tags.filter((tag): tag is string => typeof tag === "string");
  } catch {
    // Said below, in our words.
  }
  const reason = "its list of tags is not the JSON object the specification asks for";
  throw new EngineError("REMOTE_PROTOCOL", { what: where.what, registry: where.host, reason });
}
