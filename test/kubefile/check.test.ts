import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CheckOptions, check } from "../../kubefile/check/check.ts";
import { detectDialect } from "../../kubefile/check/dialect.ts";
import { suppressFixes } from "../../kubefile/check/suppress.ts";
import { applyFixes, fixAll } from "../../kubefile/fix.ts";
import { applyEdits } from "../../kubefile/format.ts";
import { parse, reparse } from "../../kubefile/parse.ts";
import { type PretendContext, pretend } from "./support.ts";

/** Problems in short: `error KF004 --odd` for each, in order, with the text they stand under. */
function problems(text: string, options: Partial<CheckOptions> = {}): string[] {
  return check(parse(text), options).map(({ severity, code, span }) =>
    `${severity} ${code} ${text.slice(span.start, span.end)}`.trimEnd(),
  );
}

/** Cases for the body of a file that starts from a pinned image, as sealos reads it. */
const docker: readonly [body: string, ...expected: string[]][] = [
  // Instructions and arguments
  ["RUN ls"],
  ["run ls", "warning KF023 run"],
  ["Run ls", "warning KF023 Run"],
  ["RNU ls", "error KF001 RNU"],
  ["WORKDIR", "error KF002 WORKDIR"],
  ["USER", "error KF002 USER"],
  ["VOLUME", "error KF002 VOLUME"],
  ["EXPOSE", "error KF002 EXPOSE"],
  ["STOPSIGNAL", "error KF002 STOPSIGNAL"],
  ["ONBUILD", "error KF002 ONBUILD"],
  ["SHELL", "error KF002 SHELL"],
  ["HEALTHCHECK", "error KF002 HEALTHCHECK"],
  ["LABEL", "error KF002 LABEL"],
  ["ENV", "error KF002 ENV"],
  ["ARG", "error KF002 ARG"],
  ["ADD", "error KF002 ADD"],
  ["COPY", "error KF002 COPY"],
  ["RUN", "warning KF002 RUN"],
  ["CMD", "warning KF002 CMD"],
  ["ENTRYPOINT", "warning KF002 ENTRYPOINT"],
  ["COPY a", "error KF002 a"],
  ['COPY ["a"]', 'error KF002 "a"'],
  ["COPY <<EOF\na\nEOF", "error KF002 <<EOF"],
  ["COPY <<EOF /a\na\nEOF"],
  ["STOPSIGNAL SIGTERM 9", "error KF003 SIGTERM 9"],
  ["USER a b"],
  ["WORKDIR /a b"],
  // Pairs
  ["ENV A=b"],
  ["ENV A b", "warning KF039 A b"],
  ["ENV A", "error KF002 A"],
  ["ENV A=b C", "error KF009 C"],
  ["ENV =b", "error KF009 =b"],
  ["ENV A="],
  ['ENV A="b', 'error KF010 "b'],
  ["ENV A='b", "error KF010 'b"],
  ["ENV A='b\\'"],
  ['ENV A=b\\"c'],
  ["LABEL a b", "warning KF039 a b"],
  ["LABEL a=b c", "error KF009 c"],
  ["LABEL A=b", "information KF079 A"],
  ['LABEL "a.b"="c"'],
  ["LABEL a=1 a=2", "warning KF080 a"],
  ['ARG A="b', 'error KF010 "b'],
  // Flags
  ["COPY --form=x a b", "error KF004 --form=x"],
  ["COPY --from a b", "error KF005 --from"],
  ["COPY --from= a b", "warning KF005 --from="],
  ["COPY --from=x --from=y a b", "warning KF006 --from=y"],
  ["COPY --link a b"],
  ["COPY --link=true a b"],
  ["COPY --link=maybe a b", "error KF007 maybe"],
  ["COPY --exclude=a --exclude=b . /x"],
  ["COPY --parents a b"],
  ["ADD --checksum=sha256:0 https://x.test/a /a"],
  ["ADD --keep-git-dir=yes https://x.test/a.git /a", "error KF007 yes"],
  ["RUN --mount=type=cache,target=/a ls"],
  ["RUN --mount=type=secret,id=a --mount=type=ssh ls"],
  ["RUN --mount=type=odd ls", "error KF007 type=odd"],
  ["RUN --mount=odd=1 ls", "error KF007 odd=1"],
  ["RUN --mount=type=$T ls"],
  ["RUN --network=none ls"],
  ["RUN --network=bridge ls", "error KF007 bridge"],
  ["RUN --security=insecure ls"],
  ["CMD --odd ls", "warning KF004 --odd"],
  ["HEALTHCHECK --interval=5m --timeout=3s --start-period=1h --start-interval=500ms --retries=3 CMD x"],
  ["HEALTHCHECK --interval=1 CMD x", "error KF007 1"],
  ["HEALTHCHECK --interval=0 CMD x", "warning KF007 0"],
  ["HEALTHCHECK --interval=0s CMD x", "warning KF007 0s"],
  ["HEALTHCHECK --interval=-1s CMD x", "error KF007 -1s"],
  ["HEALTHCHECK --interval=999us CMD x", "warning KF007 999us"],
  ["HEALTHCHECK --interval=1.5s CMD x"],
  ["HEALTHCHECK --interval=1x CMD x", "error KF007 1x"],
  ["HEALTHCHECK --interval=$I CMD x"],
  ["HEALTHCHECK --retries=-1 CMD x", "error KF007 -1"],
  ["HEALTHCHECK --retries=0 CMD x", "warning KF007 0"],
  ["HEALTHCHECK --retries=1.0 CMD x", "error KF007 1.0"],
  ["HEALTHCHECK --retires=1 CMD x", "error KF004 --retires=1"],
  ["HEALTHCHECK none"],
  ["HEALTHCHECK NONE"],
  ["HEALTHCHECK NONE x", "error KF003 x"],
  ["HEALTHCHECK CMD", "error KF002 CMD"],
  ['HEALTHCHECK CMD ["a", 1]', 'error KF011 CMD ["a", 1]'],
  ["HEALTHCHECK CMD []", "error KF002 CMD"],
  ["VOLUME []", "error KF002 []"],
  ['VOLUME ["/a", ""]', 'error KF002 ""'],
  ["HEALTHCHECK TEST x", "error KF036 TEST"],
  // JSON
  ['SHELL ["a"]'],
  ["SHELL a", "error KF011 a"],
  ["SHELL []", "error KF011 []"],
  ['RUN ["a", 1]', 'error KF011 ["a", 1]'],
  ['RUN ["a", ["b"]]', 'error KF011 ["a", ["b"]]'],
  ["RUN ['a', 'b']", "warning KF012 ['a', 'b']"],
  ['RUN ["a",]', 'warning KF012 ["a",]'],
  ["RUN [ -f /x ]"],
  ['COPY ["a", "b"', 'warning KF012 ["a", "b"'],
  ["COPY [a, b]", "warning KF012 [a, b]"],
  ["COPY [a-c]* d/"],
  ["ENV A=x\\\\\nENV B=y", "warning KF025 \\\\"],
  ["RUN x \\\n y"],
  ['RUN ["a"] && b', "warning KF024  && b"],
  // Values
  ["EXPOSE 80"],
  ["EXPOSE 80/tcp 53/udp 1/sctp"],
  ["EXPOSE 80-90"],
  ["EXPOSE 80-70", "warning KF032 80-70"],
  ["EXPOSE 65536", "warning KF032 65536"],
  ["EXPOSE x", "warning KF032 x"],
  ["EXPOSE 80/x", "warning KF032 80/x"],
  ["EXPOSE $PORT ${PORT:-80}/tcp"],
  ["EXPOSE 80/TCP", "warning KF033 80/TCP"],
  ["EXPOSE 80:80", "warning KF034 80:80"],
  ["STOPSIGNAL 9"],
  ["STOPSIGNAL KILL"],
  ["STOPSIGNAL sigkill"],
  ["STOPSIGNAL SIGRTMIN+3"],
  ["STOPSIGNAL $S"],
  ["STOPSIGNAL 0", "error KF035 0"],
  ["STOPSIGNAL -1", "warning KF035 -1"],
  ["STOPSIGNAL SIGX", "error KF035 SIGX"],
  ["ONBUILD RUN ls"],
  ["ONBUILD run ls", "warning KF023 run"],
  ["ONBUILD COPY a", "warning KF002 a"],
  ["ONBUILD ONBUILD RUN ls", "error KF022 ONBUILD"],
  ["ONBUILD FROM x", "error KF022 FROM"],
  ["ONBUILD RNU ls", "warning KF001 RNU"],
  ["WORKDIR a", "warning KF037 a"],
  ["WORKDIR /a\nWORKDIR b"],
  ["WORKDIR C:\\a"],
  ["WORKDIR $A"],
  ["MAINTAINER a", "warning KF038 MAINTAINER"],
  // Variables
  ["COPY ${A b c", "error KF019 ${A b c", "warning KF075 c"],
  ["ENV A=${B:=c}", "error KF019 :=c"],
  ["ENV A=${B:x}", "error KF019 :x"],
  ["ENV A=${B:-c} C=${D%.*} E=${F##*/} G=${H/a/b} I=${J:?no}"],
  ["RUN echo ${A:=b} ${B"],
  // Sources
  ["COPY a b c", "warning KF075 c"],
  ["COPY a b c/"],
  ["COPY a b ."],
  ["COPY a b .."],
  ["COPY a b $DIR"],
  ["COPY ../a b", "warning KF081 ../a"],
  ["ADD a b", "information KF076 ADD"],
  ["ADD a.tar.gz b"],
  ["ADD a* b"],
  ["ADD https://x.test/a b"],
  // Advice
  ["ENV A=1\nENV B=$A"],
  ["ENV A=1 B=$A", "warning KF063 $A"],
  ["ENV PATH=/x:$PATH"],
  ["ENV PASSWORD=x", "warning KF070 PASSWORD"],
  ["ARG github_token", "warning KF070 github_token"],
  ["ARG PUBLIC_KEY"],
  ["ENV KEYBOARD=de"],
  ["ENTRYPOINT a", "information KF074 a"],
  ['ENTRYPOINT ["a"]'],
  ["CMD a\nCMD b", "warning KF073 CMD a"],
  ['ENTRYPOINT ["a"]\nENTRYPOINT ["b"]', 'warning KF073 ENTRYPOINT ["a"]'],
  ["RUN a | b", "information KF078 a | b"],
  ["RUN a || b"],
  ["RUN set -o pipefail && a | b"],
  ["RUN echo 'a | b'"],
  // Dialect
  ["APP a local://a.yaml", "error KF008 APP"],
  ["LAUNCH a", "error KF008 LAUNCH", "error KF104 a"],
  ["KUBEVERSION 1.22", "error KF008 KUBEVERSION"],
];

