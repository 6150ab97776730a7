import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ByteString, bytesOfText } from "../../../engine/byteString.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { type AppliedLayer, applyLayer, unpackLayer } from "../../../engine/layer/apply.ts";
import { LowerStack } from "../../../engine/layer/lowerStack.ts";
import { Digester, digestOf } from "../../../engine/oci/digest.ts";
import { skipUnless, skipWithoutProgram } from "../../support/requirement.ts";
import {
  device,
  directory,
  fifo,
  file,
  hardLink,
  isRoot,
  type Member,
  opaque,
  scratch,
  symlink,
  tar,
  treeText,
  whiteout,
} from "./layerFixture.ts";

const signal = new AbortController().signal;
const rootOnly = skipUnless(isRoot, "this needs root");

async function apply(root: string, ...layers: readonly (readonly Member[])[]): Promise<AppliedLayer> {
  let last: AppliedLayer | undefined;
  for (const members of layers) last = await applyLayer(tar(members), { root, setOwners: isRoot, signal });
  return last as AppliedLayer;
}

/** Unpacks layers each into its own directory and gives those, topmost first. */
async function unpack(dir: string, ...layers: readonly (readonly Member[])[]): Promise<string[]> {
  const lowerDirs: string[] = [];
  for (const [index, members] of layers.entries()) {
    const root = path.join(dir, `layer${index}`);
    await unpackLayer(tar(members), { root, lowerDirs, setOwners: isRoot, signal });
    lowerDirs.unshift(root);
  }
  return lowerDirs;
}

/** What overlayfs shows for directories, as text. */
function overlayText(dir: string, lowerDirs: readonly string[], options: Parameters<typeof treeText>[1] = {}): string {
  const mounted = path.join(dir, "mounted");
  mkdirSync(mounted, { recursive: true });
  mkdirSync(path.join(dir, "none"), { recursive: true });
  const made = spawnSync("mount", [
    "-t",
    "overlay",
    "-o",
    `lowerdir=${[...lowerDirs, path.join(dir, "none")].join(":")}`,
    "overlay",
    mounted,
  ]);
  assert.equal(made.status, 0, made.stderr.toString());
  try {
    return treeText(mounted, options);
  } finally {
    spawnSync("umount", [mounted]);
  }
}

/** Both ways of applying layers, as one text. */
async function bothWays(
  dir: string,
  layers: readonly (readonly Member[])[],
  options: Parameters<typeof treeText>[1] = {},
): Promise<string> {
  const merged = path.join(dir, "merged");
  await apply(merged, ...layers);
  const text = treeText(merged, options);
  if (isRoot)
    assert.equal(
      overlayText(dir, await unpack(path.join(dir, "layers"), ...layers), options),
      text,
      "overlayfs shows another tree",
    );
  return text;
}

const plain = { owners: false, times: false };

