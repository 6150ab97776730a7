import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  createReadStream,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ByteString, fsPath } from "../../../engine/byteString.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { applyLayer, unpackLayer } from "../../../engine/layer/apply.ts";
import { diffUpper } from "../../../engine/layer/diff.ts";
import { diffTree, snapshotTree } from "../../../engine/layer/diffTrees.ts";
import type { LayerEntry } from "../../../engine/layer/layerEntry.ts";
import { packTar, type TarItem } from "../../../engine/tar/write.ts";
import { skipUnless } from "../../support/requirement.ts";
import { directory, file, hardLink, isRoot, type Member, scratch, symlink, tar, treeText } from "./layerFixture.ts";

const signal = new AbortController().signal;
const options = {
  ignore: new Set<ByteString>(),
  ownerOf: (_: ByteString, owner: { uid: number; gid: number }) => owner,
  signal,
};

/** The entries as an archive, with the content from disk. */
function packed(entries: readonly LayerEntry[]): AsyncIterable<Uint8Array> {
  const items = entries.map(
    ({ content, ...entry }): TarItem =>
      content.from === "file" ? { entry, content: createReadStream(fsPath(content.path)) } : { entry },
  );
  return packTar(items);
}

type Change = (root: string) => void;

/** What a change did to a tree of layers, by overlayfs and by comparing a plain copy: both as text, with the tree itself. */
async function bothDiffs(
  dir: string,
  layers: readonly (readonly Member[])[],
  change: Change,
): Promise<{ overlay: readonly LayerEntry[]; copy: readonly LayerEntry[]; check: () => Promise<void> }> {
  const lowerDirs: string[] = [];
  for (const [index, members] of layers.entries()) {
    const root = path.join(dir, `lower${index}`);
    await unpackLayer(tar(members), { root, lowerDirs, setOwners: true, signal });
    lowerDirs.unshift(root);
  }
  for (const name of ["upper", "work", "merged"]) mkdirSync(path.join(dir, name));
  const merged = path.join(dir, "merged");
  const mountOptions = `lowerdir=${lowerDirs.join(":")},upperdir=${path.join(dir, "upper")},workdir=${path.join(dir, "work")},redirect_dir=off,metacopy=off,index=off`;
  const mounted = spawnSync("mount", ["-t", "overlay", "-o", mountOptions, "overlay", merged]);
  assert.equal(mounted.status, 0, mounted.stderr.toString());
  let after: string;
  try {
    change(merged);
    after = treeText(merged, { times: false });
  } finally {
    spawnSync("umount", [merged]);
  }
  const overlay = await diffUpper(path.join(dir, "upper"), { ...options, lowerDirs });

  const plain = path.join(dir, "plain");
  for (const members of layers) await applyLayer(tar(members), { root: plain, setOwners: true, signal });
  const before = snapshotTree(plain);
  change(plain);
  const copy = await diffTree(plain, before, options);

  return {
    overlay,
    copy,
    async check() {
      for (const [how, entries] of Object.entries({ overlay, copy })) {
        const again = path.join(dir, `again-${how}`);
        for (const members of layers) await applyLayer(tar(members), { root: again, setOwners: true, signal });
        await applyLayer(packed(entries), { root: again, setOwners: true, signal });
        assert.equal(treeText(again, { times: false }), after, `the layer from ${how} gives another tree`);
      }
    },
  };
}

const shown = (entries: readonly LayerEntry[]): readonly string[] =>
  entries.map(({ kind, path: name }) => `${kind} ${name}`);