/** What buildah 1.28 and older refuse. */
const recent: readonly [body: string, ...expected: string[]][] = [
  ["COPY <<EOF /x\nEOF", "<<EOF"],
  ["RUN <<EOF\nEOF", "<<EOF"],
  ["COPY --link --parents --exclude=x a b", "--link", "--parents", "--exclude=x"],
  ["COPY --chmod=u+x a b", "u+x"],
  ["COPY --chmod=0755 --chown=1:2 --from=x a b"],
  ["RUN --network=none x", "--network=none"],
  ["RUN --mount=type=cache,target=/x x"],
  ["ADD --checksum=sha256:0 https://x.test/a b", "--checksum=sha256:0"],
  ["ENV A=${B-c} C=${D:-e} F=${G:?h} I=${J%k}", "${B-c}", "${G:?h}", "${J%k}"],
  ["RUN echo ${B-c}"],
  ["ONBUILD ENV A=${B-c}", "${B-c}"],
  ["HEALTHCHECK --start-interval=1s CMD x", "--start-interval=1s"],
];

describe("older buildah refuses below FROM scratch", () => {
  for (const [body, ...expected] of recent) {
    test(`${JSON.stringify(body)}: ${expected.join(", ") || "nothing"}`, () => {
      const found = problems(`FROM scratch\n${body}\n`, { dialect: "sealos" }).filter((one) => one.includes("KF026"));
      assert.deepEqual(
        found,
        expected.map((text) => `information KF026 ${text}`),
      );
    });
  }
});

