import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { annotationKeys } from "../../../engine/oci/clusterImage.ts";
import type { PlatformImageDetails } from "../../../engine/protocol.ts";
import { Bench } from "./fixture.ts";

function image(bench: Bench, index = 0): PlatformImageDetails {
  const found = bench.engine.inspect("test:1").images[index];
  assert.ok(found !== undefined);
  return found;
}

test("applications are recorded with type, files, environment and commands, in the order of their names", async () => {
  await using bench = new Bench();
  bench.write({
    "web/b.yaml": "b",
    "web/a/a.yml": "a",
    "chart/Chart.yaml": "c",
    "chart/values.yaml": "v",
    "chart/templates/t.yaml": "t",
    "tool/run.sh": "r",
    "mixed/x.yaml": "x",
    "mixed/readme.md": "m",
  });
  await bench.build(
    [
      "FROM scratch",
      "APP web local://web",
      "CNI net local://tool/run.sh",
      "CSI disk local://chart",
      "APP mixed local://mixed",
      'APPCMDS mixed ["sh", "-c", "kubectl apply -f x.yaml"]',
      "APPENV web A=1 B=2",
      "APPENV web A=3",
      "KUBEVERSION >=1.24, <1.30",
      "ENV Region=eu",
      'LAUNCH ["web", "mixed"]',
    ].join("\n"),
  );
  const { clusterImage, labels, annotations, layers } = image(bench);
  assert.deepEqual(clusterImage, {
    type: "kube-installer",
    applications: [
      { name: "disk", type: "helm", files: ["disk"], env: {}, cmds: [] },
      { name: "mixed", files: [], env: {}, cmds: ["sh", "-c", "kubectl apply -f x.yaml"] },
      { name: "net", type: "shell", files: ["run.sh"], env: {}, cmds: [] },
      { name: "web", type: "kube", files: ["/a/a.yml", "/b.yaml"], env: { A: "3", B: "2" }, cmds: [] },
    ],
    env: { Region: "eu" },
    launchApps: ["web", "mixed"],
    launchCmds: [],
  });
  assert.deepEqual(labels, {
    "app.alpha.sealer.io/supported-kube-version": ">=1.24, <1.30",
    "cluster.alpha.sealer.io/kube-cni-net": "true",
    "cluster.alpha.sealer.io/kube-csi-disk": "true",
  });
  const extension = JSON.parse(annotations[annotationKeys.imageExtension] ?? "") as Record<string, unknown>;
  assert.equal(extension["schemaVersion"], "v1alpha1");
  assert.deepEqual(extension["launch"], { app_names: ["web", "mixed"] });
  assert.deepEqual(
    layers.map(({ createdBy }) => createdBy),
    ["APP web local://web", "CNI net local://tool/run.sh", "CSI disk local://chart", "APP mixed local://mixed"],
  );
});

test("an image inherits applications, files, environment and labels, and neither launch nor the cluster's environment", async () => {
  await using bench = new Bench();
  bench.write({ "a/a.yaml": "a", "b/b.yaml": "b" });
  const base = await bench.build("FROM scratch\nLABEL from=base\nENV A=1\nAPP a local://a\nLAUNCH a\n", {
    tags: ["base:1"],
  });
  await bench.build("FROM base:1\nENV B=$A-2\nAPP b local://b\nLAUNCH a b\n");
  const { clusterImage, labels, env, annotations, layers } = image(bench);
  assert.deepEqual(
    clusterImage?.applications.map(({ name }) => name),
    ["a", "b"],
  );
  assert.deepEqual(clusterImage?.env, { B: "1-2" });
  assert.deepEqual(labels, { from: "base" });
  assert.ok(env.includes("A=1") && env.includes("B=1-2"));
  assert.equal(layers.length, 2);
  assert.equal(annotations[annotationKeys.baseName], "docker.io/library/base:1");
  assert.equal(annotations[annotationKeys.baseDigest], base.digest);
});

test("several platforms make an index, each with its own ARCH", async () => {
  await using bench = new Bench();
  bench.write({ "amd64/tool": "amd", "arm64/tool": "arm" });
  const result = await bench.build("FROM scratch\nARG TARGETARCH\nCOPY ${ARCH}/tool /bin/\nCOPY $TARGETARCH /all/\n", {
    platforms: ["linux/amd64", "linux/arm64"],
  });
  const details = bench.engine.inspect("test:1");
  assert.equal(details.kind, "index");
  assert.equal(details.digest, result.digest);
  assert.deepEqual(details.platforms, ["linux/amd64", "linux/arm64"]);
  assert.notEqual(details.images[0]?.layers[0]?.diffId, details.images[1]?.layers[0]?.diffId);
});

test("only the stages the target needs are built", async () => {
  await using bench = new Bench();
  bench.write({ a: "a", b: "b" });
  await bench.build(
    "FROM scratch AS unused\nCOPY missing /\nFROM scratch AS one\nCOPY a /a\nFROM scratch AS two\nCOPY --from=one /a /b\n",
  );
  assert.deepEqual(
    bench.outcomes.map((line) => line.split(":")[0]),
    ["COPY a /a", "COPY --from=one /a /b"],
  );
  await bench.build("FROM scratch AS one\nCOPY a /a\nFROM scratch AS two\nCOPY missing /b\n", { target: "one" });
});

