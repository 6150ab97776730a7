import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { adoptRun, materialise, pruneRootfs } from "../../engine/build/rootfs.ts";
import type { LayerSource } from "../../engine/build/sandboxSpec.ts";
import { fsPath } from "../../engine/byteString.ts";
import { applyLayer } from "../../engine/layer/apply.ts";
import type { LayerEntry } from "../../engine/layer/layerEntry.ts";
import { packTar, type TarItem } from "../../engine/tar/write.ts";
import { bench, busyboxLayer, layerOfTar, scratch, skipWithoutSandbox } from "../engine/build/sandboxFixture.ts";
import { isRoot, treeText } from "../engine/layer/layerFixture.ts";
import { skipUnless, skipWithoutProgram } from "../support/requirement.ts";

const signal = new AbortController().signal;
const quiet: { readonly stdio: ("ignore" | "pipe")[] } = { stdio: ["ignore", "ignore", "pipe"] };

/** Writes entries as a layer file. */
async function pack(entries: readonly LayerEntry[], file: string): Promise<LayerSource> {
  const items = entries.map(
    ({ content, ...entry }): TarItem =>
      content.from === "file" ? { entry, content: createReadStream(fsPath(content.path)) } : { entry },
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of packTar(items)) chunks.push(chunk);
  writeFileSync(file, Buffer.concat(chunks));
  return layerOfTar(file);
}

const commands: Readonly<Record<string, readonly string[]>> = {
  "new, changed and deleted files": ["echo new > /data/new; echo changed > /data/one; rm /data/two; rm -rf /data/deep"],
  "modes, links and owners": [
    "chmod 4755 /bin/busybox; chmod 700 /data; ln /data/one /data/hard; ln -s one /data/soft; chown 12:34 /data/three; mkfifo -m 600 /pipe",
  ],
  "a directory deleted and made again": ["rm -rf /data; mkdir -m 750 /data; echo only > /data/only"],
  "a directory made again in a later step": ["rm -rf /data", "mkdir /data; echo x > /data/two"],
  "renames of files and directories": ["mv /data /moved; mv /moved/deep /deep; mv /etc/group /etc/group-"],
  "kinds that change": [
    "rm -rf /data/deep; echo file > /data/deep; rm /data/one; mkdir /data/one; rm /data/two; ln -s /etc /data/two",
  ],
  "a directory replaced over two steps, with what was in it": [
    "rm -rf /data && mkdir /data && echo a > /data/a",
    "rm -rf /data && mkdir /data && echo b > /data/b",
    "touch /data/c; rm /data/b",
  ],
  "the environment, the user and the place a command has": [
    "id -u > /tmp/id; id -g >> /tmp/id; pwd >> /tmp/id; echo $HOME $PATH >> /tmp/id; umask >> /tmp/id",
  ],
  nothing: ["true"],
};

describe("RUN beside buildah", {
  skip:
    skipWithoutSandbox() ||
    skipUnless(isRoot, "this needs root") ||
    skipWithoutProgram("buildah") ||
    skipWithoutProgram("umoci"),
}, () => {
  for (const [what, steps] of Object.entries(commands)) {
    test(`${what}: the same tree`, async () => {
      using place = scratch();
      const at = (name: string): string => path.join(place.dir, name);
      const base = busyboxLayer(place.dir);

      const layers = [base];
      for (const [index, text] of steps.entries()) {
        const box = await bench(place.dir, layers);
        try {
          const { run } = await box.run(text);
          await using _run = run;
          assert.equal(run.method, "overlay");
          layers.push(await pack(await run.changes(), at(`step${index}.tar`)));
        } finally {
          await box[Symbol.asyncDispose]();
        }
      }
      for (const layer of layers) await applyLayer(layer.open(signal), { root: at("ours"), setOwners: true, signal });

      mkdirSync(at("context"));
      writeFileSync(
        at("context/Dockerfile"),
        `FROM scratch\nADD busybox.tar /\n${steps.map((text) => `RUN ${text}\n`).join("")}`,
      );
      execFileSync("cp", [at("busybox.tar"), at("context")]);
      const storage = ["--root", at("storage"), "--runroot", at("run"), "--storage-driver", "overlay"];
      execFileSync(
        "buildah",
        [...storage, "bud", "--isolation", "chroot", "--layers", "-t", "t:1", at("context")],
        quiet,
      );
      execFileSync("buildah", [...storage, "push", "t:1", `oci:${at("oci")}:t`], quiet);
      execFileSync("umoci", ["unpack", "--image", `${at("oci")}:t`, at("theirs")], quiet);

      assert.equal(
        withoutMountPoints(treeText(at("ours"), { times: false })),
        withoutMountPoints(treeText(path.join(at("theirs"), "rootfs"), { times: false })),
      );

      // And umoci makes the same of our layers as we do.
      execFileSync("umoci", ["init", "--layout", at("mine")], quiet);
      execFileSync("umoci", ["new", "--image", `${at("mine")}:t`], quiet);
      for (const name of ["busybox.tar", ...steps.keys().map((index) => `step${index}.tar`)]) {
        execFileSync("umoci", ["raw", "add-layer", "--image", `${at("mine")}:t`, at(name)], quiet);
      }
      execFileSync("umoci", ["unpack", "--image", `${at("mine")}:t`, at("again")], quiet);
      assert.equal(treeText(path.join(at("again"), "rootfs")), treeText(at("ours")));
      execFileSync("buildah", [...storage, "rmi", "--all", "--force"], quiet);
    });
  }
});