describe("sealos reads below FROM scratch", () => {
  for (const [body, ...expected] of docker) {
    test(`${JSON.stringify(body)}: ${expected.join(", ") || "nothing to say"}`, () => {
      assert.deepEqual(
        problems(`FROM scratch\n${body}\n`, { dialect: "sealos" }).filter((one) => !/KF057|KF026/.test(one)),
        expected,
      );
    });
  }
});

const sealer: readonly [body: string, ...expected: string[]][] = [
  ["COPY a b"],
  ["COPY ${ARCH}/a b"],
  ["COPY $DIR/a b", "warning KF118 $DIR"],
  ["COPY a $DIR"],
  ["COPY a b c/", "warning KF112 b c/"],
  ["COPY --chown=1 a b", "warning KF113 --chown=1"],
  ["COPY --odd=1 a b", "warning KF004 --odd=1", "warning KF113 --odd=1"],
  ["COPY a", "error KF002 a"],
  ["COPY a.yaml .", "information KF119 ."],
  ["COPY a.yaml manifests/"],
  ["COPY a.yaml ./manifests"],
  ["COPY a.yaml etc/"],
  ["COPY kubeadm.yml etc/kubeadm.yml"],
  ["ADD ${ARCH}/x.tar /", "warning KF118 ${ARCH}"],
  ["WORKDIR /a", "error KF008 WORKDIR"],
  ["HEALTHCHECK NONE", "error KF008 HEALTHCHECK"],
  ["RUN <<EOF\nEOF", "error KF015 <<EOF"],
  ["env A=1", "warning KF023 env", "error KF116 env"],
  ['ENV A="b c"', 'warning KF114 "b c"'],
  ["ENV A b", "warning KF039 A b", "warning KF115 A b"],
  ['ENV A="b', 'warning KF010 "b'],
  ["EXPOSE 99999", "error KF008 EXPOSE", "warning KF032 99999"],
  ["APP a local://a.yaml"],
  ["APP a http://x.test/a.yaml https://x.test/b.yaml"],
  ["APP a oss://x", "error KF106 oss://x"],
  ["APP a helm://x", "error KF106 helm://x"],
  ["APP a x", "error KF106 x"],
  ["APP a local://", "error KF106 local://"],
  ["APP a", "warning KF002 a".replace(" a", " APP")],
  ["APP", "error KF002 APP"],
  ["APP --odd a local://a", "warning KF004 --odd"],
  ["APP A_b local://a", "warning KF122 A_b"],
  ["app a local://a.yaml", "warning KF023 app"],
  ["APP a local://a\nAPP a local://b", "warning KF108 a"],
  ["APP a local://a\nAPPENV a B=c"],
  ["APP a local://a\nAPPENV a B", "warning KF121 B"],
  ["APP a local://a\nAPPENV b B=c", "error KF104 b"],
  ["APPENV a B=c\nAPP a local://a", "error KF105 a"],
  ['APP a local://a\nAPPCMDS a ["b"]'],
  ["APP a local://a\nAPPCMDS a b", "error KF011 a b"],
  ['APP a local://a\nAPPCMDS a ["b", 1]', 'error KF011 a ["b", 1]'],
  ["APP a local://a\nAPPCMDS", "error KF002 APPCMDS"],
  ["APP a local://a\nLAUNCH a"],
  ['APP a local://a\nLAUNCH ["a"]'],
  ["APP a local://a\nLAUNCH b", "error KF104 b"],
  ["CNI a local://a\nCSI b local://b\nLAUNCH a b"],
  ["CNI a local://a\nCNI b local://b", "warning KF109 CNI"],
  ["CSI a local://a\nCSI b local://b"],
  ["APP a local://a\nLAUNCH a\n# done\n"],
  ["APP a local://a\nLAUNCH a\nRUN x", "error KF101 LAUNCH"],
  ["APP a local://a\nLAUNCH a\nLAUNCH a", "error KF101 LAUNCH", "error KF102 LAUNCH"],
  ['CMDS ["a"]'],
  ['CMDS ["a"]\nRUN b', "error KF101 CMDS"],
  ["CMDS a b", "warning KF120 a b"],
  ["CMDS a"],
  ['CMDS ["a"]\nCMDS ["b"]', "error KF101 CMDS", "error KF102 CMDS"],
  ['APP a local://a\nCMDS ["a"]\nLAUNCH a', "error KF101 CMDS", "error KF103 LAUNCH"],
  ["CMD a\nAPP a local://a\nLAUNCH a", "warning KF110 CMD", "error KF103 LAUNCH"],
  ["CMD a\nCMD b", "warning KF110 CMD", "warning KF110 CMD"],
  ['CMD a\nCMDS ["b"]', "warning KF110 CMD"],
  ["CMD echo CMD x", "warning KF110 CMD", "warning KF124 echo CMD x"],
  ["KUBEVERSION >=1.22.0"],
  ["KUBEVERSION >=1.22.0 <1.30.0"],
  ["KUBEVERSION >= 1.22, < 1.30 || 1.31.x"],
  ["KUBEVERSION ~1.28"],
  ["KUBEVERSION ^1.2.3-rc.1+b"],
  ["KUBEVERSION v1.22.15"],
  ["KUBEVERSION 1.22 - 1.24"],
  ["KUBEVERSION *"],
  ["KUBEVERSION newer", "warning KF111 newer"],
  ["KUBEVERSION", "error KF002 KUBEVERSION"],
  ["COPPY a b", "error KF001 COPPY"],
  ["LABEL a=b c", "error KF009 c"],
];

