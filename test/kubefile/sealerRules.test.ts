import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { detectAppType } from "../../kubefile/appType.ts";
import { check } from "../../kubefile/check/check.ts";
import { applyEdits } from "../../kubefile/format.ts";
import { parse } from "../../kubefile/parse.ts";
import type { Instruction } from "../../kubefile/syntax.ts";
import { type PretendContext, pretend } from "./support.ts";

/**
 * What sealer's parser and builder do (sealer f4f89c58, `build/kubefile`), fact by fact: what they accept is no error in
 * sealer's dialect, what they refuse is one, and what they do that nobody expects is a warning.
 */

/** Problems as `severity code text`, of a file read as sealer reads it. */
function said(text: string, world?: PretendContext): string[] {
  const context = world === undefined ? undefined : pretend(world);
  return check(parse(text), { dialect: "sealer", context }).map(
    ({ severity, code, span }) => `${severity} ${code} ${text.slice(span.start, span.end)}`,
  );
}

function errors(text: string, world?: PretendContext): string[] {
  return said(text, world).filter((one) => one.startsWith("error"));
}

function only(text: string): Instruction {
  const [first] = parse(text).instructions;
  assert.ok(first);
  return first;
}

const base = "FROM docker.io/sealerio/kubernetes:v1-22-15-sealerio-2\n";
const app = `${base}APP nginx local://nginx.yaml\n`;

describe("sealer reads lines", () => {
  test("past a byte order mark", () => assert.deepEqual(errors("\ufeffFROM scratch\n"), []));
  test("with white space in front, that of Unicode too", () => assert.deepEqual(said("\u2003\tFROM scratch\n"), []));
  test("keeping the white space in front of a continuation", () => {
    assert.equal(only("RUN a\\\n  b").rest?.text, "a  b");
    assert.equal(only("RUN a\\\nb").rest?.text, "ab");
  });
  test("dropping comments between continuation lines, indented ones too", () =>
    assert.equal(only("RUN a \\\n# one\n  # two\n  b").rest?.text, "a   b"));
  test("with no comment at the end of a line: # and what follows are words", () => {
    assert.deepEqual(errors(`${base}RUN ls # all\n`), []);
    assert.deepEqual(said("FROM scratch # the empty one\n"), ["warning KF003 # the empty one"]);
  });
  test("joining them where blanks follow the escape character", () =>
    assert.equal(only("RUN a \\ \t\n b").rest?.text, "a  b"));
  test("with a backtick as the escape character, if a directive above all else says so", () => {
    assert.deepEqual(errors("# escape=`\nFROM scratch\nRUN a `\n b\n"), []);
    assert.deepEqual(errors("# c\n# escape=`\nFROM scratch\nRUN a `\n b\n"), ["error KF001 b"]);
  });
  test("refusing another escape character, and a second directive", () => {
    assert.deepEqual(errors("# escape=x\nFROM scratch\n"), ["error KF016 x"]);
    assert.deepEqual(errors("# escape=\\\n# escape=\\\nFROM scratch\n"), ["error KF016 # escape=\\"]);
  });
  test("without a word about # platform=", () => assert.deepEqual(said("# platform=linux\nFROM scratch\n"), []));
  test("separated from their arguments by tabs, form feeds and vertical tabs", () =>
    assert.deepEqual(errors("FROM\t\v\f scratch\n"), []));
  test("without heredocs", () => assert.deepEqual(errors(`${base}RUN <<EOF\nls\nEOF\n`), ["error KF015 <<EOF"]));
  test("up to 64 KiB: a longer one ends the file without a word", () => {
    assert.ok(said(`${base}RUN ${"x".repeat(65_536)}\n`).includes("warning KF123 RUN"));
    assert.ok(!said(`${base}RUN ${"x".repeat(65_000)}\n`).some((one) => one.includes("KF123")));
    assert.ok(said(`${base}RUN ${"語".repeat(22_000)}\n`).includes("warning KF123 RUN"), "bytes are counted");
  });
  test("content with an empty file, and with one of comments", () => {
    assert.deepEqual(said(""), []);
    assert.deepEqual(said("# nothing yet\n\n"), []);
  });
});

