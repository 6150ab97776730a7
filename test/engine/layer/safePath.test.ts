import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ByteString, bytesOfText } from "../../../engine/byteString.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { memberPath, resolvePath, safePath, type TreeNode, type TreeView } from "../../../engine/layer/safePath.ts";
import { scratch } from "./layerFixture.ts";

/** A tree in memory: paths that are directories, and symlinks with their targets. */
function memoryTree(links: Readonly<Record<string, string>>, directories: readonly string[] = []): TreeView {
  return {
    lookup: (path_): TreeNode | undefined => {
      const target = links[path_];
      if (target !== undefined) return { kind: "symlink", target: target as ByteString };
      return directories.includes(path_) ? { kind: "directory" } : undefined;
    },
  };
}

describe("the path of a member", () => {
  const kept: Readonly<Record<string, string>> = {
    "a/b": "a/b",
    "./a//b/.": "a/b",
    "/etc/passwd": "etc/passwd",
    "///etc": "etc",
    "a/../b": "b",
    "a/b/../../c": "c",
    "": "",
    ".": "",
    "./": "",
    "..a/b..": "..a/b..",
    "...": "...",
    "a\\..\\b": "a\\..\\b",
  };
  for (const [name, expected] of Object.entries(kept)) {
    test(`${JSON.stringify(name)} stands for ${JSON.stringify(expected)}`, () => {
      assert.equal(memberPath(name as ByteString, "/root"), expected);
    });
  }

  for (const name of [
    "..",
    "../x",
    "/..",
    "a/../../x",
    "./../x",
    "a/b/../../../etc/passwd",
    "/../../../../etc/passwd",
  ]) {
    test(`${JSON.stringify(name)} leads outside and is refused`, () => {
      assert.throws(
        () => memberPath(name as ByteString, "/root"),
        (e) => isEngineError(e, "PATH_ESCAPES_ROOT"),
      );
    });
  }

  test("a NUL is refused", () => {
    assert.throws(
      () => memberPath("a\0b" as ByteString, "/root"),
      (e) => isEngineError(e, "LAYER_INVALID"),
    );
  });
});

describe("following a path inside a tree", () => {
  const tree = memoryTree(
    {
      abs: "/etc",
      up: "../../../../..",
      "dir/up": "../../etc",
      chain1: "chain2",
      chain2: "/dir/up",
      self: "self",
      ping: "pong",
      pong: "ping",
      "deep/a": "/deep/b",
      "deep/b": "../abs/x",
    },
    ["etc", "dir", "deep"],
  );
  const ways: Readonly<Record<string, string>> = {
    "abs/passwd": "etc/passwd",
    "up/etc/passwd": "etc/passwd",
    "dir/up/x": "etc/x",
    "chain1/x": "etc/x",
    "deep/a/y": "etc/x/y",
    "../../x": "x",
    "missing/../x": "x",
    "missing/below": "missing/below",
  };
  for (const [way, end] of Object.entries(ways)) {
    test(`${way} ends at ${end}`, () => {
      assert.equal(resolvePath(tree, way, { followLast: true }), end);
    });
  }

  test("the last symlink is followed only when asked", () => {
    assert.equal(resolvePath(tree, "dir/up", { followLast: false }), "dir/up");
    assert.equal(resolvePath(tree, "dir/up/", { followLast: true }), "etc");
  });

  for (const way of ["self/x", "ping/x"]) {
    test(`${way} goes in circles and ends`, () => {
      assert.throws(
        () => resolvePath(tree, way, { followLast: true }),
        (e) => isEngineError(e, "PATH_ESCAPES_ROOT"),
      );
    });
  }

  test("whatever symlinks there are, no way has a part that leads up", () => {
    const part = fc.constantFrom("a", "b", "..", ".", "", "c");
    const way = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/"));
    const target = fc.tuple(fc.boolean(), way).map(([absolute, text]) => (absolute ? `/${text}` : text || "a"));
    const links = fc.dictionary(fc.constantFrom("a", "b", "a/b", "b/a", "c", "a/c"), target);
    fc.assert(
      fc.property(links, way, (symlinks, start) => {
        try {
          const end = resolvePath(memoryTree(symlinks, ["a", "b"]), start, { followLast: true });
          assert.ok(!end.split("/").includes("..") && !end.startsWith("/"), end);
        } catch (error) {
          assert.ok(isEngineError(error, "PATH_ESCAPES_ROOT"));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test("on disk every symlink is followed inside the root", () => {
  using place = scratch();
  const root = path.join(place.dir, "root");
  mkdirSync(path.join(root, "inner"), { recursive: true });
  writeFileSync(path.join(place.dir, "secret"), "outside");
  symlinkSync("/", path.join(root, "host"));
  symlinkSync("../secret", path.join(root, "inner/out"));
  symlinkSync(path.join(place.dir, "secret"), path.join(root, "direct"));
  const inside = (name: string): string => path.relative(root, String(safePath(root, bytesOfText(name))));
  assert.equal(inside("host/etc/passwd"), "etc/passwd");
  assert.equal(inside("inner/out"), "secret");
  assert.equal(inside("direct"), path.join(place.dir, "secret").slice(1));
  assert.equal(inside("inner/../host/inner"), "inner");
});