describe("sealer reads below FROM scratch", () => {
  for (const [body, ...expected] of sealer) {
    test(`${JSON.stringify(body)}: ${expected.join(", ") || "nothing to say"}`, () => {
      assert.deepEqual(
        problems(`FROM scratch\n${body}\n`, { dialect: "sealer" }).filter((one) => !/KF057|KF026/.test(one)),
        expected,
      );
    });
  }
});

const whole: readonly [text: string, dialect: CheckOptions["dialect"], ...expected: string[]][] = [
  ["", "auto"],
  ["\n\n# x\n", "auto"],
  ["F", "auto", "error KF001 F"],
  ["FROM", "auto", "error KF002 FROM"],
  ["ARG A=1\nFROM a:$A", "sealos"],
  ["ARG A=1\nFROM a:$A", "sealer", "error KF117 $A"],
  ["ARG A\nFROM a:$A", "sealos", "warning KF059 $A"],
  ["ARG A\nFROM ${A:-x}:1", "sealos"],
  ["FROM a:$A", "sealos", "warning KF058 $A"],
  ["FROM --platform=$BUILDPLATFORM a:1", "sealos"],
  ["FROM a:1 as b", "sealos", "warning KF053 as"],
  ["from a:1 as b", "sealos", "warning KF023 from"],
  ["FROM a:1 b c", "sealos", "error KF003 b c"],
  ["FROM a:1 b c", "sealer", "warning KF003 b c"],
  ["FROM a:1 AS", "sealos", "error KF002 AS"],
  ["FROM a:1 AS b c", "sealos", "error KF003 c"],
  ["FROM a:1 AS 1", "sealos", "warning KF031 1"],
  ["FROM a:1 AS a_b.c-1", "sealos"],
  ["FROM a:1 AS A", "sealos", "warning KF052 A"],
  ["FROM a", "sealos", "warning KF071 a"],
  ["FROM a:latest", "sealos", "warning KF071 a:latest"],
  ["FROM localhost:5000/a/b:1", "sealos"],
  ["FROM [::1]:5000/a:1", "sealos"],
  ["FROM a@sha256:0000000000000000000000000000000000000000000000000000000000000000", "sealos"],
  ["FROM a:1@sha256:00", "sealos", "error KF030 a:1@sha256:00"],
  ["FROM A/b:1", "sealos"],
  ["FROM a/B:1", "sealos", "error KF030 a/B:1"],
  ["FROM a:1:2", "sealos", "error KF030 a:1:2"],
  ["FROM a//b", "sealos", "error KF030 a//b"],
  ["FROM a:1 AS b\nFROM b\nCOPY --from=0 x y\nCOPY --from=b x y", "sealos"],
  ["FROM a:1 AS b\nFROM b\nCOPY --from=B x y", "sealos", "warning KF054 B"],
  ["FROM a:1 AS b\nFROM b\nCOPY --from=1 x y", "sealos", "error KF055 1"],
  ["FROM a:1 AS b\nFROM b\nCOPY --from=2 x y", "sealos", "error KF054 2"],
  ["FROM a:1 AS build\nFROM build\nCOPY --from=biuld x y", "sealos", "warning KF054 biuld"],
  ["FROM a:1 AS b\nFROM b\nCOPY --from=nginx x y", "sealos"],
  ["FROM a:1 AS x\nCOPY --from=y a b\nFROM a:1 AS y\nCOPY --from=x a b", "sealos", "error KF055 x", "error KF055 y"],
  ["FROM a:1 AS x\nCOPY --from=y a b\nFROM a:1 AS y", "sealos", "information KF056 FROM a:1 AS x"],
  ["RUN x\nFROM a:1", "sealos", "error KF020 RUN"],
  ["RUN x\nFROM a:1", "sealer", "warning KF020 RUN"],
  ["RUN x", "sealos", "error KF021 RUN"],
  ["ARG A", "sealos", "error KF021 ARG"],
  ["FOO", "sealos", "error KF001 FOO"],
  ["# escape=x\nFROM a:1", "auto", "error KF016 x"],
  ["# escape=`\n# escape=`\nFROM a:1", "auto", "error KF016 # escape=`"],
  ["# escape=``\nFROM a:1\nENV A=1 `\n B=2", "auto", "warning KF016 ``"],
  ["# syntax=a\n# syntax=b\nFROM a:1", "auto", "warning KF016 # syntax=b"],
  ["# Syntax=x\nFROM a:1", "auto", "warning KF017 Syntax"],
  ["# unknown=x\n# escape=`\nFROM a:1", "auto", "warning KF018 # escape=`"],
  // auto: what one dialect refuses is a warning
  ["FROM a:1\nAPP a local://a.yaml\nWORKDIR /x", "auto", "warning KF008 WORKDIR"],
  ["FROM a:1\nWORKDIR /x", "auto"],
  ["FROM sealerio/k:1\nWORKDIR /x", "auto", "warning KF008 WORKDIR"],
  ["FROM labring/k:1\nCOPY a b c/", "auto"],
  ["FROM sealerio/k:1\nCOPY a b c/", "auto", "warning KF112 b c/"],
  ["FROM sealerio/k:1\nLAUNCH any", "auto", "information KF104 any"],
  ["FROM sealerio/k:1\nAPP nginx local://a.yaml\nLAUNCH ngnix", "auto", "warning KF104 ngnix"],
  ["FROM scratch\nARG VERSION\nENV A=$VERSOIN", "auto", "warning KF057 $VERSOIN"],
  ["FROM a:1\nENV A=$FROM_THE_BASE", "auto"],
  ["FROM scratch AS x\nENV A=1\nFROM x\nENV B=$A", "sealos"],
  ["ARG G=1\nFROM scratch\nENV B=$G", "sealos", "warning KF057 $G"],
  ["ARG G=1\nFROM scratch\nARG G\nENV B=$G", "sealos"],
  ["FROM scratch\nRUN --mount=type=bind,from=b,target=/x y", "sealos"],
];

