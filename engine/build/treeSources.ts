import { type ByteString, bytesOfText } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { joinBytes, type TopSource } from "../plan/copyLayout.ts";
import { excludeRules } from "../plan/excludes.ts";
import { baseName, cleanPath } from "../plan/sources.ts";
import type { CopyStep } from "../plan/steps.ts";
import { hasWildcard, matchSegment } from "../plan/wildcard.ts";
import type { MadeItem } from "./copyEntries.ts";
import { type ImageTree, readImageTree, spoolFiles, type TreeFile } from "./imageTree.ts";
import { Spool } from "./spool.ts";
import type { BuildWorkshop, StageLayer } from "./workshop.ts";

/**
 * What COPY --from means: files of another stage's or image's tree, their contents brought into a spool. Owners, modes and times are
 * those of the tree. Throws `COPY_SOURCE_MISSING`.
 */
export async function treeSources(
  shop: BuildWorkshop,
  step: CopyStep,
  layers: readonly StageLayer[],
): Promise<readonly TopSource<MadeItem>[]> {
  const tree = await readImageTree(shop, layers);
  const found = step.sources.flatMap((source) => (source.kind === "path" ? matches(tree, step, source.pattern) : []));
  const files = [...new Set(found.flatMap(({ items }) => items.map(({ item }) => item)))];
  const contents = await spoolFiles(shop, layers, files, new Spool(shop.lease.scratchDir()));
  return found.map(({ items, ...rest }) => ({
    ...rest,
    items: items.map(({ inside, item }) => ({ inside, item: copyItem(item, contents) })),
  }));
}

function copyItem(file: TreeFile, contents: Awaited<ReturnType<typeof spoolFiles>>): MadeItem {
  const content = contents.get(file) ?? ({ from: "nothing" } as const);
  // Names of one file are the same object in the tree.
  const inode = file.entry.kind === "file" ? `${file.layer}:${file.ordinal}` : undefined;
  return { entry: { ...file.entry, content }, inode };
}

function matches(tree: ImageTree, step: CopyStep, pattern: string): readonly TopSource<TreeFile>[] {
  const clean = cleanPath(bytesOfText(pattern));
  const asked = hasWildcard(clean) ? expand(tree, clean.split("/")) : [clean];
  const found = asked.flatMap((path) => topSource(tree, step, path));
  if (found.length > 0) return found;
  throw new EngineError("COPY_SOURCE_MISSING", {
    instruction: `${step.place.keyword} --from`,
    source: pattern,
    reason: "it is not in that image",
  });
}

function topSource(tree: ImageTree, step: CopyStep, asked: ByteString): readonly TopSource<TreeFile>[] {
  const path = tree.resolve(asked);
  const node = tree.lookup(path);
  if (node === undefined) return [];
  const rules = excludeRules(step.excludes);
  const name = baseName(asked);
  const kept = step.parents ? asked : ("" as ByteString);
  const file = tree.get(path);
  if (node.kind !== "directory") {
    if (file === undefined || rules.excludes(name)) return [];
    return [{ name, isDirectory: step.parents, items: [{ inside: kept, item: file }] }];
  }
  const cut = path === "" ? 0 : path.length + 1;
  const items = [...tree.below(path)]
    .map((below) => ({ item: below.file, inside: below.path.slice(cut) as ByteString }))
    .filter(({ inside }) => !rules.excludes(inside))
    .map(({ item, inside }) => ({ item, inside: joinBytes(kept, inside) }));
  if (kept !== "" && file !== undefined) items.unshift({ item: file, inside: kept });
  return [{ name, isDirectory: true, items }];
}

function expand(tree: ImageTree, parts: readonly string[]): readonly ByteString[] {
  let paths: readonly ByteString[] = ["" as ByteString];
  for (const part of parts) {
    paths = paths.flatMap((path) => {
      if (!hasWildcard(part))
        return tree.lookup(tree.resolve(joinBytes(path, part))) === undefined ? [] : [joinBytes(path, part)];
      return tree
        .names(tree.resolve(path))
        .filter((name) => matchSegment(part, name))
        .map((name) => joinBytes(path, name));
    });
  }
  return paths;
}
