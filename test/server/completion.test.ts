import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CompletionItem, TextEdit } from "vscode-languageserver";
import { directives, instructions } from "../../kubefile/instructions.ts";
import type { CompletionOptions } from "../../server/complete/suggestion.ts";
import { completion } from "../../server/features/completion.ts";
import { resolveCompletion } from "../../server/features/completionResolve.ts";
import type { World } from "../../server/world.ts";
import { applied, atCursor, crlf, never, noWorld, worldWith } from "./fixture.ts";

const plain: CompletionOptions = { snippets: false, deprecatedTag: true, registryTags: true, dialect: undefined };

async function items(
  text: string,
  world: World = noWorld,
  options: CompletionOptions = plain,
): Promise<CompletionItem[]> {
  const { document, offset } = atCursor(text);
  const list = await completion(document, offset, world, options, never);
  return [...list.items].sort((a, b) => ((a.sortText ?? "") < (b.sortText ?? "") ? -1 : 1));
}

async function labels(text: string, world: World = noWorld, options: CompletionOptions = plain): Promise<string[]> {
  const variants = await Promise.all([text, crlf(text)].map((variant) => items(variant, world, options)));
  const [lf, windows] = variants.map((found) => found.map((item) => item.label));
  assert.deepEqual(windows, lf, "CRLF differs");
  return lf ?? [];
}

/** The text after taking the item with that label. */
async function taken(
  text: string,
  label: string,
  world: World = noWorld,
  options: CompletionOptions = plain,
): Promise<string> {
  const { document } = atCursor(text);
  const item = (await items(text, world, options)).find((candidate) => candidate.label === label);
  assert.ok(item, `${label} is not offered`);
  return applied(document, [item.textEdit as TextEdit]);
}

describe("completion of instructions", () => {
  test("all of them on an empty line", async () =>
    assert.deepEqual(new Set(await labels("FROM a\n|\n")), new Set(instructions.map((row) => row.name))));
  test("lower case stays lower case", async () => assert.equal(await taken("fr|", "from"), "from "));
  test("replaces the word under the cursor", async () => assert.equal(await taken("FR|O", "FROM"), "FROM "));
  test("in the middle of an instruction's name", async () => assert.equal(await taken("CO|PY a b", "ADD"), "ADD  a b"));
  test("indented", async () => assert.equal(await taken("  CO|", "COPY"), "  COPY "));
  test("with snippets, each also with its arguments", async () => {
    const found = await items("FROM a\nCOP|", noWorld, { ...plain, snippets: true });
    const snippet = found.find((item) => item.label.startsWith("COPY ["));
    assert.equal((snippet?.textEdit as TextEdit | undefined)?.newText, "COPY ${1:source} ${2:destination}");
    assert.equal(snippet?.insertTextFormat, 2);
  });
  test("whole files in an empty one", async () =>
    assert.ok(
      (await labels("|", noWorld, { ...plain, snippets: true })).includes("Cluster image with an application"),
    ));
  test("no whole files behind a FROM", async () =>
    assert.ok(
      !(await labels("FROM a\n|", noWorld, { ...plain, snippets: true })).includes("Cluster image with an application"),
    ));
  test("deprecated ones are marked and last", async () => {
    const found = await items("|");
    assert.equal(found.at(-1)?.label, "MAINTAINER");
    assert.deepEqual(found.at(-1)?.tags, [1]);
  });
  test("deprecated for clients without tags", async () => {
    const found = await items("|", noWorld, { ...plain, deprecatedTag: false });
    assert.equal(found.at(-1)?.deprecated, true);
  });
  test("of one dialect only when it is set", async () => {
    const sealer = await labels("|", noWorld, { ...plain, dialect: "sealer" });
    assert.ok(sealer.includes("APP") && !sealer.includes("WORKDIR"));
    const sealos = await labels("|", noWorld, { ...plain, dialect: "sealos" });
    assert.ok(!sealos.includes("APP") && sealos.includes("WORKDIR"));
  });
  test("after ONBUILD, but for what it cannot trigger", async () => {
    const found = await labels("ONBUILD |");
    assert.ok(
      found.includes("COPY") && !found.includes("FROM") && !found.includes("ONBUILD") && !found.includes("MAINTAINER"),
    );
  });
  test("after ONBUILD, in the middle of the trigger", async () =>
    assert.equal(await taken("ONBUILD CO|", "COPY"), "ONBUILD COPY "));
  test("none in a comment", async () => assert.deepEqual(await labels("FROM a\n# FR|"), []));
  test("none behind a word that is no instruction's start", async () => assert.deepEqual(await labels("RUN ls|"), []));
  test("none in the body of a heredoc", async () => assert.deepEqual(await labels("RUN <<EOF\n|\nEOF"), []));
  test("none on a continued line of RUN", async () => assert.deepEqual(await labels("RUN a \\\n|"), []));
  test("documentation is filled in when asked for", async () => {
    const [first] = await items("FRO|");
    assert.ok(first);
    assert.equal(first.documentation, undefined);
    const resolved = await resolveCompletion(first, noWorld, { markdown: true });
    assert.match(JSON.stringify(resolved.documentation), /Starts from an image/u);
  });
});