describe("a whole file", () => {
  for (const [text, dialect, ...expected] of whole) {
    test(`${JSON.stringify(text)} as ${dialect}: ${expected.join(", ") || "nothing to say"}`, () => {
      assert.deepEqual(problems(text, { dialect }), expected);
    });
  }
});

const world: readonly [body: string, facts: PretendContext, ...expected: string[]][] = [
  ["COPY a b", { files: ["a"] }],
  ["COPY ./a b", { files: ["a"] }],
  ["COPY /a b", { files: ["a"] }],
  ["COPY a b", {}, "error KF082 a"],
  ["COPY *.yaml b/", { files: ["a.yaml"] }],
  ["COPY *.yaml b/", { files: ["a.txt"] }, "error KF082 *.yaml"],
  ["COPY . b", {}],
  ["COPY ${A:-x} b", {}],
  ["COPY --from=x a b", {}],
  ["COPY <<EOF b\nEOF", {}, "information KF026 <<EOF"],
  ["ADD https://x.test/a b", {}],
  ["COPY a b", { files: ["a"], ignore: "a" }, "warning KF083 a"],
  ["COPY d b", { files: ["d/x"], ignore: "d" }, "warning KF083 d"],
  ["COPY d b", { files: ["d/x", "d/y"], ignore: "d/*\n!d/x" }],
  ["COPY d b", { files: ["d/x", "d/y"], ignore: "d\n!d/x" }],
  ["COPY *.x b/", { files: ["a.x", "b.x"], ignore: "a.x" }],
  ["APP a local://a.yaml", { files: ["a.yaml"] }],
  ["APP a local://a.yaml", {}, "error KF082 a.yaml"],
  ["APP a local://a.yaml", { files: ["a.yaml"], ignore: "*.yaml" }, "warning KF083 a.yaml"],
  ["APP a local://d", { files: ["d/a.yaml", "d/README.md"] }, "error KF107 a"],
  ['APP a local://d\nAPPCMDS a ["x"]', { files: ["d/a.yaml", "d/README.md"] }],
  ["APP a local://d", { files: ["d/Chart.yaml", "d/values.yaml", "d/templates/x.yaml", "d/README.md"] }],
  ["APP a https://x.test/a.yaml?x=1", {}],
  ["APP a https://x.test/a", {}, "error KF107 a"],
];