test("COPY --exclude and --parents", async () => {
  await using bench = new Bench();
  bench.write({ "src/keep.yaml": "k", "src/drop.log": "d", "src/deep/drop.log": "d", "src/deep/keep.txt": "t" });
  await bench.build(
    "FROM scratch AS files\nCOPY --exclude=**/*.log src /a/\nCOPY --parents src/deep/*.txt /b/\nCOPY --parents src/./deep/*.txt /c/\nFROM scratch\nCOPY --from=files /a/keep.yaml /1\nCOPY --from=files /a/deep/keep.txt /2\nCOPY --from=files /b/src/deep/keep.txt /3\nCOPY --from=files /c/deep/keep.txt /4\n",
  );
  await assert.rejects(
    bench.build(
      "FROM scratch AS files\nCOPY --exclude=**/*.log src /a/\nFROM scratch\nCOPY --from=files /a/drop.log /x\n",
    ),
    {
      code: "COPY_SOURCE_MISSING",
    },
  );
});

test("a comment, a blank line and the order of labels in the file do not change the image", async () => {
  await using bench = new Bench();
  bench.write({ a: "a" });
  const plain = await bench.build("FROM scratch\nLABEL a=1 b=2\nCOPY a /a\n");
  const other = await bench.build("# about\nFROM scratch\n\nLABEL a=1 b=2\n# more\nCOPY a /a\n");
  assert.equal(other.digest, plain.digest);
});

test("a build that is cancelled leaves neither image nor half-written file, and the next one succeeds", async () => {
  await using bench = new Bench();
  for (let index = 0; index < 4; index++) bench.write({ [`f${index}`]: Buffer.alloc(24 * 1024 * 1024, index) });
  for (const delayMs of [0, 5, 20, 60]) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), delayMs);
    await assert.rejects(bench.build("FROM scratch\nCOPY . /\n", { noCache: true }, controller.signal), {
      code: "CANCELLED",
    });
    assert.deepEqual(bench.engine.images(), []);
  }
  await bench.build("FROM scratch\nCOPY . /\n");
  assert.deepEqual((await bench.engine.verify(new AbortController().signal)).faults, []);
});

/** A server of files, which counts what it sent and knows ETags. */
async function fileServer(
  files: Map<string, string>,
): Promise<AsyncDisposable & { readonly url: string; readonly log: string[] }> {
  const log: string[] = [];
  const server: Server = createServer((request, response) => {
    const content = files.get(request.url ?? "");
    const etag = `"${createHash("sha256")
      .update(content ?? "")
      .digest("hex")
      .slice(0, 8)}"`;
    if (content === undefined) response.writeHead(404).end("no such file");
    else if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag }).end(content);
    log.push(`${request.url} ${response.statusCode}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("files behind URLs are fetched once, asked for again by ETag, and checked", async () => {
  const files = new Map([["/app.yaml", "kind: X\n"]]);
  const server = await fileServer(files);
  await using bench = new Bench(fetch);
  const kubefile = `FROM scratch\nADD ${server.url}/app.yaml /apps/\nAPP web ${server.url}/app.yaml\n`;
  const first = await bench.build(kubefile);
  assert.deepEqual(server.log, ["/app.yaml 200", "/app.yaml 304"]);
  assert.deepEqual(image(bench).clusterImage?.applications, [
    { name: "web", type: "kube", files: ["app.yaml"], env: {}, cmds: [] },
  ]);
  assert.equal((await bench.build(kubefile)).digest, first.digest);
  assert.deepEqual(await bench.plan(kubefile), ["cached", "cached"]);

  files.set("/app.yaml", "kind: Y\n");
  assert.notEqual((await bench.build(kubefile)).digest, first.digest);

  const sum = createHash("sha256").update("kind: Y\n").digest("hex");
  server.log.length = 0;
  await bench.build(`FROM scratch\nADD --checksum=sha256:${sum} ${server.url}/app.yaml /x\n`);
  assert.deepEqual(server.log, []);
  const wrong = "0".repeat(64);
  await assert.rejects(bench.build(`FROM scratch\nADD --checksum=sha256:${wrong} ${server.url}/app.yaml /x\n`), {
    code: "BLOB_MISMATCH",
  });
  await assert.rejects(bench.build(`FROM scratch\nADD ${server.url}/none.yaml /x\n`), {
    code: "DOWNLOAD_FAILED",
    message: /the server answered 404/,
  });

  await server[Symbol.asyncDispose]();
  await bench.build(kubefile);
  assert.match(bench.warnings.join(), /cannot be reached .*: the file of last time is used/);
});

test("an empty directory is copied, and copying nothing makes no layer", async () => {
  await using bench = new Bench();
  mkdirSync(`${bench.contextDir}/empty`);
  bench.write({ ".kubefileignore": "*\n!.kubefileignore\n!empty\n" });
  await bench.build("FROM scratch\nCOPY empty /there\n");
  assert.equal(image(bench).layers.length, 1);
  await bench.build("FROM scratch\nCOPY empty /\n");
  assert.equal(image(bench).layers.length, 0);
});