describe("applying layers", () => {
  test("files, directories, links, fifos come with mode, owner and time", async () => {
    using place = scratch();
    const owner = isRoot ? { uid: 1234, gid: 4321 } : {};
    const members = [
      directory("d", { mode: 0o1777, mtimeSeconds: 1000, ...owner }),
      file("d/setuid", "content", { mode: 0o4755, mtimeSeconds: 2000, ...owner }),
      file("d/setgid", "", { mode: 0o2711, mtimeSeconds: 2001 }),
      hardLink("d/hard", "d/setuid"),
      symlink("d/link", "../anywhere", { mtimeSeconds: 3000, ...owner }),
      fifo("d/fifo", { mode: 0o640, mtimeSeconds: 4000 }),
      directory("d/readonly", { mode: 0o555, mtimeSeconds: 5000 }),
      file("d/readonly/file", "x", { mode: 0o444, mtimeSeconds: 6000 }),
      file("implied/by/its/path", "y", { mtimeSeconds: 7000 }),
    ];
    const who = isRoot ? "1234:4321" : `${process.geteuid?.()}:${process.getegid?.()}`;
    const root = isRoot ? "0:0" : who;
    assert.equal(
      await bothWays(place.dir, [members]),
      [
        `d 1777 ${who} 1000 dir`,
        `d/fifo 640 ${root} 4000 fifo`,
        `d/hard 4755 ${who} 2000 "content"`,
        `d/link lnk ${who} 3000 -> ../anywhere`,
        `d/readonly 555 ${root} 5000 dir`,
        `d/readonly/file 444 ${root} 6000 "x"`,
        `d/setgid 2711 ${root} 2001 ""`,
        `d/setuid 4755 ${who} 2000 link to d/hard`,
        `implied 755 ${root} 0 dir`,
        `implied/by 755 ${root} 0 dir`,
        `implied/by/its 755 ${root} 0 dir`,
        `implied/by/its/path 644 ${root} 7000 "y"`,
      ].join("\n"),
    );
  });

  test("a whiteout deletes below and nothing of its own layer, wherever it stands in it", async () => {
    using place = scratch();
    const base = [
      directory("d"),
      file("d/a", "1"),
      file("d/b", "1"),
      directory("e"),
      file("e/x", "1"),
      file("top", "1"),
    ];
    const change = [
      file("d/a", "2"),
      whiteout("d/a"),
      whiteout("d/b"),
      whiteout("top"),
      whiteout("e"),
      directory("e"),
      file("e/new", "2"),
      whiteout("never/was"),
    ];
    assert.equal(
      await bothWays(place.dir, [base, change], plain),
      ["d 755 dir", 'd/a 644 "2"', "e 755 dir", 'e/new 644 "2"'].join("\n"),
    );
  });

  test("an opaque directory hides what lies below it, whether the mark comes first or last", async () => {
    const base = [directory("d"), file("d/old", "1"), directory("d/sub"), file("d/sub/old", "1"), file("d/both", "1")];
    const change = [
      directory("d"),
      file("d/new", "2"),
      file("d/both", "2"),
      directory("d/sub"),
      file("d/sub/new", "2"),
    ];
    for (const layer of [
      [opaque("d"), ...change],
      [...change, opaque("d")],
    ]) {
      using place = scratch();
      assert.equal(
        await bothWays(place.dir, [base, layer], plain),
        ["d 755 dir", 'd/both 644 "2"', 'd/new 644 "2"', "d/sub 755 dir", 'd/sub/new 644 "2"'].join("\n"),
      );
    }
  });

  test("what a layer deleted a later one may make again, as another kind", async () => {
    using place = scratch();
    const layers = [
      [directory("d"), file("d/x", "1"), file("f", "1"), symlink("s", "d")],
      [whiteout("d"), whiteout("f"), whiteout("s")],
      [file("d", "3"), directory("f"), file("f/y", "3"), directory("s"), file("s/z", "3")],
    ];
    assert.equal(
      await bothWays(place.dir, layers, plain),
      ['d 644 "3"', "f 755 dir", 'f/y 644 "3"', "s 755 dir", 's/z 644 "3"'].join("\n"),
    );
  });

  test("a file replaces a directory and the other way round without a whiteout", async () => {
    using place = scratch();
    const layers = [
      [directory("d"), directory("d/deep"), file("d/deep/x", "1"), file("f", "1"), symlink("s", "/d")],
      [file("d", "2"), directory("f"), file("f/y", "2"), directory("s"), file("s/z", "2")],
    ];
    assert.equal(
      await bothWays(place.dir, layers, plain),
      ['d 644 "2"', "f 755 dir", 'f/y 644 "2"', "s 755 dir", 's/z 644 "2"'].join("\n"),
    );
  });

  test("the parents a layer does not mention look as they do below", async () => {
    using place = scratch();
    const base = [
      directory("private", { mode: 0o700, mtimeSeconds: 100 }),
      directory("private/in", { mode: 0o750, mtimeSeconds: 200 }),
    ];
    assert.equal(
      await bothWays(
        place.dir,
        [base, [file("private/in/new", "2", { mtimeSeconds: 300 }), whiteout("private/none")]],
        { owners: false },
      ),
      ["private 700 100 dir", "private/in 750 200 dir", 'private/in/new 644 300 "2"'].join("\n"),
    );
  });

  test("a way through a symlink of a lower layer goes where the symlink points, inside the tree", async () => {
    using place = scratch();
    const base = [directory("usr"), directory("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/usr/lib")];
    assert.equal(
      await bothWays(place.dir, [base, [file("lib/a", "2"), file("abs/b", "2")]], plain),
      [
        "abs lnk -> /usr/lib",
        "lib lnk -> usr/lib",
        "usr 755 dir",
        "usr/lib 755 dir",
        'usr/lib/a 644 "2"',
        'usr/lib/b 644 "2"',
      ].join("\n"),
    );
  });

  test("a hard link to a file of a lower layer has its content and mode", async () => {
    using place = scratch();
    const text = await bothWays(
      place.dir,
      [[directory("d"), file("d/tool", "bin", { mode: 0o755, mtimeSeconds: 77 })], [hardLink("alias", "d/tool")]],
      { owners: false },
    );
    assert.equal(text, ['alias 755 77 "bin"', "d 755 0 dir", "d/tool 755 77 link to alias"].join("\n"));
  });

  test("of two entries with one path the last counts, and what was linked with the first keeps its content", async () => {
    using place = scratch();
    const layer = [
      file("a", "first"),
      hardLink("b", "a"),
      file("a", "second"),
      symlink("c", "a"),
      file("c", "third"),
      directory("d"),
      file("d", "fourth"),
      file("d", "fifth"),
    ];
    assert.equal(
      await bothWays(place.dir, [layer], plain),
      ['a 644 "second"', 'b 644 "first"', 'c 644 "third"', 'd 644 "fifth"'].join("\n"),
    );
  });

  test("names of any bytes and of great length survive", async () => {
    using place = scratch();
    const long = `${"x".repeat(200)}/${"y".repeat(255)}`;
    const raw = { ...file("placeholder", "raw") };
    const members = [
      file(long, "long"),
      { ...raw, entry: { ...raw.entry, path: "latin-\xe9\xff/in\nside" as ByteString } },
      file("ünïcödé 'quoted' $(touch x)", "u"),
    ];
    assert.equal(
      await bothWays(place.dir, [members], { ...plain }),
      [
        `${Buffer.from("latin-\xe9\xff", "latin1").toString("hex")} 755 dir`,
        `${Buffer.from("latin-\xe9\xff/in\nside", "latin1").toString("hex")} 644 "raw"`,
        `${"x".repeat(200)} 755 dir`,
        `${long} 644 "long"`,
        `ünïcödé 'quoted' $(touch x) 644 "u"`,
      ]
        .sort((a, b) =>
          Buffer.compare(
            Buffer.from(a.startsWith("6c6174") ? "latin" : a),
            Buffer.from(b.startsWith("6c6174") ? "latin" : b),
          ),
        )
        .join("\n"),
    );
  });

  test("devices are made by root, and without root left out with a word", async () => {
    using place = scratch();
    const applied = await apply(path.join(place.dir, "root"), [
      device("null", 1, 3, { mode: 0o666, mtimeSeconds: 5 }),
      file("x", ""),
    ]);
    if (isRoot) assert.equal(treeText(path.join(place.dir, "root")), 'null 666 0:0 5 char 1:3\nx 644 0:0 0 ""');
    else assert.match(String(applied.warnings), /null/);
  });

  test("extended attributes are set, those of the host and of overlayfs are not", {
    skip: skipWithoutProgram("setfattr", "attr"),
  }, async () => {
    using place = scratch();
    const root = path.join(place.dir, "root");
    const xattrs = new Map(
      Object.entries({
        "user.kind": "a=b\nc",
        "user.overlay.opaque": "y",
        ...(isRoot ? { "trusted.overlay.opaque": "y", "security.selinux": "host", "trusted.own": "\0\xff" } : {}),
      }).map(([name, value]) => [name as ByteString, Buffer.from(value, "latin1") as Uint8Array]),
    );
    const applied = await apply(root, [directory("d", { xattrs }), file("d/f =x", "c", { xattrs, mode: 0o644 })]);
    assert.deepEqual(applied.warnings, []);
    for (const name of ["d", "d/f =x"]) {
      const shown = spawnSync("getfattr", [
        "-d",
        "-m",
        "-",
        "-e",
        "hex",
        "--",
        path.join(root, name),
      ]).stdout.toString();
      const found = shown
        .split("\n")
        .filter((line) => line.includes("=0x") && !line.startsWith("#"))
        .sort();
      assert.deepEqual(found, [
        ...(isRoot ? ["trusted.own=0x00ff"] : []),
        `user.kind=0x${Buffer.from("a=b\nc").toString("hex")}`,
      ]);
    }
  });

  test("sparse files keep their holes on disk", { skip: skipWithoutProgram("tar") }, async () => {
    using place = scratch();
    const source = path.join(place.dir, "source");
    mkdirSync(source);
    writeFileSync(path.join(source, "disk.img"), Buffer.alloc(4096, "x"));
    truncateSync(path.join(source, "disk.img"), 256 * 1024 * 1024);
    for (const form of ["--format=gnu", "--format=posix"]) {
      const archive = path.join(place.dir, "a.tar");
      spawnSync("tar", ["--sparse", form, "-C", source, "-cf", archive, "."]);
      const root = path.join(place.dir, form);
      await applyLayer(createReadStream(archive), { root, setOwners: isRoot, signal });
      const stat = statSync(path.join(root, "disk.img"));
      assert.equal(stat.size, 256 * 1024 * 1024);
      assert.ok(stat.blocks * 512 < 1024 * 1024, "holes were written out");
      assert.equal(readFileSync(path.join(root, "disk.img")).subarray(0, 4096).toString(), "x".repeat(4096));
    }
  });

  test("all of the archive is read, what follows its end too, so that its digest can be known", async () => {
    using place = scratch();
    const chunks: Uint8Array[] = [];
    for await (const chunk of tar([file("a", "1")])) chunks.push(chunk);
    chunks.push(new Uint8Array(10_240), Buffer.from("trailing"));
    const digester = new Digester();
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for (const chunk of chunks) {
        digester.update(chunk);
        yield chunk;
      }
    };
    await applyLayer(counted(), { root: path.join(place.dir, "root"), setOwners: false, signal });
    assert.equal(digester.finish(), digestOf(Buffer.concat(chunks)));
  });

  test("a cancel is heard inside a layer", async () => {
    using place = scratch();
    const controller = new AbortController();
    const endless = async function* (): AsyncGenerator<Member> {
      for (let index = 0; ; index++) {
        if (index === 1000) controller.abort();
        yield file(`f${index}`, "x");
      }
    };
    const { packTar } = await import("../../../engine/tar/write.ts");
    await assert.rejects(
      applyLayer(packTar(endless()), {
        root: path.join(place.dir, "root"),
        setOwners: false,
        signal: controller.signal,
      }),
      (e) => isEngineError(e, "CANCELLED"),
    );
  });

  test("a full or forbidden disk is told with the path", async () => {
    using place = scratch();
    await assert.rejects(apply(path.join(place.dir, "root"), [file(`${"d/".repeat(2100)}x`, "1")]), (e) => {
      assert.ok(isEngineError(e, "LAYER_UNPACK_FAILED"));
      assert.match(e.message, /ENAMETOOLONG/);
      return true;
    });
  });

  test("without root the owners a layer states are handed over instead of set", async () => {
    using place = scratch();
    const applied = await applyLayer(
      tar([file("a", "", { uid: 33, gid: 44 }), file("b", ""), file("c", "", { uid: 1 }), file("c", "")]),
      {
        root: path.join(place.dir, "root"),
        setOwners: false,
        signal,
      },
    );
    assert.deepEqual([...applied.unsetOwners], [["a", { uid: 33, gid: 44 }]]);
  });
});