describe("with a build context", () => {
  for (const [body, facts, ...expected] of world) {
    test(`${JSON.stringify(body)} and ${JSON.stringify(facts)}: ${expected.join(", ") || "nothing to say"}`, () => {
      assert.deepEqual(problems(`FROM scratch\n${body}\n`, { context: pretend(facts) }), expected);
    });
  }

  test("an ignored source names the file and line that leave it out", () => {
    const [problem] = check(parse("FROM scratch\nCOPY docs/a x\n"), {
      context: pretend({ files: ["docs/a"], ignore: "# all\n\ndocs\n" }),
    });
    assert.equal(problem?.message, "docs/a is left out by .dockerignore, line 3: docs.");
  });

  test("applications of a known base image need no declaration, and unknown ones are errors then", () => {
    const context = pretend({ baseApps: { "k:1": ["calico"] } });
    assert.deepEqual(problems("FROM k:1\nLAUNCH calico nginx", { context }), ["error KF104 nginx"]);
  });

  test("the platform of a base image is compared with the one that is built", () => {
    const context = pretend({ platforms: ["linux/amd64"], targetPlatform: "linux/arm64" });
    assert.deepEqual(problems("FROM k:1", { context }), ["warning KF062 k:1"]);
    assert.deepEqual(problems("FROM --platform=linux/amd64 k:1", { context }), [
      "information KF061 --platform=linux/amd64",
    ]);
  });
});

describe("the dialect of a file is told by", () => {
  const cases: readonly [text: string, dialect: string | undefined][] = [
    ["FROM scratch\nCOPY a b", undefined],
    ["FROM scratch\nAPP a local://b", "sealer"],
    ["FROM scratch\nWORKDIR /a", "sealos"],
    ["FROM scratch\nWORKDIR /a\nLAUNCH b", "sealer"],
    ["FROM sealerio/kubernetes:1", "sealer"],
    ["FROM registry.cn-qingdao.aliyuncs.com/sealer-apps/helm:v3", "sealer"],
    ["FROM docker.io/labring/kubernetes:1", "sealos"],
    ["FROM scratch\nCOPY --from=x a b", "sealos"],
    ["FROM scratch\nRUN <<EOF\nEOF", "sealos"],
    ['FROM scratch\nCMD ["helm $(NAME)"]', "sealos"],
    ["FROM scratch\nCMD a $(NAME)", undefined],
    ["", undefined],
  ];
  for (const [text, dialect] of cases) {
    test(`${JSON.stringify(text)}: ${dialect ?? "nothing"}`, () =>
      assert.equal(detectDialect(parse(text)).dialect, dialect));
  }
});