describe("sealer knows 17 instructions", () => {
  const accepted = [
    ...["FROM scratch", "COPY a b", "ADD a.tgz b", "ARG A=1", "RUN ls", "ENV A=1", "LABEL a=b", "MAINTAINER me"],
    ...[
      "APP a local://a.yaml",
      'CMDS ["ls"]',
      "CMD ls",
      "CNI calico local://c.yaml",
      "CSI nfs local://n.yaml",
      "KUBEVERSION 1.22",
    ],
  ];
  for (const line of accepted) {
    test(`${line.split(" ", 1)[0]} is one of them`, () => assert.deepEqual(errors(`FROM scratch\n${line}\n`), []));
  }
  test("APPENV, APPCMDS and LAUNCH are too, below an APP", () =>
    assert.deepEqual(errors(`${app}APPENV nginx A=1\nAPPCMDS nginx ["ls"]\nLAUNCH nginx\n`), []));
  const refused = [
    ...["WORKDIR /a", "USER me", "VOLUME /a", "EXPOSE 80", 'ENTRYPOINT ["a"]', 'SHELL ["a"]', "ONBUILD RUN a"],
    ...["HEALTHCHECK NONE", "STOPSIGNAL 9"],
  ];
  for (const line of refused) {
    const name = line.split(" ", 1)[0];
    test(`${name} is none`, () => assert.deepEqual(errors(`${base}${line}\n`), [`error KF008 ${name}`]));
  }
  test("any other word is none", () => assert.deepEqual(errors(`${base}HELM a\n`), ["error KF001 HELM"]));
  test("in lower case, too, apart from those whose handlers look for capitals", () => {
    assert.deepEqual(errors(`${base.toLowerCase()}copy a b\nrun ls\napp x local://x.yaml\nlaunch x\n`), []);
    assert.deepEqual(errors(`${base}env A=1\n`), ["error KF116 env"]);
    assert.deepEqual(errors(`${base}cmd ls\n`), ["error KF116 cmd"]);
    assert.deepEqual(errors(`${app}appcmds nginx ["ls"]\n`), ["error KF116 appcmds"]);
  });
});

describe("a JSON array for sealer", () => {
  test("must hold strings only", () => assert.deepEqual(errors(`${base}RUN ["a", 1]\n`), ['error KF011 ["a", 1]']));
  test("that breaks JSON in another way is read as words", () =>
    assert.deepEqual(said(`${base}RUN ['a']\n`), ["warning KF012 ['a']"]));
  test("ends the instruction: what follows it is ignored", () =>
    assert.deepEqual(said(`${base}CMDS ["a"] b\n`), ["warning KF024  b"]));
  test("may name the application and its sources", () => {
    assert.deepEqual(said(`${base}APP ["nginx", "local://nginx.yaml"]\nLAUNCH ["nginx"]\n`), []);
  });
  test("is a must for APPCMDS", () => assert.deepEqual(errors(`${app}APPCMDS nginx ls\n`), ["error KF011 nginx ls"]));
});

describe("FROM for sealer", () => {
  test("needs an image", () => assert.deepEqual(errors("FROM\n"), ["error KF002 FROM"]));
  test("has the flag --platform only", () => {
    assert.deepEqual(errors("FROM --platform=linux/arm64 scratch\n"), []);
    assert.deepEqual(errors("FROM --platfrom=linux/arm64 scratch\n"), ["error KF004 --platfrom=linux/arm64"]);
  });
  test("does not expand variables", () => assert.deepEqual(errors("ARG V=1\nFROM a/b:$V\n"), ["error KF117 $V"]));
  test("may stand several times, and the applications of every image are there", () => {
    const text = "FROM a/x:1\nFROM a/y:1\nLAUNCH one two\n";
    assert.deepEqual(errors(text, { files: [], baseApps: { "a/x:1": ["one"], "a/y:1": ["two"] } }), []);
  });
  test("takes no more than the image for itself, and hands on the rest", () =>
    assert.deepEqual(said("FROM scratch one two\n"), ["warning KF003 one two"]));
});