describe("completion of directives", () => {
  test("their names at the head", async () =>
    assert.deepEqual(
      await labels("# |"),
      directives.map((row) => row.name),
    ));
  test("without those already written", async () =>
    assert.deepEqual(await labels("# escape=`\n#|\n"), ["syntax", "check"]));
  test("the equals sign comes along", async () => assert.equal(await taken("# es|", "escape"), "# escape="));
  test("values", async () => assert.deepEqual(await labels("# escape=|"), ["\\", "`"]));
  test("a value replaces the one there", async () => assert.equal(await taken("# escape=|`", "\\"), "# escape=\\"));
  test("not behind an instruction", async () => assert.deepEqual(await labels("FROM a\n# |"), []));
  test("not behind another comment", async () => assert.deepEqual(await labels("# note\n# |"), []));
});

describe("completion of flags", () => {
  for (const info of instructions.filter((row) => row.flags.length > 0)) {
    test(`every flag of ${info.name}`, async () =>
      assert.deepEqual(
        await labels(`${info.name} --|`),
        info.flags.map((flag) => `--${flag.name}`),
      ));
    for (const flag of info.flags.filter((row) => row.values.length > 0 && row.name !== "mount"))
      test(`values of ${info.name} --${flag.name}`, async () =>
        assert.deepEqual(await labels(`${info.name} --${flag.name}=|`), flag.values));
  }
  test("after one dash", async () => assert.equal(await taken("FROM -|", "--platform"), "FROM --platform="));
  test("a boolean flag needs no value", async () =>
    assert.equal(await taken("COPY --li| a b", "--link"), "COPY --link a b"));
  test("the equals sign is not doubled", async () =>
    assert.equal(await taken("FROM --pl|=x a", "--platform"), "FROM --platform=x a"));
  test("a flag that stands once is not offered again", async () =>
    assert.ok(!(await labels("COPY --link --|")).includes("--link")));
  test("a flag that may repeat is", async () =>
    assert.ok((await labels("COPY --exclude=a --|")).includes("--exclude")));
  test("behind a continuation", async () => assert.ok((await labels("COPY --link \\\n  --|")).includes("--from")));
  test("not behind an argument", async () => assert.deepEqual(await labels("FROM a --|"), []));
  test("none for instructions without flags", async () => assert.deepEqual(await labels("WORKDIR --|"), []));
  test("those of the dialect", async () =>
    assert.deepEqual(await labels("COPY --|", noWorld, { ...plain, dialect: "sealer" }), []));
  test("types of mounts", async () =>
    assert.deepEqual(await labels("RUN --mount=|"), [
      "type=bind",
      "type=cache",
      "type=tmpfs",
      "type=secret",
      "type=ssh",
    ]));
  test("keys of a mount, but for those there", async () => {
    const found = await labels("RUN --mount=type=cache,target=/x,|");
    assert.ok(found.includes("sharing=locked") && !found.includes("target=") && !found.includes("env="));
  });
  test("stages of a mount", async () =>
    assert.deepEqual(await labels("FROM a AS one\nFROM b\nRUN --mount=type=bind,from=|"), ["one"]));
  test("a key of a mount replaces what is written of it", async () =>
    assert.equal(await taken("RUN --mount=type=cache,ta|", "target="), "RUN --mount=type=cache,target="));
});