/** buildah leaves the places it mounted on in the layer; ours leave none. */
function withoutMountPoints(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^(?:dev|proc|sys|run|run\/.*|etc\/hosts|etc\/hostname|etc\/resolv\.conf) /.test(line))
    .join("\n");
}

describe("where overlayfs is refused", { skip: skipWithoutSandbox() || skipUnless(isRoot, "this needs root") }, () => {
  for (const [what, steps] of Object.entries(commands)) {
    const [text] = steps as readonly [string];
    test(`a plain copy gives the same layer: ${what}`, async () => {
      using place = scratch();
      // No overlayfs can have its upper directory on another overlayfs.
      const refusing = path.join(place.dir, "refusing");
      for (const name of ["refusing", "l", "u", "w"]) mkdirSync(path.join(place.dir, name));
      const mounted = spawnSync(
        "mount",
        ["-t", "overlay", "-o", "lowerdir=l,upperdir=u,workdir=w", "overlay", "refusing"],
        { cwd: place.dir },
      );
      assert.equal(mounted.status, 0, mounted.stderr.toString());
      const shown = (entries: readonly LayerEntry[]): readonly string[] =>
        entries.map((e) => `${e.kind} ${e.path} ${e.mode.toString(8)} ${e.uid}:${e.gid} ${e.size} ${e.linkTarget}`);
      try {
        const layer = busyboxLayer(place.dir);
        const both: (readonly string[])[] = [];
        for (const dir of [refusing, place.dir]) {
          const box = await bench(dir, [layer]);
          const { run } = await box.run(text, {
            mounts: [
              { kind: "secret", target: "/run/secrets/x", value: Buffer.from("x"), mode: 0o400, uid: 0, gid: 0 },
            ],
          });
          assert.equal(run.method, dir === refusing ? "copy" : "overlay");
          both.push(shown(await run.changes()));
          await run[Symbol.asyncDispose]();
          await box[Symbol.asyncDispose]();
        }
        assert.deepEqual(both[0], both[1]);
      } finally {
        execFileSync("umount", [refusing]);
      }
    });
  }
});

describe("a chain of runs", { skip: skipWithoutSandbox() }, () => {
  test("a run taken over as an unpacked layer is what its layer unpacks to", {
    skip: skipUnless(isRoot, "this needs root"),
  }, async () => {
    using place = scratch();
    const dir = path.join(place.dir, "rootfs");
    const layers: LayerSource[] = [busyboxLayer(place.dir)];
    const steps = commands["a directory replaced over two steps, with what was in it"] as readonly string[];
    for (const [index, text] of steps.entries()) {
      const box = await bench(place.dir, layers);
      try {
        const { run } = await box.run(text);
        await using _run = run;
        const layer = await pack(await run.changes(), path.join(place.dir, `${index}.tar`));
        await adoptRun(run, box.rootfs, layer, { dir, signal });
        const opened = { ...layer, open: () => assert.fail("a layer that was taken over is unpacked again") };
        layers.push(opened);
      } finally {
        await box[Symbol.asyncDispose]();
      }
    }
    await using adopted = await materialise(layers, { dir, signal });
    const unpackedDir = path.join(place.dir, "unpacked");
    const again = [
      layers[0] as LayerSource,
      ...steps.keys().map((index) => layerOfTar(path.join(place.dir, `${index}.tar`))),
    ];
    await using unpacked = await materialise(again, { dir: unpackedDir, signal });
    for (const [index, lower] of adopted.lowerDirs.entries()) {
      // Of a deletion only that it is there counts.
      const shown = (dir_: string): string => treeText(dir_).replaceAll(/\d+ 0:0 \d+ char 0:0$/gm, "deleted");
      assert.equal(shown(lower), shown(unpacked.lowerDirs[index] as string), `layer ${index} from the top`);
    }
  });

  test("unpacked layers are shared by chains, kept while they are used, and pruned after", async () => {
    using place = scratch();
    const dir = path.join(place.dir, "rootfs");
    const base = busyboxLayer(place.dir);
    let opened = 0;
    const open: LayerSource["open"] = (aborted) => {
      opened += 1;
      return base.open(aborted);
    };
    const counted = { ...base, open };
    const [one, two] = await Promise.all([
      materialise([counted], { dir, signal }),
      materialise([counted], { dir, signal }),
    ]);
    assert.equal(opened, 1);
    assert.deepEqual(one.lowerDirs, two.lowerDirs);
    const everything = { dir, signal, unusedSinceMs: Number.POSITIVE_INFINITY, maxBytes: 0 };
    assert.equal(await pruneRootfs(everything), 0);
    await one[Symbol.asyncDispose]();
    assert.equal(await pruneRootfs(everything), 0);
    assert.ok(existsSync(path.join(one.lowerDirs[0] as string, "bin/busybox")));
    await two[Symbol.asyncDispose]();
    assert.equal(await pruneRootfs(everything), base.sizeBytes);
    assert.ok(!existsSync(one.lowerDirs[0] as string));
  });

  test("a layer that cannot be unpacked leaves nothing", async () => {
    using place = scratch();
    const dir = path.join(place.dir, "rootfs");
    const broken: LayerSource = { ...busyboxLayer(place.dir), open: () => createReadStream("/bin/busybox") };
    await assert.rejects(materialise([broken], { dir, signal }));
    const [root] = readdirSync(dir);
    assert.deepEqual(readdirSync(path.join(dir, root as string, "layers")), []);
    assert.deepEqual(readdirSync(path.join(dir, root as string, "tmp")), []);
  });

  test("layers go to memory while they fit, then to disk", {
    skip: skipUnless(existsSync("/dev/shm"), "/dev/shm is not there"),
  }, async () => {
    using place = scratch();
    const memoryDir = `/dev/shm/kubefile-test-${process.pid}`;
    mkdirSync(memoryDir, { mode: 0o700 });
    try {
      const base = busyboxLayer(place.dir);
      const dir = path.join(place.dir, "rootfs");
      await using tight = await materialise([base], {
        dir,
        memory: { dir: memoryDir, budgetBytes: base.sizeBytes },
        signal,
      });
      assert.ok(tight.lowerDirs[0]?.startsWith(dir));
      const other = path.join(place.dir, "other");
      await using roomy = await materialise([base], {
        dir: other,
        memory: { dir: memoryDir, budgetBytes: base.sizeBytes * 4 },
        signal,
      });
      assert.ok(roomy.lowerDirs[0]?.startsWith(memoryDir));
    } finally {
      execFileSync("rm", ["-rf", memoryDir]);
    }
  });
});