describe("settings and comments", () => {
  test("a severity of the settings takes the place of the rule's own, and off silences it", () => {
    assert.deepEqual(problems("FROM a", { severities: { KF071: "error" } }), ["error KF071 a"]);
    assert.deepEqual(problems("FROM a", { severities: { KF071: "off" } }), []);
    assert.deepEqual(problems("FROM a:1", { severities: { KF072: "hint" } }), ["hint KF072 a:1"]);
  });

  test("a comment silences a rule for the instruction below it only", () => {
    assert.deepEqual(problems("FROM scratch\n# kubefile ignore=KF023\ncopy a b\ncopy a b"), ["warning KF023 copy"]);
    assert.deepEqual(problems("FROM scratch\n# kubefile ignore=instruction-casing\n\n# more\ncopy a b"), []);
    assert.deepEqual(problems("FROM scratch\n# kubefile ignore=KF001\ncopy a b"), ["warning KF023 copy"]);
  });

  test("a global comment silences a rule wherever it stands, and all means every rule", () => {
    assert.deepEqual(problems("FROM a\ncopy a b\n# kubefile global ignore=KF071,KF023"), []);
    assert.deepEqual(problems("FROM a\n# kubefile ignore=all\ncopy a"), ["warning KF071 a"]);
  });

  test("BuildKit's own directive skips its checks", () => {
    assert.deepEqual(problems("# check=skip=StageNameCasing\nFROM a:1 AS B"), []);
  });

  test("no more problems than asked for are given, the worst ones", () => {
    const text = `FROM scratch\n${"copy a b\n".repeat(20)}COPY a\n`;
    assert.deepEqual(
      check(parse(text), { limit: 2 }).map((one) => one.severity),
      ["warning", "error"],
    );
  });
});

describe("fixes", () => {
  test("safe fixes are applied together, suggestions are left", () => {
    const fixed = fixAll("from scratch as Base\nENV A 1\nRUN a \\\n\n  b\nCOPPY a b\n");
    assert.equal(fixed.text, "FROM scratch AS Base\nENV A=1\nRUN a \\\n  b\nCOPPY a b\n");
  });

  test("a fix that overlaps another one waits", () => {
    const span = { start: 0, end: 4 };
    const base = { code: "KF023", severity: "warning", span, message: "", related: [], tags: [] } as const;
    const one = { ...base, fixes: [{ title: "a", safe: true, edits: [{ span, text: "FROM" }] }] };
    const two = { ...base, fixes: [{ title: "b", safe: true, edits: [{ span: { start: 2, end: 5 }, text: "x" }] }] };
    const fixed = applyFixes("from a", [one, two]);
    assert.equal(fixed.text, "FROM a");
    assert.deepEqual([fixed.applied.length, fixed.skipped.length], [1, 1]);
  });

  test("every fix of a problem leads to a file without that problem there", () => {
    const texts = [
      "FROM a:1\nCOPPY a b",
      "FROM a:1\nRUN --mout=type=ssh x",
      "FROM a:1 AS build\nFROM build\nCOPY --from=biuld x y",
      "FROM scratch\nAPP a x",
      "FROM scratch\nAPP nginx local://a\nLAUNCH ngnix",
      'FROM scratch\nAPP nginx local://a\nLAUNCH ["ngnix"]',
      "FROM scratch\nCMDS a b",
      'FROM scratch\nMAINTAINER A "B"',
      "FROM scratch\nCMDS ['a']",
      "# escape=x\nFROM scratch",
      "FROM scratch\nARG VERSION\nENV A=$VERSOIN",
      "FROM a:1\nEXPOSE 80:90/TCP",
      "COPY a b",
    ];
    for (const text of texts) {
      const kubefile = parse(text);
      for (const problem of check(kubefile)) {
        for (const fix of problem.fixes) {
          const after = applyEdits(text, fix.edits);
          const left = check(parse(after)).filter((one) => one.code === problem.code);
          assert.deepEqual(left, [], `${problem.code} in ${JSON.stringify(text)}: ${fix.title}`);
        }
      }
    }
  });

  test("every problem can be silenced for its instruction and for the file", () => {
    for (const text of [
      "\ufefffrom a AS B\r\ncopy a b\r\n",
      "# escape=`\nFROM a\nEXPOSE x\n",
      "FROM a\nRUN x \\\n\n y",
    ]) {
      const kubefile = parse(text);
      for (const problem of check(kubefile)) {
        const fixes = suppressFixes(kubefile, problem);
        assert.equal(fixes.length, 2);
        for (const fix of fixes) {
          const after = parse(applyEdits(text, fix.edits));
          const delta = fix.edits[0]?.text.length ?? 0;
          const again = check(after).filter((one) => one.code === problem.code);
          const same = again.filter(
            (one) => fix.title.endsWith("file") || one.span.start === problem.span.start + delta,
          );
          assert.deepEqual(same, [], `${problem.code}: ${fix.title} in ${JSON.stringify(after.text)}`);
        }
      }
    }
  });
});

test("problems after an edit are those of the new text", () => {
  const text = "FROM a AS b\nCOPY --from=B a b c\nEXPOSE 80/TCP x\n";
  let kubefile = parse(text);
  check(kubefile);
  for (const at of [0, 6, 12, 20, text.length]) {
    kubefile = reparse(kubefile, { span: { start: at, end: at }, text: "\n" });
    assert.deepEqual(check(kubefile), check(parse(kubefile.text)));
  }
});

