import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { silentReporter } from "../../engine/build/stepOutcome.ts";
import { openEngine } from "../../engine/engine.ts";
import { skipUnless, skipWithoutProgram } from "../support/requirement.ts";
import { treeLines } from "./treeOf.ts";

/** The same Dockerfile, built here and by buildah, must give the same file tree and an equivalent configuration. */
const skip =
  skipWithoutProgram("buildah") ||
  skipWithoutProgram("umoci") ||
  skipUnless(process.geteuid?.() === 0, "unpacking with owners takes root");

describe("buildah", { skip }, () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-buildah-"));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const contextDir = path.join(dir, "context");
  makeContext(contextDir);

  const cases: Readonly<Record<string, string>> = {
    "a whole context": "FROM scratch\nCOPY . /\n",
    "a file under a new name, into new directories":
      "FROM scratch\nCOPY plain.txt /a/b/renamed.txt\nCOPY plain.txt /c/d/\n",
    "a directory's contents": "FROM scratch\nCOPY charts /charts\nCOPY charts/ other/\n",
    "several sources": "FROM scratch\nCOPY plain.txt script.sh charts /into/\n",
    wildcards:
      "FROM scratch\nCOPY *.txt /texts/\nCOPY charts/*/values.yaml /values/\nCOPY manifests/?.yaml /one/\nCOPY manifests/[a-b].yaml /class/\n",
    "onto what is there": "FROM scratch\nCOPY charts /app\nCOPY plain.txt /app\nCOPY manifests /app/redis\n",
    "owners and modes":
      "FROM scratch\nCOPY --chown=7:8 charts /owned\nCOPY --chown=9 plain.txt /owned/single\nCOPY --chmod=0640 script.sh /moded\n",
    "a source that is a link":
      "FROM scratch\nCOPY link-to-file /followed\nCOPY link-to-dir /dir\nCOPY link-to-dir/redis /deep\n",
    "working directories":
      "FROM scratch\nWORKDIR /srv/app\nCOPY plain.txt .\nCOPY charts ./charts\nWORKDIR sub\nCOPY plain.txt ./\n",
    metadata:
      'FROM scratch\nARG WHO=world\nENV GREETING="hello $WHO" PLAIN=1\nENV OLD form of env\nENV PATH=/bin:$PATH\nLABEL a=b "with space"="x y" multi="one two"\nUSER 12:34\nEXPOSE 80 53/udp\nVOLUME /data /logs\nSTOPSIGNAL SIGINT\nENTRYPOINT ["/bin/app"]\nCMD ["--flag", "$PLAIN"]\n',
    "shell forms": "FROM scratch\nENTRYPOINT exec top -b\n",
    "build arguments in sources":
      "FROM scratch\nARG CHART=redis\nENV INTO=/placed\nCOPY charts/${CHART} ${INTO}/$CHART\n",
    stages:
      "FROM scratch AS one\nCOPY --chown=5:6 charts /out\nFROM scratch AS two\nCOPY manifests /m\nFROM one\nCOPY --from=two /m /from-two\nCOPY --from=one /out/redis/values.yaml /v.yaml\nCOPY --from=0 /out /all\n",
    archives: "FROM scratch\nADD archive.tar.gz /unpacked/\nADD archive.tar /plain\nADD plain.txt /not-an-archive\n",
    "JSON form": 'FROM scratch\nCOPY ["plain.txt", "with space.txt", "/json dir/"]\n',
    "continuations and comments": "FROM scratch\n# comment\nCOPY plain.txt \\\n  # inside\n  script.sh \\\n\n  /x/\n",
  };

  for (const [title, dockerfile] of Object.entries(cases)) {
    test(`agrees on ${title}`, async () => {
      const name = title.replace(/\W+/g, "-").toLowerCase();
      const file = path.join(dir, `${name}.Dockerfile`);
      writeFileSync(file, dockerfile);
      const ours = await buildHere(file, name);
      const theirs = buildThere(file, name);
      assert.deepEqual(ours.tree.map(withoutSetuid), theirs.tree.map(withoutSetuid));
      assert.deepEqual(ours.config, theirs.config);
    });
  }

  async function buildHere(file: string, name: string): Promise<Built> {
    await using engine = openEngine({ storeDir: path.join(dir, "store"), fetch, now: Date.now, log: () => undefined });
    const follower = { ...silentReporter, planned: () => undefined, containerImages: () => undefined };
    const { signal } = new AbortController();
    await engine.build({ buildId: name, contextDir, kubefile: file, tags: [`${name}:1`] }, follower, signal);
    const layout = path.join(dir, `${name}-ours`);
    await engine.save({ reference: `${name}:1`, path: layout, format: "oci-dir" }, signal);
    return unpack(layout, "1", path.join(dir, `${name}-ours-tree`));
  }

  function buildThere(file: string, name: string): Built {
    const global = [
      "--root",
      path.join(dir, "b-root"),
      "--runroot",
      path.join(dir, "b-run"),
      "--storage-driver",
      "vfs",
    ];
    const options = ["--isolation", "chroot", "--layers=false", "-q", "-t", `${name}:1`, "-f", file, contextDir];
    execFileSync("buildah", [...global, "bud", ...options], { stdio: ["ignore", "ignore", "inherit"] });
    const layout = path.join(dir, `${name}-theirs`);
    execFileSync("buildah", [...global, "push", "-q", `${name}:1`, `oci:${layout}:1`], { stdio: "ignore" });
    return unpack(layout, "1", path.join(dir, `${name}-theirs-tree`));
  }
});