describe("completion of stages", () => {
  test("those above, the nearest first", async () =>
    assert.deepEqual(await labels("FROM a AS one\nFROM b AS two\nFROM c\nCOPY --from=|"), ["two", "one"]));
  test("those without a name by their number", async () =>
    assert.deepEqual(await labels("FROM a\nFROM b AS two\nFROM c\nCOPY --from=|"), ["two", "0"]));
  test("not the own one", async () => assert.deepEqual(await labels("FROM a AS one\nCOPY --from=|"), []));
  test("in FROM", async () => assert.deepEqual(await labels("FROM a AS one\nFROM |"), ["one", "scratch"]));
  test("in ONBUILD COPY", async () =>
    assert.deepEqual(await labels("FROM a AS one\nFROM b\nONBUILD COPY --from=|"), ["one"]));
  test("AS behind the image", async () => assert.deepEqual(await labels("FROM a |"), ["AS"]));
  test("nothing behind AS", async () => assert.deepEqual(await labels("FROM a AS |"), []));
});

describe("completion of variables", () => {
  test("behind the dollar, the last set first", async () =>
    assert.deepEqual((await labels("FROM a\nARG A=1\nENV B=2\nWORKDIR $|")).slice(0, 2), ["B", "A"]));
  test("with their values", async () => {
    const [first] = await items("FROM a\nENV A=1\nENV B=${A}2\nWORKDIR $|");
    assert.equal(first?.detail, "ENV: 12");
  });
  test("behind the brace, which is closed", async () =>
    assert.equal(await taken("FROM a\nENV ABC=1\nWORKDIR ${A|", "ABC"), "FROM a\nENV ABC=1\nWORKDIR ${ABC}"));
  test("a brace that is there is not doubled", async () =>
    assert.equal(await taken("FROM a\nENV ABC=1\nWORKDIR ${A|}", "ABC"), "FROM a\nENV ABC=1\nWORKDIR ${ABC}"));
  test("the rest of the name is replaced", async () =>
    assert.equal(await taken("FROM a\nENV ABC=1\nWORKDIR $A|B/x", "ABC"), "FROM a\nENV ABC=1\nWORKDIR $ABC/x"));
  test("global arguments in FROM", async () => assert.equal((await labels("ARG V=1\nFROM a:$|"))[0], "V"));
  test("global arguments not in a stage", async () =>
    assert.ok(!(await labels("ARG V=1\nFROM a\nWORKDIR $|")).includes("V")));
  test("none of what is set below", async () =>
    assert.ok(!(await labels("FROM a\nWORKDIR $|\nENV A=1")).includes("A")));
  test("ARCH in the source of COPY", async () => assert.ok((await labels("FROM a\nCOPY ${|")).includes("ARCH")));
  test("platforms in FROM", async () => assert.ok((await labels("FROM --platform=$|")).includes("BUILDPLATFORM")));
  test("in the shell of RUN", async () => assert.equal((await labels("FROM a\nENV A=1\nRUN echo $|"))[0], "A"));
  test("inside quotes", async () => assert.equal((await labels('FROM a\nENV A=1\nLABEL x="$|"'))[0], "A"));
  test("inside a modifier", async () => assert.equal((await labels("FROM a\nENV A=1\nWORKDIR ${B:-$|}"))[0], "A"));
  test("not behind an escaped dollar", async () =>
    assert.ok(!(await labels("FROM a\nENV A=1\nWORKDIR \\$|")).includes("A")));
});

describe("completion of applications", () => {
  const text = "APP nginx local://a\nCNI calico local://b\nCSI disk local://c\n";
  test("those declared, in LAUNCH", async () =>
    assert.deepEqual(await labels(`${text}LAUNCH |`), ["nginx", "calico", "disk"]));
  test("without those already launched", async () =>
    assert.deepEqual(await labels(`${text}LAUNCH nginx |`), ["calico", "disk"]));
  test("in the quotes of an array", async () =>
    assert.equal(await taken('APP nginx local://a\nLAUNCH ["n|"]', "nginx"), 'APP nginx local://a\nLAUNCH ["nginx"]'));
  test("between the brackets with quotes of their own", async () =>
    assert.equal(await taken("APP nginx local://a\nLAUNCH [|]", "nginx"), 'APP nginx local://a\nLAUNCH ["nginx"]'));
  test("in APPENV and APPCMDS", async () => {
    assert.deepEqual(await labels("APP nginx local://a\nAPPENV |"), ["nginx"]);
    assert.deepEqual(await labels("APP nginx local://a\nAPPCMDS |"), ["nginx"]);
  });
  test("only as the first word of APPENV", async () =>
    assert.deepEqual(await labels("APP nginx local://a\nAPPENV nginx |"), []));
  test("those of the base image", async () =>
    assert.deepEqual(
      await labels(
        "FROM base\nAPP nginx local://a\nLAUNCH |",
        worldWith({}, [{ reference: "base", apps: [{ name: "old" }] }]),
      ),
      ["nginx", "old"],
    ));
  test("schemes of APP", async () =>
    assert.deepEqual(await labels("APP nginx |"), ["local://", "https://", "http://"]));
  test("nothing for the name of APP", async () => assert.deepEqual(await labels("APP |"), []));
});

