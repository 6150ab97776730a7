import assert from "node:assert/strict";
import { lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isEngineError } from "../../../engine/errors.ts";
import { applyLayer } from "../../../engine/layer/apply.ts";
import { listLayer } from "../../../engine/layer/listing.ts";
import { contentMember, type MergedMember, mergeLayers } from "../../../engine/layer/mergedTree.ts";
import {
  directory,
  file,
  hardLink,
  type Member,
  opaque,
  scratch,
  symlink,
  tar,
  treeText,
  whiteout,
} from "./layerFixture.ts";

async function bytesOf(members: readonly Member[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar(members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The merged tree as `path kind content` lines, the content read from the layers in place. */
async function merged(layers: readonly (readonly Member[])[]): Promise<readonly string[]> {
  const archives = await Promise.all(layers.map(bytesOf));
  const tree = mergeLayers(await Promise.all(archives.map((bytes) => listLayer(once(bytes)))));
  const shown = (member: MergedMember): string => {
    const source = contentMember(tree, member.path);
    if (source === undefined) return `${member.path} ${member.kind} ${member.linkTarget}`;
    const bytes = archives[source.layer]?.subarray(source.contentOffset, source.contentOffset + source.size);
    return `${member.path} content ${bytes?.toString()}`;
  };
  return [...tree.values()].map(shown).sort();
}

/** The same of a directory, without the directories that only the paths of others imply. */
function onDisk(root: string, mentioned: (path_: string) => boolean): readonly string[] {
  return treeText(root)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" ")[0] as string)
    .flatMap((name) => {
      const at = path.join(root, name);
      const stat = lstatSync(at);
      if (stat.isDirectory()) return mentioned(name) ? [`${name} directory `] : [];
      if (stat.isSymbolicLink()) return [`${name} symlink`];
      return [`${name} content ${readFileSync(at, "utf8")}`];
    })
    .sort();
}

describe("layers merged without unpacking", () => {
  test("a hard link keeps its content when its first name is changed or deleted above", async () => {
    const base = [file("a", "first"), hardLink("b", "a"), hardLink("c", "b")];
    assert.deepEqual(await merged([base, [file("a", "second")]]), [
      "a content second",
      "b content first",
      "c content first",
    ]);
    assert.deepEqual(await merged([base, [whiteout("a")]]), ["b content first", "c content first"]);
  });

  test("a way through a symlink of a lower layer leads where that points", async () => {
    const base = [directory("usr"), directory("usr/lib"), symlink("lib", "usr/lib"), file("usr/lib/old", "1")];
    assert.deepEqual(
      await merged([base, [file("lib/new", "2"), whiteout("lib/old")]]),
      [
        "lib symlink usr/lib",
        "usr directory ",
        "usr/lib content 2".replace("lib content", "lib/new content"),
        "usr/lib directory ",
      ].sort(),
    );
  });

  test("whatever the layers are, it is the tree that applying them gives", async () => {
    const place = fc
      .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/"));
    const entry = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(place, fc.constantFrom("x", "y", "z")).map(([n, c]) => file(n, c)) },
      { weight: 3, arbitrary: place.map((n) => directory(n)) },
      { weight: 1, arbitrary: fc.tuple(place, place).map(([n, t]) => symlink(n, `/${t}`)) },
      { weight: 1, arbitrary: fc.tuple(place, place).map(([n, t]) => hardLink(n, t)) },
      { weight: 2, arbitrary: place.map((n) => whiteout(n)) },
      { weight: 1, arbitrary: place.map((n) => opaque(n)) },
    );
    // A layer names each path once; what several entries of one name do is the unpacker's own affair.
    const layer = fc.uniqueArray(entry, { maxLength: 7, selector: ({ entry: { path: name } }) => name });
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 3 }), async (layers) => {
        // Deletions first, as every builder writes them: an unpacker goes through symlinks as they are at that moment.
        const ordered = layers.map((members) => [
          ...members.filter(isWhiteout),
          ...members.filter((m) => !isWhiteout(m)),
        ]);
        using dir = scratch();
        const root = path.join(dir.dir, "root");
        try {
          for (const members of ordered)
            await applyLayer(tar(members), { root, setOwners: false, signal: new AbortController().signal });
        } catch (error) {
          if (isEngineError(error)) return;
          throw error;
        }
        const seen = (await merged(ordered)).map((line) => line.replace(/ symlink .*/, " symlink"));
        const mentioned = new Set(
          seen.filter((line) => line.endsWith(" directory ")).map((line) => line.split(" ")[0]),
        );
        assert.deepEqual(
          seen,
          onDisk(root, (name) => mentioned.has(name)),
        );
      }),
      { numRuns: 300 },
    );
  });
});

function isWhiteout({ entry }: Member): boolean {
  return /(?:^|\/)\.wh\./.test(entry.path);
}
