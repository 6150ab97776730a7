import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { openStore } from "../../engine/store/store.ts";
import { tagClusterImage, tagIndex } from "../engine/archive/support.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir } from "../support/temporary.ts";

const cli = path.resolve(import.meta.dirname, "../../engine/cli.ts");
const app = "localhost/app:1";
const skip =
  ["skopeo", "umoci", "podman"].map((program) => skipWithoutProgram(program)).find((reason) => reason !== false) ??
  false;

/** A folder with a store that has an image of one platform and one of two. */
async function place() {
  const dir = await temporaryDir("archive-commands");
  const at = (name: string): string => path.join(dir.path, name);
  {
    await using store = openStore({ dir: at("store"), now: Date.now });
    await tagClusterImage(store, app);
    await tagIndex(store, "localhost/list:1");
  }
  const run = (store: string, ...args: string[]) =>
    spawnSync(process.execPath, [cli, ...args], {
      cwd: dir.path,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: dir.path, KUBEFILE_STORE: at(store) },
    });
  return {
    at,
    /** Runs the command line on the first store. */
    kubefile: (...args: string[]) => run("store", ...args),
    /** On an empty store on the other side. */
    there: (...args: string[]) => run("other", ...args),
    peer: (program: string, ...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync(program, args, { cwd: dir.path, encoding: "utf8" });
      assert.equal(status, 0, `${program} ${args.join(" ")}: ${stderr}`);
      return stdout;
    },
    podman: ["--root", at("storage"), "--runroot", at("run"), "--storage-driver", "vfs"],
    [Symbol.asyncDispose]: async () => {
      spawnSync("podman", ["--root", at("storage"), "--runroot", at("run"), "--storage-driver", "vfs", "rmi", "-af"]);
      await dir[Symbol.asyncDispose]();
    },
  };
}

suite("kubefile save and load", { skip }, () => {
  for (const format of ["oci-archive", "docker-archive"] as const) {
    for (const compress of ["none", "gzip", "zstd"] as const) {
      for (const output of ["out.tar", "out.tar.zst"] as const) {
        test(`${output} as ${format} with layers ${compress}: skopeo and podman read it, and our load`, async () => {
          await using p = await place();
          const saved = p.kubefile("save", "--format", format, "--compress", compress, "-o", output, app);
          assert.equal(saved.status, 0, saved.stderr);
          if (format === "docker-archive")
            assert.match(saved.stderr, /warning: .*no place for what makes it a cluster/);
          p.peer("skopeo", "copy", "-q", `${format}:${output}`, "dir:copied");
          // podman 4 reads a compressed archive only when it is told the transport.
          p.peer("podman", ...p.podman, "pull", "-q", `${format}:${output}`);
          const loaded = p.there("load", "--quiet", "-i", output);
          assert.equal(loaded.stdout, `${app}\n`, loaded.stderr);
          assert.equal(p.there("verify").status, 0);
        });
      }
    }
  }

  test("podman load takes our plain archives under their names", async () => {
    await using p = await place();
    p.kubefile("save", "--compress", "gzip", "-o", "out.tar", app);
    assert.match(p.peer("podman", ...p.podman, "load", "-i", "out.tar"), /localhost\/app:1/);
  });

  for (const compress of ["none", "gzip"] as const) {
    test(`umoci unpacks our oci-dir with layers ${compress}`, async () => {
      await using p = await place();
      assert.equal(p.kubefile("save", "--format", "oci-dir", "--compress", compress, "-o", "out", app).status, 0);
      p.peer("umoci", "unpack", "--rootless", "--image", "out:1", "bundle");
      const file = p.at("bundle/rootfs/application/apps/shop/shop.yaml");
      assert.equal(readFileSync(file, "utf8"), "kind: Pod\n");
      assert.match(p.there("load", p.at("out")).stdout, /^localhost\/app:1 {2}sha256:/);
    });
  }

  test("several images in one archive, one platform of each, in parts that GNU split would have made", async () => {
    await using p = await place();
    const platform = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
    const args = ["--json", "--platform", platform, "--split", "4KiB", "-o", "all.tar", app, "localhost/list:1"];
    const saved = p.kubefile("save", ...args);
    const { paths, images } = JSON.parse(saved.stdout) as { paths: string[]; images: unknown[] };
    assert.equal(images.length, 2);
    p.peer("sh", "-c", "cat all.tar.[0-9]* > joined.tar && split -b 4096 -d -a 3 --numeric-suffixes=1 joined.tar gnu.");
    for (const name of readdirSync(p.at(".")).filter((each) => each.startsWith("gnu."))) {
      assert.ok(readFileSync(p.at(name)).equals(readFileSync(p.at(name.replace("gnu", "all.tar")))), name);
    }
    p.peer("skopeo", "inspect", "oci-archive:joined.tar:localhost/app:1");
    const loaded = JSON.parse(p.there("load", "--json", paths[1] ?? "").stdout) as {
      images: { references: string[] }[];
    };
    assert.deepEqual(
      loaded.images.flatMap(({ references }) => references),
      [app, "localhost/list:1"],
    );
  });

  test("an inventory goes one way, a delta comes back, and a delta too early says what is missing", async () => {
    await using p = await place();
    assert.equal(p.there("inventory", "-o", "there.txt").status, 0);
    p.kubefile("save", "-o", "full.tar", app);
    assert.equal(p.there("load", "full.tar").status, 0);
    const told = p.there("inventory", "-o", "there.txt");
    assert.match(told.stdout, /^there\.txt: 4 digests$/m);
    p.kubefile("tag", app, "localhost/app:2");
    const saved = p.kubefile("save", "--since", "there.txt", "-o", "delta.tar", "localhost/app:2");
    assert.match(saved.stdout, /left out: 2 blobs/);
    assert.match(p.there("load", "delta.tar").stdout, /localhost\/app:2/);
    const early = spawnSync(process.execPath, [cli, "load", "--store", p.at("third"), p.at("delta.tar")], {
      encoding: "utf8",
    });
    assert.equal(early.status, 1);
    assert.match(
      early.stderr,
      /2 blobs it builds on .*:\n {2}sha256:[0-9a-f]{64}\n {2}sha256:[0-9a-f]{64}\n.*\[ARCHIVE_NEEDS_MORE\]/,
    );
  });

  test("wrong words are told with the command's name", async () => {
    await using p = await place();
    for (const args of [
      ["save", app],
      ["save", "-o", "x", "--format", "zip", app],
      ["save", "-o", "x", "--compress", "lzma", app],
      ["save", "-o", "x", "--split", "many", app],
      ["load"],
      ["load", "a", "-i", "b"],
    ]) {
      const { status, stderr } = p.kubefile(...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, new RegExp(`See: kubefile ${args[0]} --help`));
    }
    assert.equal(p.there("load", "nothing.tar").status, 1);
  });
});