describe("completion of paths in the build context", () => {
  const world = worldWith({
    "manifests/a.yaml": "",
    "manifests/deep/b.yaml": "",
    "charts/": "",
    "app.sh": "",
    "with blank.txt": "",
    "secret.key": "",
    "node_modules/x/y.js": "",
    "build/keep.txt": "",
    ".dockerignore": "secret.key\nnode_modules\nbuild\n!build/keep.txt\n",
  });
  const top = ["build/", "charts/", "manifests/", ".dockerignore", "app.sh"];
  test("folders first; what the ignore file leaves out is not there", async () =>
    assert.deepEqual(await labels("COPY |", world), top));
  test("in a folder", async () => assert.deepEqual(await labels("COPY manifests/|", world), ["deep/", "a.yaml"]));
  test("a folder with something taken back stays", async () =>
    assert.deepEqual(await labels("COPY build/|", world), ["keep.txt"]));
  test("with a dot in front", async () =>
    assert.deepEqual(await labels("COPY ./manifests/|", world), ["deep/", "a.yaml"]));
  test("with a slash in front", async () =>
    assert.deepEqual(await labels("COPY /manifests/|", world), ["deep/", "a.yaml"]));
  test("only the last part is replaced", async () =>
    assert.equal(await taken("COPY manifests/de| /x", "deep/", world), "COPY manifests/deep/ /x"));
  test("a part in the middle keeps what follows", async () =>
    assert.equal(await taken("COPY mani|/a.yaml /x", "manifests/", world), "COPY manifests/a.yaml /x"));
  test("names with blanks only in arrays", async () => {
    assert.ok(!(await labels("COPY w|", world)).includes("with blank.txt"));
    assert.equal(await taken('COPY ["w|", "/x"]', "with blank.txt", world), 'COPY ["with blank.txt", "/x"]');
  });
  test("behind local://", async () => assert.deepEqual(await labels("APP nginx local://|", world), top));
  test("in a folder behind local://", async () =>
    assert.equal(await taken("APP nginx local://manifests/a|", "a.yaml", world), "APP nginx local://manifests/a.yaml"));
  test("in ADD", async () => assert.deepEqual(await labels("ADD |", world), top));
  test("not from another stage", async () => assert.deepEqual(await labels("COPY --from=x |", world), []));
  test("not outside the build context", async () => assert.deepEqual(await labels("COPY ../|", world), []));
  test("not in a folder that is not there", async () => assert.deepEqual(await labels("COPY nope/|", world), []));
  test("not without a workspace", async () => assert.deepEqual(await labels("COPY |"), []));
});

describe("completion of destinations", () => {
  test("folders of earlier instructions, then those that sealer reads", async () => {
    const found = await labels("WORKDIR /srv\nCOPY a /opt/app/\nCOPY b |");
    assert.deepEqual(found.slice(0, 3), ["/srv", "/opt/app/", "manifests/"]);
  });
  test("those that go on with what is written", async () =>
    assert.deepEqual(await labels("COPY a /opt/app/\nCOPY b /o|"), ["/opt/app/"]));
  test("in WORKDIR", async () => assert.ok((await labels("COPY a /opt/app/\nWORKDIR |")).includes("/opt/app/")));
  test("folders of applications", async () =>
    assert.ok((await labels("APP nginx local://a\nCOPY b |")).includes("application/apps/nginx/")));
  test("not those of later instructions", async () =>
    assert.ok(!(await labels("COPY b |\nWORKDIR /srv")).includes("/srv")));
});

