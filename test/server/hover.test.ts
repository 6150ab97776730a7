import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MarkupContent } from "vscode-languageserver";
import { instructions } from "../../kubefile/instructions.ts";
import { hover } from "../../server/features/hover.ts";
import type { World } from "../../server/world.ts";
import { atCursor, crlf, never, noWorld, textOf, worldWith } from "./fixture.ts";

async function hovers(text: string, on: string, says: RegExp, world: World = noWorld): Promise<void> {
  for (const variant of [text, crlf(text)]) {
    const { document, offset } = atCursor(variant);
    const found = await hover(document, offset, world, { markdown: true }, never);
    assert.ok(found?.range, "no hover");
    assert.equal(textOf(document, found.range), on);
    assert.match((found.contents as MarkupContent).value, says);
  }
}

async function silent(text: string, world: World = noWorld): Promise<void> {
  const { document, offset } = atCursor(text);
  assert.equal(await hover(document, offset, world, { markdown: true }, never), null);
}

describe("hover on instructions", () => {
  for (const info of instructions)
    test(`${info.name} says how it is written and where that is specified`, async () => {
      const { document, offset } = atCursor(`|${info.name} x`);
      const found = await hover(document, offset, noWorld, { markdown: true }, never);
      assert.ok(found);
      const { value } = found.contents as MarkupContent;
      for (const usage of info.usage) assert.ok(value.includes(usage));
      assert.ok(value.includes(info.help));
      assert.ok(value.includes(info.link));
    });
  test("in lower case", () => hovers("fr|om a", "from", /FROM \[--platform/u));
  test("at the end of the word", () => hovers("FROM| a", "FROM", /Starts from an image/u));
  test("what ONBUILD triggers", () => hovers("ONBUILD CO|PY a b", "COPY", /Copies files/u));
  test("deprecated instructions name what to write", () =>
    hovers("MAIN|TAINER me", "MAINTAINER", /Deprecated.*LABEL/u));
  test("not on an unknown word", () => silent("FO|O x"));
  test("not on plain arguments", () => silent("RUN ls| -l"));
  test("not on blank lines", () => silent("FROM a\n|\n"));
  test("not in comments", () => silent("# FR|OM a"));
});

describe("hover on flags and directives", () => {
  test("a flag's name", () => hovers("COPY --ch|own=0:0 a b", "--chown=0:0", /Owner of the copied files/u));
  test("a flag's value", () =>
    hovers("FROM --platform=lin|ux/amd64 a", "--platform=linux/amd64", /Platform of the base/u));
  test("what sealer does not honour", () => hovers("COPY --li|nk a b", "--link", /sealer does not honour/u));
  test("an unknown flag has none", () => silent("COPY --f|oo a b"));
  for (const [line, says] of [
    ["# esc|ape=`", /joins lines/u],
    ["# syn|tax=docker/dockerfile:1", /BuildKit frontend/u],
    ["# che|ck=skip=all", /Build checks/u],
  ] as const)
    test(line.replace("|", ""), () => hovers(`${line}\nFROM a`, line.replace("|", ""), says));
});

describe("hover on variables", () => {
  test("expands fully", () =>
    hovers(
      "FROM a\nARG MAJOR=17\nARG VERSION=${MAJOR}.0.6\nLABEL v=${VER|SION}",
      "${VERSION}",
      /\*\*VERSION\*\* = `17\.0\.6`/u,
    ));
  test("says which instruction sets it", () => hovers("FROM a\nENV A=1\nWORKDIR $|A", "$A", /Set by ENV/u));
  test("where it is set", () => hovers("FROM a\nENV A=1\nENV |B=${A}2\n", "B", /\*\*B\*\* = `12`/u));
  test("where it is set, in the last line", () => hovers("FROM a\nENV A|=x", "A", /`x`/u));
  test("a default of a modifier", () => hovers("FROM a\nENV B=${A:-x}\nWORKDIR $|B", "$B", /= `x`/u));
  test("a global argument in FROM", () => hovers("ARG V=3\nFROM a:$|V", "$V", /= `3`/u));
  test("an argument without a value", () => hovers("FROM a\nARG V\nRUN echo $|V", "$V", /--build-arg/u));
  test("an argument that takes over the global one", () =>
    hovers("ARG V=3\nFROM a\nARG V\nRUN echo $|V", "$V", /= `3`/u));
  test("an empty value", () => hovers("FROM a\nENV A=\nWORKDIR /$|A", "$A", /\(empty\)/u));
  test("a value with backticks", () => hovers("FROM a\nENV A='`x`'\nWORKDIR $|A", "$A", /`` `x` ``/u));
  test("the value at that place, not a later one", () =>
    hovers("FROM a\nENV A=1\nWORKDIR $|A\nENV A=2", "$A", /= `1`/u));
  test("a variable nobody sets", () => hovers("FROM a\nWORKDIR $|A", "$A", /not set here/u));
  test("one that the builder sets", () => hovers("FROM a\nCOPY ${AR|CH}/x y", "${ARCH}", /set by the builder/u));
  test("a script's own variable has none", () => silent("FROM a\nRUN for i in 1; do echo $|i; done"));
});

describe("hover on images", () => {
  const store = worldWith({}, [
    {
      reference: "registry.example.org/k8s:v1.28",
      layers: 7,
      sizeBytes: 1_234_000_000,
      createdAt: "2026-01-02T03:04:05Z",
      apps: [{ name: "calico", type: "shell" }],
      containerImages: ["docker.io/library/nginx:1"],
      kubernetesVersion: "v1.28.3",
    },
  ]);
  test("what the store knows", async () => {
    const text = "FROM registry.exam|ple.org/k8s:v1.28";
    const image = "registry.example.org/k8s:v1.28";
    await hovers(text, image, /Size: 1\.2 GB in 7 layers/u, store);
    await hovers(text, image, /Created: 2026-01-02/u, store);
    await hovers(text, image, /Applications: `calico` \(shell\)/u, store);
    await hovers(text, image, /Kubernetes: v1\.28\.3/u, store);
    await hovers(text, image, /Container images \(1\): `docker\.io\/library\/nginx:1`/u, store);
  });
  test("an image that is not there has none", () => silent("FROM ot|her", store));
  test("scratch", () => hovers("FROM scr|atch", "scratch", /empty image/u));
  test("a stage", () => hovers("FROM a AS base\nFROM ba|se", "base", /Build stage 0/u));
  test("a stage in --from", () => hovers("FROM a AS base\nFROM b\nCOPY --from=ba|se x y", "base", /Build stage 0/u));
});

describe("hover on applications", () => {
  const world = worldWith(
    {
      "chart/Chart.yaml": "",
      "chart/values.yaml": "",
      "chart/templates/a.yaml": "",
      "kube/a.yaml": "",
      "kube/sub/b.yml": "",
      "run.sh": "",
      "mix/a.yaml": "",
      "mix/b.sh": "",
    },
    [
      {
        reference: "base",
        apps: [{ name: "old", type: "kube", files: ["a.yaml"], launch: "kubectl apply -f a.yaml" }],
      },
    ],
  );
  test("a chart", () =>
    hovers(
      "APP n|ginx local://chart",
      "nginx",
      /Type: helm[\s\S]*helm install nginx application\/apps\/nginx\//u,
      world,
    ));
  test("manifests", () =>
    hovers(
      "APP n|ginx local://kube",
      "nginx",
      /Type: kube[\s\S]*`\/a\.yaml`, `\/sub\/b\.yml`[\s\S]*kubectl apply -f application\/apps\/nginx\/a\.yaml/u,
      world,
    ));
  test("a script", () =>
    hovers("APP n|ginx local://run.sh", "nginx", /Type: shell[\s\S]*bash application\/apps\/nginx\/run\.sh/u, world));
  test("a mix needs APPCMDS", () => hovers("APP n|ginx local://mix", "nginx", /needs APPCMDS/u, world));
  test("APPCMDS wins, joined by blanks", () =>
    hovers(
      'APP n|ginx local://mix\nAPPCMDS nginx ["bash", "b.sh"]',
      "nginx",
      /cd application\/apps\/nginx\/ && bash b\.sh/u,
      world,
    ));
  test("a source that is missing", () =>
    hovers("APP n|ginx local://gone", "nginx", /Missing in the build context: `gone`/u, world));
  test("where it is launched", () => hovers("APP nginx local://run.sh\nLAUNCH ng|inx", "nginx", /Type: shell/u, world));
  test("one of the base image", () =>
    hovers("FROM base\nLAUNCH o|ld", "old", /base image `base`[\s\S]*kubectl apply/u, world));
  test("one that nobody declares", () => hovers("FROM base\nLAUNCH o|ther", "other", /no APP/u, world));
  test("CNI and CSI declare too", () => hovers("CNI ca|lico local://run.sh", "calico", /declared by CNI/u, world));
});

test("a client without Markdown gets plain text", async () => {
  const { document, offset } = atCursor("|FROM a");
  const found = await hover(document, offset, noWorld, { markdown: false }, never);
  assert.ok(found);
  const contents = found.contents as MarkupContent;
  assert.equal(contents.kind, "plaintext");
  assert.doesNotMatch(contents.value, /```|\]\(|\*\*/u);
});