const killedEngine = `
import { bench, scratch } from "${path.resolve(import.meta.dirname, "../engine/build/sandboxFixture.ts")}";
const box = await bench(process.argv[1]);
await box.run("(setsid nohup sleep 98771 >/dev/null 2>&1 &); echo up; sleep 98771", { user: process.argv[2], onLine: (_, line) => console.log(line) });
`;

describe("an engine that is killed", { skip: skipWithoutSandbox() }, () => {
  const running = (): boolean =>
    readdirSync("/proc").some((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes("98771");
      } catch {
        return false;
      }
    });
  const until = async (check: () => boolean): Promise<boolean> => {
    for (let tries = 0; tries < 200 && !check(); tries++) await sleep(25);
    return check();
  };

  for (const user of isRoot ? ["", "app"] : [""]) {
    test(`takes its sandbox along${user === "" ? "" : ", or the next run does when the command had another user"}`, async () => {
      using place = scratch();
      const child = spawn(process.execPath, ["--input-type=module", "-e", killedEngine, place.dir, user], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
      assert.ok(await until(running));
      await sleep(50);
      child.kill("SIGKILL");
      if (user !== "") {
        await sleep(100);
        const box = await bench(place.dir, [layerOfTar(path.join(place.dir, "busybox.tar"))]);
        const { run } = await box.run("true");
        await run[Symbol.asyncDispose]();
        await box[Symbol.asyncDispose]();
        assert.deepEqual(readdirSync(box.rootfs.runsDir), []);
      }
      assert.ok(await until(() => !running()), "a command outlived its engine");
    });
  }
});

describe("RUN without root", {
  skip:
    skipWithoutSandbox() ||
    skipUnless(isRoot, "this drops root's rights") ||
    skipWithoutProgram("setpriv", "util-linux"),
}, () => {
  test("the suites of the sandbox and of layers hold for an ordinary user", () => {
    using place = scratch();
    execFileSync("chown", ["65534:65534", place.dir]);
    // The checkout may lie where only root may go, so the user sees it at a place of its own.
    const checkout = path.resolve(import.meta.dirname, "../..");
    const root = path.join(place.dir, "checkout");
    mkdirSync(root);
    const seen = (file: string): string => (file.startsWith(checkout) ? root + file.slice(checkout.length) : file);
    const files = ["test/engine/build/sandbox.test.ts", "test/engine/layer/apply.test.ts"].map((file) =>
      path.join(root, file),
    );
    const environment = { PATH: process.env["PATH"], TMPDIR: place.dir };
    const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    const allowed = spawnSync("setpriv", [...user, "unshare", "-Ur", "true"]);
    assert.equal(allowed.status, 0, "user namespaces are not allowed for ordinary users here");
    const script = 'mount --bind "$1" "$2" && shift 2 && exec setpriv "$@"';
    const command = [...user, seen(process.execPath), "--test", ...files];
    const result = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", checkout, root, ...command], {
      cwd: place.dir,
      env: environment,
      maxBuffer: 1 << 26,
    });
    assert.equal(result.status, 0, result.stdout.toString().slice(-4000));
    assert.match(result.stdout.toString(), /pass [1-9]\d/);
  });
});