describe("COPY for sealer", () => {
  test("needs two words", () => assert.deepEqual(errors(`${base}COPY a\n`), ["error KF002 a"]));
  test("copies the first source to the second word, and drops the rest", () =>
    assert.deepEqual(said(`${base}COPY a b dst/\n`), ["warning KF112 b dst/"]));
  test("drops flags", () => assert.deepEqual(said(`${base}COPY --chown=1:1 a b\n`), ["warning KF113 --chown=1:1"]));
  test("knows ARCH in the source, and reads other variables as nothing", () => {
    assert.deepEqual(said(`${base}COPY \${ARCH}/bin bin\nCOPY $ARCH/cri cri\n`), []);
    assert.deepEqual(said(`${base}ARG V=1\nCOPY $V/bin bin\n`), ["warning KF118 $V"]);
  });
  test("leaves variables in the destination to the builder", () =>
    assert.deepEqual(said(`${base}ARG V=1\nCOPY bin $V\n`), []));
  test("of manifests to a place that is not scanned brings no images", () => {
    assert.deepEqual(said(`${base}COPY app.yaml opt/\n`), ["information KF119 opt/"]);
    assert.deepEqual(said(`${base}COPY app.yaml manifests/\nCOPY c.yaml charts/c/\n`), []);
  });
  test("of manifests is no loss where an image list says what they need", () =>
    assert.deepEqual(said(`${base}COPY app.yaml opt/\nCOPY imageList manifests\n`), []));
  test("of an image list counts in manifests only", () =>
    assert.deepEqual(said(`${base}COPY imageList manifests\n`), []));
});

describe("ADD for sealer", () => {
  test("is handed on: ARCH is not known to it", () =>
    assert.deepEqual(said(`${base}ADD \${ARCH}/a.tgz /\n`), ["warning KF118 ${ARCH}"]));
  test("may fetch", () => assert.deepEqual(said(`${base}ADD https://x.test/a.tgz /\n`), []));
});

describe("ENV for sealer", () => {
  test("is cut at blanks for scripts and templates, quotes or not", () => {
    assert.deepEqual(said(`${base}ENV A="b c"\n`), ['warning KF114 "b c"']);
    assert.deepEqual(said(`${base}ENV A=b C=d\n`), []);
  });
  test("without = does not reach scripts and templates", () =>
    assert.ok(said(`${base}ENV A b\n`).includes("warning KF115 A b")));
});

describe("APP, CNI and CSI for sealer", () => {
  test("need a name", () => assert.deepEqual(errors(`${base}APP\n`), ["error KF002 APP"]));
  for (const scheme of ["oss", "helm", "file", "ftp"]) {
    test(`take no ${scheme}://`, () =>
      assert.deepEqual(errors(`${base}APP a ${scheme}://x\n`), [`error KF106 ${scheme}://x`]));
  }
  test("take no bare path", () => assert.deepEqual(errors(`${base}CNI a a.yaml\n`), ["error KF106 a.yaml"]));
  test("take several sources of several schemes", () =>
    assert.deepEqual(said(`${base}APP a local://a.yaml https://x.test/b.yaml http://x.test/c.yaml\n`), []));
  test("fail when a source is not there", () =>
    assert.deepEqual(errors(`${app}`, { files: ["other.yaml"] }), [
      "error KF082 local://nginx.yaml".replace("local://", ""),
    ]));
  test("declared again overwrite what was, and leave its files", () =>
    assert.deepEqual(said(`${app}APP nginx local://b.yaml\n`), ["warning KF108 nginx"]));
  test("must be of one type, or have APPCMDS", () => {
    const files = ["nginx/a.yaml", "nginx/README.md"];
    const text = `${base}APP nginx local://nginx\n`;
    assert.deepEqual(errors(text, { files }), ["error KF107 nginx"]);
    assert.deepEqual(errors(`${text}APPCMDS nginx ["kubectl apply -f a.yaml"]\n`, { files }), []);
  });
});

