import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, createReadStream, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { applyLayer } from "../../engine/layer/apply.ts";
import { isRoot, scratch, treeText } from "../engine/layer/layerFixture.ts";
import { skipUnless, skipWithoutProgram } from "../support/requirement.ts";
import { applyImage, oddTree } from "./layerFixtures.ts";

const signal = new AbortController().signal;
const needsRoot = skipUnless(isRoot, "this needs root");

describe("layers by GNU tar", { skip: skipWithoutProgram("tar") }, () => {
  const forms = [
    ["--format=gnu"],
    ["--format=posix"],
    ["--format=gnu", "--sparse"],
    ["--format=posix", "--sparse", "--sparse-version=1.0"],
    ["--format=posix", "--sparse", "--sparse-version=0.1"],
    ["--format=posix", "--sparse", "--sparse-version=0.0"],
  ];
  for (const form of forms) {
    test(`unpack as GNU tar unpacks them: ${form.join(" ")}`, async () => {
      using place = scratch();
      const [source, theirs, ours] = ["source", "theirs", "ours"].map((name) => path.join(place.dir, name)) as [
        string,
        string,
        string,
      ];
      mkdirSync(source);
      mkdirSync(theirs);
      oddTree(source);
      const archive = path.join(place.dir, "layer.tar");
      execFileSync("tar", [...form, "--sort=name", "--xattrs", "-C", source, "-cf", archive, "."]);
      execFileSync("tar", ["-C", theirs, "-xpf", archive]);
      await applyLayer(createReadStream(archive), { root: ours, setOwners: isRoot, signal });
      assert.equal(treeText(ours), treeText(theirs));
      assert.equal(treeText(ours), treeText(source));
    });
  }
});

describe("images by umoci", { skip: needsRoot || skipWithoutProgram("umoci") }, () => {
  test("layers with deletions, replaced directories and odd files unpack as umoci unpacks them", async () => {
    using place = scratch();
    const at = (name: string): string => path.join(place.dir, name);
    const umoci = (...args: readonly string[]): void => {
      execFileSync("umoci", args, { stdio: ["ignore", "ignore", "pipe"] });
    };
    umoci("init", "--layout", at("oci"));
    umoci("new", "--image", `${at("oci")}:t`);
    const changes: readonly ((root: string) => void)[] = [
      (root) => oddTree(root),
      (root) => {
        rmSync(path.join(root, "d/deep"), { recursive: true });
        rmSync(path.join(root, "setuid"));
        writeFileSync(path.join(root, "d/file"), "changed\n");
        chmodSync(path.join(root, "closed"), 0o700);
        renameSync(path.join(root, "holes"), path.join(root, "d/moved"));
      },
      (root) => {
        rmSync(path.join(root, "d"), { recursive: true });
        mkdirSync(path.join(root, "d"));
        writeFileSync(path.join(root, "d/only"), "");
        mkdirSync(path.join(root, "setuid"));
        writeFileSync(path.join(root, "setuid/now-a-directory"), "");
      },
    ];
    for (const [step, change] of changes.entries()) {
      umoci("unpack", "--image", `${at("oci")}:t`, at(`bundle${step}`));
      change(path.join(at(`bundle${step}`), "rootfs"));
      umoci("repack", "--image", `${at("oci")}:t`, at(`bundle${step}`));
    }
    umoci("unpack", "--image", `${at("oci")}:t`, at("theirs"));
    await applyImage(at("oci"), "t", at("ours"));
    assert.equal(treeText(at("ours")), treeText(path.join(at("theirs"), "rootfs")));
  });
});

describe("images by buildah", {
  skip: needsRoot || skipWithoutProgram("buildah") || skipWithoutProgram("umoci"),
}, () => {
  test("its layers unpack as umoci unpacks them", async () => {
    using place = scratch();
    const at = (name: string): string => path.join(place.dir, name);
    mkdirSync(at("context/tree"), { recursive: true });
    oddTree(at("context/tree"));
    writeFileSync(
      at("context/Dockerfile"),
      "FROM scratch\nCOPY tree /\nCOPY tree/d /again/\nCOPY tree/setuid /d/file\n",
    );
    const storage = ["--root", at("storage"), "--runroot", at("run"), "--storage-driver", "vfs"];
    execFileSync("buildah", [...storage, "bud", "--isolation", "chroot", "--layers", "-t", "t:1", at("context")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    execFileSync("buildah", [...storage, "push", "t:1", `oci:${at("oci")}:t`], { stdio: ["ignore", "ignore", "pipe"] });
    execFileSync("umoci", ["unpack", "--image", `${at("oci")}:t`, at("theirs")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    await applyImage(at("oci"), "t", at("ours"));
    assert.equal(treeText(at("ours")), treeText(path.join(at("theirs"), "rootfs")));
  });
});