/** Things outside the root that every attack below tries to read, change, link to or delete. */
function victim(dir: string): { readonly check: () => void } {
  const outside = path.join(dir, "outside");
  mkdirSync(path.join(outside, "deep"), { recursive: true });
  writeFileSync(path.join(outside, "secret"), "untouched", { mode: 0o640 });
  writeFileSync(path.join(outside, "deep/file"), "untouched");
  const before = treeText(outside);
  return {
    check: () => {
      assert.equal(treeText(outside), before, "A PATH OF THE HOST WAS TOUCHED");
      assert.deepEqual(
        readdirSync(dir).filter((name) => !["outside", "root", "layers", "lower"].includes(name)),
        [],
        "A PATH OF THE HOST WAS MADE",
      );
      assert.ok(!existsSync("/kubefile-escape"), "A PATH OF THE HOST WAS MADE");
      assert.equal(lstatSync(path.join(outside, "secret")).nlink, 1, "A FILE OF THE HOST WAS LINKED");
    },
  };
}

describe("a hostile layer touches nothing outside the root", () => {
  const out = "../outside";
  const attacks: Readonly<Record<string, (dir: string) => readonly (readonly Member[])[]>> = {
    "a name that climbs": () => [[file(`${out}/secret`, "evil")]],
    "a name that climbs from below": () => [[directory("a"), file(`a/../${out}/secret`, "evil")]],
    "an absolute name": (dir) => [[file(`${dir}/outside/secret`, "evil"), file("/kubefile-escape", "evil")]],
    "a symlink to the outside and a file through it": () => [
      [symlink("esc", out), file("esc/secret", "evil"), file("esc/new", "evil")],
    ],
    "an absolute symlink and a file through it": (dir) => [
      [symlink("esc", `${dir}/outside`), file("esc/secret", "evil")],
    ],
    "a symlink to / and a file through it": () => [[symlink("esc", "/"), file("esc/kubefile-escape", "evil")]],
    "a chain of symlinks": () => [
      [symlink("a", "b"), symlink("b", "c/d"), directory("c"), symlink("c/d", `../${out}`), file("a/secret", "evil")],
    ],
    "a symlink planted by a lower layer": () => [
      [symlink("esc", out)],
      [file("esc/secret", "evil"), directory("esc/deep", { mode: 0o777 })],
    ],
    "a directory that turns into a symlink": () => [
      [directory("d"), file("d/x", "1"), symlink("d", out), file("d/secret", "evil")],
    ],
    "a directory that turns into a symlink in the next layer": () => [
      [directory("d"), file("d/x", "1")],
      [symlink("d", out), file("d/secret", "evil")],
    ],
    "a symlink under a cached parent": () => [
      [file("p/q/one", "1"), whiteout("p/q"), symlink("p/q", `../${out}`), file("p/q/secret", "evil")],
    ],
    "writing through a symlink of the same name": () => [[symlink("f", `${out}/secret`), file("f", "evil")]],
    "writing through a symlink of a lower layer": () => [[symlink("f", `${out}/secret`)], [file("f", "evil")]],
    "a hard link to the outside": () => [[hardLink("h", `${out}/secret`), file("h", "evil")]],
    "a hard link to the outside, then written": (dir) => [[hardLink("h", `${dir}/outside/secret`), file("h", "evil")]],
    "a hard link through a symlink": () => [[symlink("esc", out), hardLink("h", "esc/secret"), file("h", "evil")]],
    "a hard link to a symlink, then written": () => [
      [symlink("s", `${out}/secret`), hardLink("h", "s"), file("h", "evil")],
    ],
    "a chain of hard links": () => [
      [
        symlink("esc", `${out}/secret`),
        hardLink("h1", "esc"),
        hardLink("h2", "h1"),
        file("h2", "evil"),
        file("h1", "evil"),
      ],
    ],
    "a mode set through a symlink": () => [
      [symlink("d", `${out}/deep`), directory("d", { mode: 0o777, mtimeSeconds: 1 })],
    ],
    "a mode set through a symlink of a lower layer": () => [
      [symlink("d", `${out}/deep`)],
      [directory("d", { mode: 0o777 })],
    ],
    "a whiteout that climbs": () => [[file(`${out}/.wh.secret`, "")]],
    "a whiteout through a symlink": () => [[symlink("esc", out)], [whiteout("esc/secret"), whiteout("esc/deep")]],
    "an opaque mark through a symlink": () => [[symlink("esc", out)], [opaque("esc")]],
    "an opaque mark through a symlink of the same layer": () => [[symlink("esc", out), opaque("esc")]],
    "a whiteout of the parent": () => [[file(".wh...", "")]],
    "a whiteout of the root": () => [[file(".wh..", "")]],
    "a whiteout without a name": () => [[file(".wh.", "")]],
    "a whiteout of a whiteout": () => [[file(".wh..wh.x", "")]],
    "a file below a whiteout": () => [[file(".wh.x/y", "evil")]],
    "aufs metadata": () => [[directory(".wh..wh.plnk"), file(".wh..wh.plnk/x", "")]],
    "a whiteout that is a symlink": () => [[symlink(".wh.x", out)]],
    "a device that overlayfs takes for a deletion": () => [[device("zero", 0, 0)]],
    "a fifo, a device and a directory under one name": () => [
      [fifo("x"), directory("x"), file("x/y", "1"), fifo("x"), file("x/z", "1")],
    ],
    "a root that is a symlink": () => [[symlink(".", out), file("secret", "evil")]],
    "a root that is a file": () => [[file("./", "evil")]],
    "a symlink to itself": () => [[symlink("loop", "loop"), file("loop/x", "1")]],
    "a hard link to itself": () => [[file("a", "1"), hardLink("a", "a")]],
    "a hard link to a directory": () => [[directory("d"), hardLink("h", "d")]],
    "a hard link to the root": () => [[hardLink("h", ".")]],
    "a hard link to what is not there": () => [[hardLink("h", "nowhere")]],
    "a parent that is a file": () => [[file("f", "1"), file("f/x", "1")]],
    "a parent that is a device": () => [[device("dev", 1, 3), file("dev/x", "1")]],
    "an empty symlink": () => [[symlink("s", "")]],
    "names that differ in case": () => [
      [symlink("ESC", out), directory("esc"), file("esc/secret", "mine"), file("ESC/secret", "evil")],
    ],
    "a backslash and a drive": () => [[file("..\\outside\\secret", "evil"), file("C:\\x", "evil")]],
    "very many parents": () => [[file(`${"../".repeat(500)}kubefile-escape`, "evil")]],
    "a symlink of 4,000 bytes": () => [[symlink("s", `${"../".repeat(1300)}${out}`), file("s/x", "1")]],
  };

  for (const [what, layersOf] of Object.entries(attacks)) {
    test(what, async () => {
      using place = scratch();
      const guard = victim(place.dir);
      const layers = layersOf(place.dir);
      // Some of these are merely odd and apply, others are refused: what counts is what they touch.
      await apply(path.join(place.dir, "root"), ...layers).catch(mustBeOurs);
      guard.check();
      await unpack(path.join(place.dir, "layers"), ...layers).catch(mustBeOurs);
      guard.check();
    });
  }

  const refused = [
    "a name that climbs",
    "a whiteout that climbs",
    "a whiteout of the parent",
    "a whiteout of the root",
    "a whiteout without a name",
    "a whiteout of a whiteout",
    "a file below a whiteout",
    "aufs metadata",
    "a device that overlayfs takes for a deletion",
    "a root that is a symlink",
    "a symlink to itself",
    "a hard link to itself",
    "a hard link to a directory",
    "a hard link to the root",
    "a hard link to what is not there",
    "a parent that is a file",
    "an empty symlink",
    "very many parents",
  ];
  for (const what of refused) {
    test(`${what} is an error`, async () => {
      using place = scratch();
      const layers = (attacks[what] as (dir: string) => readonly (readonly Member[])[])(place.dir);
      const isRefusal = (e: unknown): boolean =>
        isEngineError(e, "LAYER_INVALID") || isEngineError(e, "PATH_ESCAPES_ROOT");
      await assert.rejects(apply(path.join(place.dir, "root"), ...layers), isRefusal);
      await assert.rejects(unpack(path.join(place.dir, "layers"), ...layers), isRefusal);
    });
  }

  test("any order of any entries", async () => {
    const name = fc.constantFrom(
      "a",
      "b",
      "a/b",
      "a/c",
      "b/a",
      "a/b/c",
      "../outside/secret",
      "a/../../outside/x",
      "/b",
    );
    const target = fc.constantFrom(
      "a",
      "b",
      "..",
      "../outside",
      "../../outside/deep",
      "/",
      "/a",
      "../outside/secret",
      "a/b",
    );
    const entry = fc.oneof(
      name.map((n) => file(n, "evil", { mode: 0o777 })),
      name.map((n) => directory(n, { mode: 0o700 })),
      fc.tuple(name, target).map(([n, t]) => symlink(n, t)),
      fc.tuple(name, target).map(([n, t]) => hardLink(n, t)),
      name.map((n) => whiteout(n)),
      name.map((n) => opaque(n)),
      name.map((n) => fifo(n)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(entry, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        async (layers) => {
          using place = scratch();
          const guard = victim(place.dir);
          await apply(path.join(place.dir, "root"), ...layers).catch(mustBeOurs);
          guard.check();
          await unpack(path.join(place.dir, "layers"), ...layers).catch(mustBeOurs);
          guard.check();
        },
      ),
      { numRuns: 120 },
    );
  });
});

function mustBeOurs(error: unknown): void {
  if (!isEngineError(error)) throw error;
}

describe("laws of applying layers", { skip: rootOnly }, () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const place_ = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const mode = fc.constantFrom(0o644, 0o755, 0o4755, 0o600, 0o444);
  const entry = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(place_, mode, fc.string({ maxLength: 5 }))
        .map(([n, m, c]) => file(n, c, { mode: m, mtimeSeconds: 1000 })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(place_, fc.constantFrom(0o755, 0o700, 0o1777))
        .map(([n, m]) => directory(n, { mode: m, mtimeSeconds: 2000 })),
    },
    { weight: 1, arbitrary: fc.tuple(place_, place_).map(([n, t]) => symlink(n, t, { mtimeSeconds: 3000 })) },
    { weight: 2, arbitrary: place_.map((n) => whiteout(n)) },
    { weight: 1, arbitrary: place_.map((n) => opaque(n)) },
  );

  test("layers under overlayfs are the tree that applying them one on the other gives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(entry, { maxLength: 8 }), { minLength: 1, maxLength: 3 }), async (layers) => {
        using place = scratch();
        const merged = path.join(place.dir, "root");
        let outcome: unknown;
        await apply(merged, ...layers).catch((error) => (outcome = error));
        let other: unknown;
        const lowerDirs = await unpack(path.join(place.dir, "layers"), ...layers).catch((error) => {
          other = error;
          return [];
        });
        assert.equal(
          (other as Error | undefined)?.message?.replaceAll(/layer\d|layers/g, ""),
          (outcome as Error | undefined)?.message?.replaceAll("root", "").replaceAll(/layer\d|layers/g, "") ??
            undefined,
        );
        if (outcome !== undefined) return;
        const expected = treeText(merged);
        assert.equal(overlayText(place.dir, lowerDirs), expected);
        assert.equal(
          stackText(lowerDirs),
          expected
            .split("\n")
            .filter(Boolean)
            .map((line) => line.split(" ")[0])
            .join("\n"),
        );
      }),
      { numRuns: 150 },
    );
  });
});

/** What our own view of a stack of layers shows. */
function stackText(lowerDirs: readonly string[]): string {
  const stack = new LowerStack(lowerDirs);
  const paths: string[] = [];
  const visit = (at: ByteString): void => {
    for (const name of stack.list(at)) {
      const child = (at === "" ? name : `${at}/${name}`) as ByteString;
      paths.push(child);
      if (stack.lookup(child)?.kind === "directory") visit(child);
    }
  };
  visit("" as ByteString);
  return paths.join("\n");
}

test("a root that others prepared keeps its own mode", async () => {
  using place = scratch();
  const root = path.join(place.dir, "root");
  mkdirSync(root);
  chmodSync(root, 0o711);
  symlinkSync("nowhere", path.join(root, "left"));
  await apply(root, [file("x", "1")]);
  assert.equal(statSync(root).mode & 0o7777, 0o711);
  assert.equal(bytesOfText("left"), "left");
});