describe("completion of images", () => {
  const world = worldWith({}, [{ reference: "registry.example.org/k8s:v1" }, { reference: "localhost/app:1" }], {
    "docker.io/library/alpine": ["3.21", "3.20"],
    "quay.io/a/b": ["v2"],
  });
  test("those of the store", async () =>
    assert.deepEqual(await labels("FROM |", world), ["scratch", "registry.example.org/k8s:v1", "localhost/app:1"]));
  test("tags of the registry behind the colon, newest first", async () =>
    assert.deepEqual((await labels("FROM alpine:|", world)).slice(-2), ["alpine:3.21", "alpine:3.20"]));
  test("of any registry", async () =>
    assert.ok((await labels("FROM quay.io/a/b:|", world)).includes("quay.io/a/b:v2")));
  test("the whole reference is replaced", async () =>
    assert.equal(await taken("FROM alpine:3|.1 AS x", "alpine:3.20", world), "FROM alpine:3.20 AS x"));
  test("not when the setting forbids it", async () =>
    assert.ok(!(await labels("FROM alpine:|", world, { ...plain, registryTags: false })).includes("alpine:3.21")));
  test("a port is no tag", async () =>
    assert.deepEqual(await labels("FROM localhost:5000/|", world), [
      "scratch",
      "registry.example.org/k8s:v1",
      "localhost/app:1",
    ]));
  test("no answer yet means ask again", async () => {
    const { document, offset } = atCursor("FROM nothing:|");
    const list = await completion(document, offset, world, plain, never);
    assert.equal(list.isIncomplete, true);
  });
  test("in --from", async () => assert.ok((await labels("FROM a\nCOPY --from=|", world)).includes("localhost/app:1")));
  test("facts are filled in when asked for", async () => {
    const item = (await items("FROM |", world)).find((candidate) => candidate.label === "localhost/app:1");
    assert.ok(item);
    const resolved = await resolveCompletion(item, world, { markdown: true });
    assert.match(JSON.stringify(resolved.documentation), /3 layers/u);
  });
});

describe("very many suggestions", () => {
  const apps = Array.from({ length: 400 }, (_, index) => `APP app${index} local://x\n`).join("");
  test("are cut, and the next letter asks again", async () => {
    const { document, offset } = atCursor(`${apps}LAUNCH |`);
    const list = await completion(document, offset, noWorld, plain, never);
    assert.equal(list.items.length, 250);
    assert.equal(list.isIncomplete, true);
  });
  test("are narrowed by what is written", async () =>
    assert.deepEqual(await labels(`${apps}LAUNCH app399|`), ["app399"]));
});

describe("completion of known values", () => {
  test("label keys, with the equals sign", async () =>
    assert.equal(
      await taken("LABEL org.opencontainers.image.ti|", "org.opencontainers.image.title"),
      "LABEL org.opencontainers.image.title=",
    ));
  test("sealer's labels come first", async () =>
    assert.equal((await labels("LABEL |"))[0], "cluster.alpha.sealer.io/container-runtime-type"));
  test("not those already set", async () =>
    assert.ok(!(await labels("LABEL org.opencontainers.image.title=x |")).includes("org.opencontainers.image.title")));
  test("the equals sign is not doubled", async () =>
    assert.equal(await taken("LABEL org|=x", "org.opencontainers.image.url"), "LABEL org.opencontainers.image.url=x"));
  test("values of a label", async () =>
    assert.deepEqual(await labels("LABEL cluster.alpha.sealer.io/container-runtime-type=|"), ["docker", "containerd"]));
  test("values inside quotes", async () =>
    assert.equal(
      await taken('LABEL cluster.alpha.sealer.io/cluster-runtime-type="k|"', "k0s"),
      'LABEL cluster.alpha.sealer.io/cluster-runtime-type="k0s"',
    ));
  test("variables of the cluster", async () => assert.ok((await labels("ENV |")).includes("PodCIDR")));
  test("their values", async () => assert.deepEqual(await labels("ENV CgroupDriver=|"), ["systemd", "cgroupfs"]));
  test("build arguments", async () => assert.equal(await taken("ARG TARGETA|", "TARGETARCH"), "ARG TARGETARCH"));
  test("versions of Kubernetes", async () =>
    assert.equal(await taken("KUBEVERSION >=1.2|", ">=1.22.0"), "KUBEVERSION >=1.22.0"));
  test("protocols of a port", async () => assert.deepEqual(await labels("EXPOSE 53|"), ["53/tcp", "53/udp"]));
  test("signals", async () => assert.equal((await labels("STOPSIGNAL |"))[0], "SIGTERM"));
  test("HEALTHCHECK", async () => assert.deepEqual(await labels("HEALTHCHECK |"), ["CMD", "NONE"]));
  test("shells", async () => assert.ok((await labels("SHELL |")).includes('["/bin/sh", "-c"]')));
});