describe("the type of an application for sealer", () => {
  const directory = (...files: string[]) =>
    ({
      path: "d",
      kind: "directory",
      files,
      children: [...new Set(files.map((file) => file.split("/")[0] ?? ""))],
    }) as const;
  const file = (path: string) => ({ path, kind: "file", files: [], children: [] }) as const;
  const type = (...sources: Parameters<typeof detectAppType>[1]) => detectAppType("a", sources).type;

  test("is helm for a folder with Chart.yaml, values.yaml and templates", () =>
    assert.equal(type(directory("Chart.yaml", "values.yaml", "templates/a.yaml", "README.md")), "helm"));
  test("is helm also beside YAML", () =>
    assert.equal(type(file("a.yaml"), directory("Chart.yaml", "values.yaml", "templates/a.yaml")), "helm"));
  test("is not helm for a chart further down", () =>
    assert.equal(type(directory("c/Chart.yaml", "c/values.yaml", "c/templates/a.tpl")), undefined));
  test("is kube when all files are YAML, in whatever case and depth", () =>
    assert.equal(type(directory("a.YAML", "b/c/d.yml"), file("e.yaml")), "kube"));
  test("is shell when all files are scripts", () => assert.equal(type(file("a.sh"), directory("b.sh")), "shell"));
  for (const name of ["a.tmpl", "a.json", "a.md", "a.tgz", "Makefile"]) {
    test(`is none with ${name} among the files`, () => assert.equal(type(directory("a.yaml", name)), undefined));
  }
  test("is none for a mix of YAML and scripts", () => assert.equal(type(file("a.yaml"), file("b.sh")), undefined));
  test("lists all YAML with the folder taken away, and only the first source's scripts", () => {
    assert.deepEqual(detectAppType("a", [directory("b/c.yaml", "a.yaml"), file("x/d.yaml")]).files, [
      "/a.yaml",
      "/b/c.yaml",
      "d.yaml",
    ]);
    assert.deepEqual(detectAppType("a", [file("x/a.sh"), file("b.sh")]).files, ["a.sh"]);
    assert.deepEqual(detectAppType("a", [directory("Chart.yaml", "values.yaml", "templates/x")]).files, ["a"]);
  });
});

describe("APPENV for sealer", () => {
  test("needs its application above", () => {
    assert.deepEqual(errors(`FROM scratch\nAPPENV nginx A=1\n`, { files: [] }), ["error KF104 nginx"]);
    assert.deepEqual(errors(`FROM scratch\nAPPENV nginx A=1\nAPP nginx local://a.yaml\n`), ["error KF105 nginx"]);
  });
  test("may stand again", () => assert.deepEqual(said(`${app}APPENV nginx A=1\nAPPENV nginx A=2\n`), []));
  test("ignores words without =", () => assert.deepEqual(said(`${app}APPENV nginx A=1 B\n`), ["warning KF121 B"]));
  test("keeps quotes", () => assert.deepEqual(said(`${app}APPENV nginx A="1"\n`), ['warning KF121 "1"']));
});

describe("APPCMDS for sealer", () => {
  test("needs its application above", () =>
    assert.deepEqual(errors(`FROM scratch\nAPPCMDS nginx ["ls"]\n`, { files: [] }), ["error KF104 nginx"]));
  test("may stand again: the last one counts", () =>
    assert.deepEqual(said(`${app}APPCMDS nginx ["a"]\nAPPCMDS nginx ["b"]\n`), []));
  test("crashes without arguments", () => assert.deepEqual(errors(`${app}APPCMDS\n`), ["error KF002 APPCMDS"]));
  test("is cut behind `APPCMDS NAME` as it is written, so one blank stands in between", () =>
    assert.deepEqual(said(`${app}APPCMDS  nginx ["a"]\n`), ["warning KF011 nginx"]));
});

