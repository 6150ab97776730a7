import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Content, RepositoryName, WritableContent } from "./content.ts";
import { hostPart, upstreamOf } from "./upstream.ts";

/**
 * One registry made of several: what was pushed, then bundles and the store's images, then a mirror. The first that has something answers;
 * pushes go to the first layer alone.
 *
 * @param below what is asked, in order, for what was not pushed here
 */
export function layeredContent(pushed: WritableContent, below: readonly Content[]): WritableContent {
  const layers: readonly Content[] = [pulledFrom(pushed), ...below];
  const first = async <Result>(ask: (layer: Content) => Promise<Result | undefined>): Promise<Result | undefined> => {
    for (const layer of layers) {
      const found = await ask(layer);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    ...pushed,
    manifest: (name, reference, signal) => first((layer) => layer.manifest(name, reference, signal)),
    blob: (name, digest, signal) => first((layer) => layer.blob(name, digest, signal)),
    tags: (name, signal) => first((layer) => layer.tags(name, signal)),
    async referrers(name, digest, signal) {
      const found = new Map<Digest, Descriptor>();
      for (const layer of layers) {
        for (const entry of await layer.referrers(name, digest, signal)) found.set(entry.digest, entry);
        // What has the subject knows what refers to it: an image of ours is nothing to ask strangers about.
        if (layer !== layers.at(-1) && (await layer.manifest(name, digest, signal)) !== undefined) break;
      }
      return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    },
    repositories: () => [...new Set(layers.flatMap((layer) => layer.repositories()))].sort(),
  };
}

/**
 * Pushed repositories as pulls see them. A client that names a host (`?ns=quay.io`) means that host's image: what was pushed here under a
 * path alone is not it, only what was pushed below that host's name. Docker Hub is what a path without a host stands for.
 */
function pulledFrom(pushed: Content): Content {
  const first = async <Result>(
    name: RepositoryName,
    ask: (name: RepositoryName) => Promise<Result | undefined>,
  ): Promise<Result | undefined> => {
    for (const path of pushedPaths(name)) {
      const found = await ask({ path });
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    manifest: (name, reference, signal) => first(name, (path) => pushed.manifest(path, reference, signal)),
    blob: (name, digest, signal) => first(name, (path) => pushed.blob(path, digest, signal)),
    tags: (name, signal) => first(name, (path) => pushed.tags(path, signal)),
    referrers: async (name, digest, signal) =>
      (await Promise.all(pushedPaths(name).map((path) => pushed.referrers({ path }, digest, signal)))).flat(),
    repositories: () => pushed.repositories(),
  };
}

function pushedPaths(name: RepositoryName): readonly string[] {
  if (name.host === undefined) return [name.path];
  const { host, repository } = upstreamOf(name);
  const below = `${hostPart(host)}/${repository}`;
  return host === "docker.io" ? [below, repository] : [below];
}