/** buildah 1.28 loses setuid and setgid of files it copies; here they are kept, which `reproducible.test.ts` looks at. */
function withoutSetuid(line: string): string {
  return line.replace(/ [246]([0-7]{3} )/, " $1");
}

interface Built {
  readonly tree: readonly string[];
  readonly config: unknown;
}

function unpack(layout: string, tag: string, into: string): Built {
  execFileSync("umoci", ["unpack", "--image", `${layout}:${tag}`, into], { stdio: "ignore" });
  const read = (digest: string): Record<string, unknown> =>
    JSON.parse(readFileSync(path.join(layout, "blobs", digest.replace(":", "/")), "utf8")) as Record<string, unknown>;
  const index = JSON.parse(readFileSync(path.join(layout, "index.json"), "utf8")) as {
    manifests: { digest: string }[];
  };
  const manifest = read(index.manifests[0]?.digest ?? "") as { config: { digest: string } };
  const { config } = read(manifest.config.digest) as { config: Record<string, unknown> };
  return { tree: treeLines(path.join(into, "rootfs")), config: comparable(config) };
}

/** What each builder says of itself alone is left out, and what one leaves out where the other writes an empty value. */
function comparable(config: Record<string, unknown>): Record<string, unknown> {
  const { Labels, ...rest } = config;
  const { "io.buildah.version": _version, ...labels } = (Labels ?? {}) as Record<string, unknown>;
  const kept = Object.entries({ ...rest, Labels: labels }).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  return (
    value === "" || value === null || value === "/" || (typeof value === "object" && Object.keys(value).length === 0)
  );
}

function makeContext(root: string): void {
  const write = (name: string, content: string, mode = 0o644): void => {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
  };
  write("plain.txt", "plain\n");
  write("second.txt", "second\n", 0o600);
  write("with space.txt", "space\n");
  write("script.sh", "#!/bin/sh\n", 0o755);
  write("charts/redis/values.yaml", "a: 1\n");
  write("charts/redis/templates/x.yaml", "kind: X\n");
  write("charts/mysql/values.yaml", "b: 2\n");
  write("manifests/a.yaml", "a\n");
  write("manifests/b.yaml", "b\n");
  write("manifests/cc.yaml", "c\n");
  write("setuid", "x", 0o4755);
  write("deep/er/est/file", "deep\n");
  write(".dockerignore", "ignored/**\n!ignored/but-not-this\n*.log\n");
  write("ignored/file", "no\n");
  write("ignored/but-not-this", "yes\n");
  write("build.log", "no\n");
  mkdirSync(path.join(root, "empty"));
  chmodSync(path.join(root, "deep"), 0o750);
  chmodSync(path.join(root, "charts"), 0o700);
  symlinkSync("plain.txt", path.join(root, "link-to-file"));
  symlinkSync("charts", path.join(root, "link-to-dir"));
  symlinkSync("/absolute/target", path.join(root, "dangling"));
  symlinkSync("../../outside", path.join(root, "deep", "upwards"));
  linkSync(path.join(root, "plain.txt"), path.join(root, "hard-link"));
  const tar = (name: string, flag: string): void => {
    execFileSync("tar", [
      flag,
      path.join(root, name),
      "--owner=3",
      "--group=4",
      "--numeric-owner",
      "-C",
      root,
      "charts",
      "link-to-file",
      "plain.txt",
      "hard-link",
    ]);
  };
  tar("archive.tar.gz", "-czf");
  tar("archive.tar", "-cf");
}
