import type { Content, WritableContent } from "./content.ts";

/**
 * One registry made of several: what was pushed, then bundles, then a mirror. The first that has something answers; pushes go to the
 * first layer alone.
 *
 * @param below what is asked, in order, for what was not pushed here
 */
export function layeredContent(pushed: WritableContent, below: readonly Content[]): WritableContent {
  const layers: readonly Content[] = [pushed, ...below];
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
      const found = new Map(
        (await Promise.all(layers.map((layer) => layer.referrers(name, digest, signal))))
          .flat()
          .map((entry) => [entry.digest, entry]),
      );
      return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    },
    repositories: () => [...new Set(layers.flatMap((layer) => layer.repositories()))].sort(),
  };
}