describe("images come from allowed registries", () => {
  const allowedRegistries = ["registry.example.org:5000", "*.site.test", "docker.io"];
  const cases: readonly [text: string, ...expected: string[]][] = [
    ["FROM registry.example.org:5000/a/b:1"],
    ["FROM one.site.test/a:1"],
    ["FROM alpine:3.20"],
    ["FROM library/alpine:3.20"],
    ["FROM docker.io/library/alpine:3.20"],
    ["FROM scratch"],
    ["FROM quay.io/a/b:1", "error KF086 quay.io/a/b:1"],
    ["FROM site.test/a:1", "error KF086 site.test/a:1"],
    ["FROM registry.example.org/a/b:1", "error KF086 registry.example.org/a/b:1"],
    ["FROM localhost/a:1", "error KF086 localhost/a:1"],
    ["ARG HOST=quay.io\nFROM $HOST/a:1"],
    ["ARG TAG=1\nFROM quay.io/a:$TAG", "error KF086 quay.io/a:$TAG"],
    ["FROM scratch AS a\nFROM a\nCOPY --from=a /x /y\nCOPY --from=0 /x /z"],
    ["FROM scratch\nCOPY --from=quay.io/a:1 /x /y", "error KF086 quay.io/a:1"],
    [
      "FROM scratch\nRUN --mount=type=bind,from=quay.io/a:1,target=/a x",
      "error KF086 type=bind,from=quay.io/a:1,target=/a",
    ],
  ];
  for (const [text, ...expected] of cases) {
    test(`${JSON.stringify(text)}: ${expected.join(", ") || "nothing to say"}`, () => {
      const found = problems(text, { dialect: "sealos", allowedRegistries }).filter((one) => one.includes("KF086"));
      assert.deepEqual(found, expected);
      assert.deepEqual(
        problems(text, { dialect: "sealos" }).filter((one) => one.includes("KF086")),
        [],
      );
    });
  }
});

describe("values of labels", () => {
  const label = (name: string, value: string): string[] =>
    problems(`FROM scratch\nLABEL ${name}=${value}\n`, { dialect: "sealos" });
  const oci = "org.opencontainers.image.";
  const good: readonly [string, string][] = [
    ["created", "2024-05-07T10:00:00Z"],
    ["created", '"2024-05-07 10:00:00.5+02:00"'],
    ["created", "$DATE"],
    ["url", "https://example.org/a?b#c"],
    ["source", "git@example.org:a/b.git"],
    ["documentation", "http://localhost:80/"],
    ["licenses", "Apache-2.0"],
    ["licenses", '"MIT OR (GPL-2.0-only WITH Classpath-exception-2.0)"'],
    ["version", "1.2.3"],
    ["version", "v1.22"],
    ["version", "1.2.3-rc.1+build"],
    ["title", '"anything at all"'],
    ["revision", "main"],
  ];
  for (const [name, value] of good) {
    test(`${name} may be ${value}`, () =>
      assert.deepEqual(
        label(`${oci}${name}`, value).filter((one) => /KF08[78]/.test(one)),
        [],
      ));
  }
  const bad: readonly [string, string][] = [
    ["created", "today"],
    ["created", "2024-05-07"],
    ["created", "2024-13-07T10:00:00Z"],
    ["url", "example.org"],
    ["source", "/local/path"],
    ["licenses", '"Apache License, Version 2"'],
    ["version", "latest"],
  ];
  for (const [name, value] of bad) {
    test(`${name} is not ${value}`, () =>
      assert.deepEqual(label(`${oci}${name}`, value), [`information KF088 ${value}`]));
  }
  test("are not empty", () => {
    assert.deepEqual(label("a.b", ""), ["information KF087 a.b="]);
    assert.deepEqual(label("a.b", '" "'), ['information KF087 a.b=" "']);
  });
});

describe("advice about whole stages", () => {
  test("CMD as plain text behind an ENTRYPOINT that is an array", () => {
    const said = (body: string): string[] => problems(`FROM scratch\n${body}`, { dialect: "sealos" });
    assert.deepEqual(said('ENTRYPOINT ["a"]\nCMD b c'), ["warning KF074 b c"]);
    assert.deepEqual(said('CMD b c\nENTRYPOINT ["a"]'), ["warning KF074 b c"]);
    assert.deepEqual(said('ENTRYPOINT ["a"]\nCMD ["b"]'), []);
    assert.deepEqual(said("CMD kubectl apply -f a.yaml"), []);
    assert.deepEqual(
      said('ENTRYPOINT ["a"]\nFROM scratch\nCMD b').filter((one) => one.includes("KF074")),
      [],
    );
  });
  test("a relative destination without WORKDIR, when it is asked for", () => {
    const severities = { KF089: "warning" } as const;
    const said = (text: string): string[] => problems(text, { dialect: "sealos", severities });
    assert.deepEqual(said("FROM a:1\nCOPY x y"), ["warning KF089 y"]);
    assert.deepEqual(said("FROM a:1\nCOPY x /y"), []);
    assert.deepEqual(said("FROM a:1\nWORKDIR /w\nCOPY x y"), []);
    assert.deepEqual(said("FROM scratch\nCOPY x y"), []);
    assert.deepEqual(problems("FROM a:1\nCOPY x y", { dialect: "sealos" }), []);
  });
});