describe("what a run changed", { skip: skipUnless(isRoot, "mounting overlayfs in this process needs root") }, () => {
  const base = [
    directory("d"),
    file("d/a", "1"),
    file("d/b", "1"),
    directory("d/sub"),
    file("d/sub/x", "1"),
    file("top", "1", { uid: 12, gid: 34, mode: 0o640 }),
    symlink("link", "d"),
    directory("whole"),
    file("whole/1", ""),
    file("whole/2", ""),
    file("whole/3", ""),
  ];

  const cases: Readonly<Record<string, readonly [Change, readonly string[]]>> = {
    nothing: [() => undefined, []],
    "a new file": [(root) => writeFileSync(path.join(root, "d/new"), "2"), ["directory d", "file d/new"]],
    "a changed file": [
      (root) => writeFileSync(path.join(root, "d/sub/x"), "22"),
      ["directory d", "directory d/sub", "file d/sub/x"],
    ],
    "a deleted file": [(root) => rmSync(path.join(root, "d/a")), ["directory d", "file d/.wh.a"]],
    "a deleted directory": [(root) => rmSync(path.join(root, "whole"), { recursive: true }), ["file .wh.whole"]],
    "a directory made again": [
      (root) => {
        rmSync(path.join(root, "whole"), { recursive: true });
        mkdirSync(path.join(root, "whole"));
        writeFileSync(path.join(root, "whole/2"), "new");
      },
      ["directory whole", "file whole/.wh.1", "file whole/.wh.3", "file whole/2"],
    ],
    "a directory that became a file": [
      (root) => {
        rmSync(path.join(root, "d"), { recursive: true });
        writeFileSync(path.join(root, "d"), "now");
      },
      ["file d"],
    ],
    "a file that became a directory": [
      (root) => {
        rmSync(path.join(root, "top"));
        mkdirSync(path.join(root, "top"));
      },
      ["directory top"],
    ],
    "a renamed file": [
      (root) => renameSync(path.join(root, "d/a"), path.join(root, "moved")),
      ["directory d", "file d/.wh.a", "file moved"],
    ],
    "a mode": [(root) => chmodSync(path.join(root, "top"), 0o4755), ["file top"]],
    "the mode of a directory": [(root) => chmodSync(path.join(root, "whole"), 0o700), ["directory whole"]],
    "a time": [(root) => utimesSync(path.join(root, "top"), 5, 5), ["file top"]],
    "hard links": [
      (root) => {
        writeFileSync(path.join(root, "z"), "linked");
        linkSync(path.join(root, "z"), path.join(root, "y"));
      },
      ["file y", "hardLink z"],
    ],
    "a symlink over another": [
      (root) => {
        rmSync(path.join(root, "link"));
        symlinkSync("elsewhere", path.join(root, "link"));
      },
      ["symlink link"],
    ],
  };
  for (const [what, [change, expected]] of Object.entries(cases)) {
    test(what, async () => {
      using place = scratch();
      const { overlay, copy, check } = await bothDiffs(place.dir, [base], change);
      assert.deepEqual(shown(overlay), expected);
      assert.deepEqual(shown(copy), expected);
      await check();
    });
  }

  test("owners, setuid, devices, attributes and odd names are in the layer", async () => {
    using place = scratch();
    const { overlay, check } = await bothDiffs(place.dir, [base], (root) => {
      const script =
        "chown 7:8 top; chmod 6755 top; mkfifo fifo; mknod dev c 5 300; mkdir \"$(printf 'raw\\377')\"; setfattr -n user.k -v v d 2>/dev/null; setfattr -n trusted.t -v w d/a";
      assert.equal(spawnSync("sh", ["-c", script], { cwd: root }).status, 0);
    });
    const of = (name: string): LayerEntry | undefined => overlay.find((entry) => entry.path === name);
    assert.deepEqual([of("top")?.uid, of("top")?.gid, of("top")?.mode], [7, 8, 0o6755]);
    assert.deepEqual([of("dev")?.deviceMajor, of("dev")?.deviceMinor], [5, 300]);
    assert.equal(of("fifo")?.kind, "fifo");
    assert.ok(of("raw\xff"));
    assert.deepEqual([...(of("d/a")?.xattrs.keys() ?? [])], ["trusted.t"]);
    await check();
  });

  test("a socket is no file of a layer, a file named like a whiteout is an error", async () => {
    using place = scratch();
    const { overlay } = await bothDiffs(place.dir, [base], (root) => {
      const made = spawnSync(
        "perl",
        ["-MIO::Socket::UNIX", "-e", 'IO::Socket::UNIX->new(Local=>"sock",Listen=>1) or die'],
        { cwd: root },
      );
      assert.equal(made.status, 0);
    });
    assert.deepEqual(overlay, []);
    using other = scratch();
    await assert.rejects(
      bothDiffs(other.dir, [base], (root) => writeFileSync(path.join(root, ".wh.x"), "")),
      (e) => isEngineError(e, "LAYER_INVALID"),
    );
  });

  test("a hard link of a layer below is a file of its own once it was changed, as on overlayfs", async () => {
    using place = scratch();
    const { overlay } = await bothDiffs(place.dir, [[file("a", "1"), hardLink("b", "a")]], (root) =>
      writeFileSync(path.join(root, "b"), "2"),
    );
    assert.deepEqual(shown(overlay), ["file b"]);
  });

  test("ignored places and all below them are no changes", async () => {
    using place = scratch();
    mkdirSync(path.join(place.dir, "upper/proc/1"), { recursive: true });
    writeFileSync(path.join(place.dir, "upper/kept"), "");
    mkdirSync(path.join(place.dir, "lower"));
    const entries = await diffUpper(path.join(place.dir, "upper"), {
      ...options,
      lowerDirs: [path.join(place.dir, "lower")],
      ignore: new Set(["proc" as ByteString]),
    });
    assert.deepEqual(shown(entries), ["file kept"]);
  });

  test("whatever was done: the layers below and the layer of changes give the tree that was seen", async () => {
    const name = fc.constantFrom("a", "b", "c", "a/b", "b/a", "a/b/c", "d");
    const operation = fc.oneof(
      name.map(
        (n): Change =>
          (root) =>
            writeFileSync(path.join(root, n), "written"),
      ),
      name.map(
        (n): Change =>
          (root) =>
            mkdirSync(path.join(root, n), { recursive: true }),
      ),
      name.map(
        (n): Change =>
          (root) =>
            rmSync(path.join(root, n), { recursive: true }),
      ),
      fc.tuple(name, name).map(
        ([from, to]): Change =>
          (root) =>
            renameSync(path.join(root, from), path.join(root, to)),
      ),
      fc.tuple(name, name).map(
        ([from, to]): Change =>
          (root) =>
            linkSync(path.join(root, from), path.join(root, to)),
      ),
      fc.tuple(name, name).map(
        ([target, n]): Change =>
          (root) =>
            symlinkSync(target, path.join(root, n)),
      ),
      fc.tuple(name, fc.constantFrom(0o700, 0o755, 0o4711)).map(
        ([n, mode]): Change =>
          (root) =>
            chmodSync(path.join(root, n), mode),
      ),
    );
    const member = fc.oneof(
      name.map((n) => file(n, "base")),
      name.map((n) => directory(n)),
      fc.tuple(name, name).map(([n, t]) => symlink(n, t)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(member, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        fc.array(operation, { maxLength: 10 }),
        async (layers, operations) => {
          using place = scratch();
          // Operations that cannot be done are left out, in both trees alike.
          let outcome: readonly boolean[] | undefined;
          const change: Change = (root) => {
            const done = operations.map((operate, index) => {
              if (outcome?.[index] === false) return false;
              try {
                operate(root);
                return true;
              } catch {
                return false;
              }
            });
            outcome ??= done;
          };
          const result = await bothDiffs(place.dir, layers, change).catch((error: unknown) => {
            if (isEngineError(error)) return undefined;
            throw error;
          });
          await result?.check();
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("a tree with nothing changed has no changes, without overlayfs and without root", async () => {
  using place = scratch();
  const root = path.join(place.dir, "root");
  await applyLayer(tar([directory("d"), file("d/x", "1")]), { root, setOwners: false, signal });
  assert.deepEqual(await diffTree(root, snapshotTree(root), options), []);
  assert.ok(lstatSync(root).isDirectory());
});