describe("LAUNCH, CMDS and CMD for sealer", () => {
  test("launch what is declared or inherited", () => {
    assert.deepEqual(
      errors(`${app}LAUNCH nginx redis\n`, {
        files: ["nginx.yaml"],
        baseApps: { "docker.io/sealerio/kubernetes:v1-22-15-sealerio-2": ["redis"] },
      }),
      [],
    );
    assert.deepEqual(errors(`FROM scratch\nLAUNCH nginx\n`, { files: [] }), ["error KF104 nginx"]);
  });
  test("stand once, at the end; comments and blank lines do not count", () => {
    assert.deepEqual(said(`${app}LAUNCH nginx\n\n# the end\n`), []);
    assert.deepEqual(errors(`${app}LAUNCH nginx\nRUN ls\n`), ["error KF101 LAUNCH"]);
    assert.deepEqual(errors(`${base}CMDS ["a"]\nRUN ls\n`), ["error KF101 CMDS"]);
    assert.deepEqual(errors(`${app}LAUNCH nginx\nLAUNCH nginx\n`), ["error KF101 LAUNCH", "error KF102 LAUNCH"]);
    assert.deepEqual(errors(`${base}CMDS ["a"]\nCMDS ["b"]\n`), ["error KF101 CMDS", "error KF102 CMDS"]);
  });
  test("exclude each other: LAUNCH and CMDS, LAUNCH and CMD", () => {
    assert.ok(errors(`${app}CMDS ["a"]\nLAUNCH nginx\n`).includes("error KF103 LAUNCH"));
    assert.deepEqual(errors(`${app}CMD a\nLAUNCH nginx\n`), ["error KF103 LAUNCH"]);
  });
  test("CMD goes together with CMDS, any number of times, anywhere", () =>
    assert.deepEqual(errors(`${base}CMD a\nCMD b\nRUN ls\nCMDS ["c"]\n`), []));
  test("CMD is deprecated", () => assert.deepEqual(said(`${base}CMD a\n`), ["warning KF110 CMD"]));
  test("CMD with an array runs its brackets", () => {
    const [problem] = check(parse(`${base}CMD ["a"]\n`), { dialect: "sealer" });
    assert.match(problem?.message ?? "", /brackets/);
  });
  const gathered: readonly [before: string, after: string][] = [
    ["CMD a\n", 'CMDS ["a"]\n'],
    ['CMD ["a b", "c"]', 'CMDS ["a b", "c"]'],
    ['CMD a\nCMD b "c"\n', 'CMDS ["a", "b \\"c\\""]\n'],
    ["CMD a\n# c\nRUN b\n", '# c\nRUN b\nCMDS ["a"]\n'],
  ];
  for (const [before, after] of gathered) {
    test(`${JSON.stringify(before)} becomes ${JSON.stringify(after)}`, () => {
      for (const problem of check(parse(base + before), { dialect: "sealer" })) {
        const [fix] = problem.fixes;
        assert.ok(fix);
        const text = applyEdits(base + before, fix.edits);
        assert.equal(text, base + after);
        assert.deepEqual(said(text), []);
      }
    });
  }
  test("CMD is cut at a second CMD inside it", () =>
    assert.deepEqual(said(`${base}CMD echo CMD x\n`), ["warning KF110 CMD", "warning KF124 echo CMD x"]));
  test("CMD without arguments crashes", () => assert.deepEqual(errors(`${base}CMD\n`), ["error KF002 CMD"]));
  test("CMDS without an array makes each word a command", () =>
    assert.deepEqual(said(`${base}CMDS kubectl get\n`), ["warning KF120 kubectl get"]));
});

describe("KUBEVERSION for sealer", () => {
  test("crashes without arguments", () =>
    assert.deepEqual(errors(`${base}KUBEVERSION\n`), ["error KF002 KUBEVERSION"]));
  test("is not looked at when the image is built, so that a wrong one is a warning", () =>
    assert.deepEqual(said(`${base}KUBEVERSION latest\n`), ["warning KF111 latest"]));
});
