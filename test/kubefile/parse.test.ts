import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse, reparse } from "../../kubefile/parse.ts";
import type { Instruction, Word } from "../../kubefile/syntax.ts";
import { logicalOffset, sourceOffset } from "../../kubefile/words.ts";

/** One instruction in short: its kind and its parts, so that a case is text in, text out. */
function shape(node: Instruction): string {
  const flags = node.flags.map(
    (flag) => `--${flag.name.value}${flag.value === undefined ? "" : `=${flag.value.value}`}`,
  );
  return [node.kind, ...flags, ...parts(node)].join(" | ");
}

function words(list: readonly (Word | undefined)[]): string[] {
  return list.map((word) => word?.value ?? "-");
}

function parts(node: Instruction): string[] {
  switch (node.kind) {
    case "FROM":
      return words([node.image, node.stageName]);
    case "COPY":
    case "ADD":
      return [...words(node.sources), `→ ${node.destination?.value ?? "-"}`];
    case "ENV":
    case "LABEL":
    case "ARG":
      return [
        ...(node.legacy ? ["old"] : []),
        ...node.pairs.map((pair) => `${pair.name.value}=${pair.value?.value ?? "-"}`),
      ];
    case "RUN":
    case "CMD":
    case "ENTRYPOINT":
    case "SHELL":
      return command(node);
    case "HEALTHCHECK":
      return [...words([node.mode]), ...command(node)];
    case "APP":
    case "CNI":
    case "CSI":
      return [...words([node.app]), ...node.sources.map((source) => `${source.scheme ?? "?"}:${source.path.value}`)];
    case "APPENV":
      return [...words([node.app]), ...node.pairs.map((pair) => `${pair.name.value}=${pair.value?.value ?? "-"}`)];
    case "APPCMDS":
      return [...words([node.app]), ...(node.commands === undefined ? ["no array"] : words(node.commands))];
    case "LAUNCH":
      return words(node.apps);
    case "CMDS":
      return words(node.commands);
    case "KUBEVERSION":
      return words([node.constraint]);
    case "WORKDIR":
      return words([node.path]);
    case "USER":
      return words([node.user]);
    case "STOPSIGNAL":
      return words([node.signal]);
    case "EXPOSE":
      return words(node.ports);
    case "VOLUME":
      return words(node.paths);
    case "ONBUILD":
      return node.trigger === undefined ? ["-"] : [`(${shape(node.trigger)})`];
    case "MAINTAINER":
    case "UNKNOWN":
      return words([node.rest]);
    default:
      return node satisfies never;
  }
}

function command(node: Extract<Instruction, { command: unknown }>): string[] {
  if (node.command === undefined) return ["-"];
  return node.command.form === "exec" ? ["exec", ...words(node.command.elements)] : ["shell", node.command.text];
}

const cases: readonly [text: string, ...expected: string[]][] = [
  ["FROM scratch", "FROM | scratch | -"],
  ["  from\ta \t as b", "FROM | a | b"],
  ["FROM --platform=linux/amd64 a:b@c AS d", "FROM | --platform=linux/amd64 | a:b@c | d"],
  ["FROM a b c", "FROM | a | -"],
  ["FROM a AS", "FROM | a | -"],
  ["FROM", "FROM | - | -"],
  ["COPY a b", "COPY | a | → b"],
  ["COPY a", "COPY | → a"],
  ["COPY a b c/", "COPY | a | b | → c/"],
  ['COPY ["a b", "c\\u0064"]', "COPY | a b | → cd"],
  ["COPY ['a', 'b']", "COPY | [a, | → b]"],
  ["COPY --from=x --link a b", "COPY | --from=x | --link | a | → b"],
  ['COPY --chown="a b" c d', "COPY | --chown=a b | c | → d"],
  ["COPY -- --odd /x", "COPY | --odd | → /x"],
  ["COPY a\\ b c", "COPY | a\\ | b | → c"],
  ['COPY "a b" c', 'COPY | "a | b" | → c'],
  ["ADD https://x.test/y /z", "ADD | https://x.test/y | → /z"],
  ["ENV A=b C=d", "ENV | A=b | C=d"],
  ["ENV A b c", "ENV | old | A=b c"],
  ["ENV A", "ENV | old | A=-"],
  ["ENV A=\"b c\" D='e f' G=h\\ i", "ENV | A=b c | D=e f | G=h i"],
  ["ENV A=b=c", "ENV | A=b=c"],
  ["ENV A= B", "ENV | A= | B=-"],
  ['ENV A="b\\"c"', 'ENV | A=b"c'],
  ['LABEL a.b=c "d e"=f', "LABEL | a.b=c | d e=f"],
  ["ARG A", "ARG | A=-"],
  ["ARG A=1 B", "ARG | A=1 | B=-"],
  ["RUN echo  a | b", "RUN | shell | echo  a | b"],
  ['RUN ["a", "b c"]', "RUN | exec | a | b c"],
  ["RUN [ -f x ] && y", "RUN | shell | [ -f x ] && y"],
  ["RUN [[ -f x ]]", "RUN | shell | [[ -f x ]]"],
  [
    "RUN --mount=type=cache,target=/a --network=none b",
    "RUN | --mount=type=cache,target=/a | --network=none | shell | b",
  ],
  ["RUN", "RUN | -"],
  ['CMD ["a"] tail', "CMD | exec | a"],
  ["CMD a b", "CMD | shell | a b"],
  ["CMD []", "CMD | exec"],
  ['ENTRYPOINT ["a"]', "ENTRYPOINT | exec | a"],
  ['SHELL ["/bin/sh", "-c"]', "SHELL | exec | /bin/sh | -c"],
  ["HEALTHCHECK NONE", "HEALTHCHECK | NONE | -"],
  ["HEALTHCHECK --interval=1s CMD a b", "HEALTHCHECK | --interval=1s | CMD | shell | a b"],
  ['HEALTHCHECK CMD ["a"]', "HEALTHCHECK | CMD | exec | a"],
  [
    "APP nginx local://a.yaml https://x.test/b.yaml",
    "APP | nginx | local:a.yaml | https://x.test/b.yaml".replace("https://", "https:"),
  ],
  ['APP ["nginx", "local://a b"]', "APP | nginx | local:a b"],
  ["APP nginx a.yaml LOCAL://b", "APP | nginx | ?:a.yaml | local:b"],
  ["CNI calico local://c", "CNI | calico | local:c"],
  ["CSI x local://c", "CSI | x | local:c"],
  ['APPENV a B=c D="e f"', 'APPENV | a | B=c | D="e | f"=-'],
  ['APPCMDS a ["b", "c d"]', "APPCMDS | a | b | c d"],
  ["APPCMDS a b", "APPCMDS | a | no array"],
  ["LAUNCH a b", "LAUNCH | a | b"],
  ['LAUNCH ["a","b"]', "LAUNCH | a | b"],
  ['CMDS ["a b", "c"]', "CMDS | a b | c"],
  ["CMDS a b", "CMDS | a | b"],
  ["KUBEVERSION >=1.22 <1.30", "KUBEVERSION | >=1.22 <1.30"],
  ["WORKDIR /a b", "WORKDIR | /a b"],
  ["USER a:b", "USER | a:b"],
  ["STOPSIGNAL SIGTERM", "STOPSIGNAL | SIGTERM"],
  ["EXPOSE 80 53/udp", "EXPOSE | 80 | 53/udp"],
  ['VOLUME ["/a", "/b"]', "VOLUME | /a | /b"],
  ["VOLUME /a /b", "VOLUME | /a | /b"],
  ["MAINTAINER A B <c>", "MAINTAINER | A B <c>"],
  ["ONBUILD COPY --from=x a b", "ONBUILD | (COPY | --from=x | a | → b)"],
  ["ONBUILD", "ONBUILD | -"],
  ["ONBUILD ONBUILD RUN x", "ONBUILD | (ONBUILD | -)"],
  ["FOO bar baz", "UNKNOWN | bar baz"],
  ["\ufeffFROM a", "FROM | a | -"],
  ["FROM a\r\nCOPY b c\r\n", "FROM | a | -", "COPY | b | → c"],
  ["\n\n FROM a\n\n", "FROM | a | -"],
  ["# c\nFROM a # no comment", "FROM | a | -"],
  // Lines that are joined
  ["COPY a \\\n b", "COPY | a | → b"],
  ["COPY a \\\r\n b", "COPY | a | → b"],
  ["COPY a \\ \t\n b", "COPY | a | → b"],
  ["CO\\\nPY a b", "COPY | a | → b"],
  ["COPY a b\\\nc", "COPY | a | → bc"],
  ["COPY a \\\n\n  \n# c\n  # d\n b", "COPY | a | → b"],
  ["COPY a b \\", "COPY | a | → b"],
  ["COPY a b \\\n", "COPY | a | → b"],
  ["COPY a b\\\\\nFROM x", "COPY | a | → b\\", "FROM | x | -"],
  ["\\\nFROM x", "FROM | x | -"],
  ["# escape=`\nCOPY a `\n b\nCOPY c:\\ d\n", "COPY | a | → b", "COPY | c:\\ | → d"],
  ["# escape=x\nCOPY a \\\n b", "COPY | a | → b"],
  ["\n# escape=`\nCOPY a `\nFROM b", "COPY | a | → `", "FROM | b | -"],
  ["# syntax=x\n# escape=`\nCOPY a `\n b", "COPY | a | → b"],
  // Heredocs
  ["RUN <<EOF\nls\nEOF\nFROM a", "RUN | shell | <<EOF", "FROM | a | -"],
  ["COPY <<A <<'B' /x/\na\nA\nb\nB\nFROM a", "COPY | <<A | <<B | → /x/", "FROM | a | -"],
  ["RUN cat <<-EOF > x\n\tls\n\tEOF\nFROM a", "RUN | shell | cat <<-EOF > x", "FROM | a | -"],
  ["RUN cat <<EOF\nls\n EOF\n", "RUN | shell | cat <<EOF"],
  ["RUN a <<< b\nFROM c", "RUN | shell | a <<< b", "FROM | c | -"],
  ['RUN echo "<<EOF"\nFROM c', 'RUN | shell | echo "<<EOF"', "FROM | c | -"],
  ["RUN echo ' <<EOF\nFROM c", "RUN | shell | echo ' <<EOF", "FROM | c | -"],
  ["CMD a <<EOF\nFROM c", "CMD | shell | a <<EOF", "FROM | c | -"],
  ["ONBUILD RUN <<EOF\nls\nEOF\nFROM c", "ONBUILD | (RUN | shell | <<EOF)", "FROM | c | -"],
  ["RUN <<EOF \\\n x\nbody\nEOF\nFROM c", "RUN | shell | <<EOF  x", "FROM | c | -"],
  ["", ...[]],
  ["# only\n", ...[]],
];

describe("reading", () => {
  for (const [text, ...expected] of cases) {
    test(`${JSON.stringify(text)} gives ${expected.join(" ; ") || "nothing"}`, () => {
      assert.deepEqual(parse(text).instructions.map(shape), expected);
    });
  }
});

/** Each use as `text@form:name[:operator:word]`. */
const variableCases: readonly [text: string, ...expected: string[]][] = [
  ["COPY $A b", "$A plain A builder"],
  ["COPY ${A} b", "${A} braced A builder"],
  ["COPY $A$B b", "$A plain A builder", "$B plain B builder"],
  ["COPY \\$A '$B' \"$C\" d", "$C plain C builder"],
  ["COPY $$A b"],
  ["COPY $1 $@ b"],
  ["ENV X=${A:-b}", "${A:-b} braced A builder :- b"],
  ["ENV X=${A:-${B:-c}}", "${A:-${B:-c}} braced A builder :- ${B:-c}", "${B:-c} braced B builder :- c"],
  ["ENV X=${A%%.*} Y=${B//x/y}", "${A%%.*} braced A builder %% .*", "${B//x/y} braced B builder // x/y"],
  ["ENV X=${A", "${A braced A builder open"],
  ["ENV X=${A:x}", "${A:x} braced A builder : x"],
  ["RUN echo $A '$B' \"${C}\" don't $D", "$A plain A shell", "${C} braced C shell", "$D plain D shell"],
  ['CMD ["x $(NAME)"]', "$(NAME) parenthesised NAME shell"],
  ["RUN x $(NAME)"],
  ["COPY <<EOF /x\n$A\n\\$B\nEOF", "$A plain A builder"],
  ["COPY <<'EOF' /x\n$A\nEOF"],
  ["RUN <<'EOF'\n$A\nEOF", "$A plain A shell"],
  ["FROM a:$TAG", "$TAG plain TAG builder"],
  ["APP a local://$X", "$X plain X shell"],
];

describe("variables in", () => {
  for (const [text, ...expected] of variableCases) {
    test(`${JSON.stringify(text)} are ${expected.join(" ; ") || "none"}`, () => {
      const found = parse(text).instructions.flatMap((node) =>
        node.variables.map((use) => {
          const shown = text.slice(use.span.start, use.span.end);
          const modifier = use.modifier === undefined ? "" : ` ${use.modifier.operator} ${use.modifier.word}`;
          assert.equal(text.slice(use.nameSpan.start, use.nameSpan.end), use.name);
          return `${shown} ${use.form} ${use.name} ${use.shell ? "shell" : "builder"}${modifier}${use.complete ? "" : " open"}`;
        }),
      );
      assert.deepEqual(found, expected);
    });
  }
});

test("a heredoc has its marker, its body, its end, and the content as the builder sees it", () => {
  const text = "COPY <<-'A B' <<C /x\n\t\tone\n\tA B\ntwo\r\nC\n";
  const [node] = parse(text).instructions;
  assert.deepEqual(
    node?.heredocs.map(({ marker, stripTabs, expand, body, content, end }) => ({
      marker: marker.value,
      stripTabs,
      expand,
      body: text.slice(body.start, body.end),
      content,
      end: end && text.slice(end.start, end.end),
    })),
    [
      { marker: "A B", stripTabs: true, expand: false, body: "\t\tone\n", content: "one\n", end: "A B" },
      { marker: "C", stripTabs: false, expand: true, body: "two\r\n", content: "two\r\n", end: "C" },
    ],
  );
});

test("offsets of a joined line and of the text translate into each other", () => {
  const text = "ENV A=1 \\\n# note\n  B=2 \\\n\n  C=3\n";
  const [node] = parse(text).instructions;
  assert.ok(node);
  for (const [offset, character] of [...node.logical.text].entries()) {
    const source = sourceOffset(node.logical, offset);
    assert.equal(text[source], character);
    assert.equal(logicalOffset(node.logical, source), offset);
  }
  assert.deepEqual(
    node.comments.map((comment) => comment.text),
    ["# note"],
  );
  assert.equal(node.blankLines.length, 1);
});

test("stages hold their instructions, and what stands above the first FROM belongs to none", () => {
  const { stages } = parse("ARG A\nFROM a AS x\nRUN b\nFROM x\nCOPY c d\n");
  assert.deepEqual(
    stages.map((stage) => [stage.index, stage.name?.value, stage.instructions.map((node) => node.kind).join(" ")]),
    [
      [0, "x", "FROM RUN"],
      [1, undefined, "FROM COPY"],
    ],
  );
});

test("an edit keeps the items it does not touch", () => {
  const before = parse("FROM a\nCOPY a b\nRUN c\nCOPY d e\nCOPY f g\n");
  const after = reparse(before, { span: { start: 12, end: 13 }, text: "xyz" });
  assert.equal(after.items.at(-1), before.items.at(-1));
  assert.notEqual(after.items[1], before.items[1]);
  assert.equal(after.instructions.at(-1)?.span.start, (before.instructions.at(-1)?.span.start ?? 0) + 2);
});

describe("an odd text is read in time linear in its length", () => {
  const size = 400_000;
  const texts: Readonly<Record<string, string>> = {
    "joined lines": "RUN a \\\n",
    "nested defaults": "${a:-",
    "open braces in COPY": "COPY ${a ",
    quotes: "'\"$a",
    "heredoc openers": "RUN <<a ",
    "heredoc openers on lines": "RUN <<a\n",
    "nested ONBUILD": "ONBUILD ",
    brackets: "RUN [",
    nul: "\0",
    "joints only": "\\\n",
    directives: "# escape=`\n",
    "blank lines": "\n",
    "carriage returns": "\r",
    "dollar signs": "$",
    flags: "RUN --a=",
    "long flag list": "--mount=type=bind ",
    commas: '["a",',
  };
  for (const [name, unit] of Object.entries(texts)) {
    test(name, () => {
      const cost = (length: number): number => {
        const text =
          unit.startsWith("$") || unit.startsWith("'") || unit.startsWith("-") || unit.startsWith("[")
            ? `ENV A=${unit.repeat(length / unit.length)}`
            : unit.repeat(length / unit.length);
        const started = process.cpuUsage();
        parse(text);
        const used = process.cpuUsage(started);
        return (used.user + used.system) / 1000;
      };
      // The best of several: a collection of garbage in the middle of one says nothing about the parser.
      const best = (length: number): number => Math.min(...Array.from({ length: 4 }, () => cost(length)));
      const small = Math.max(best(size / 8), 2);
      // Eight times the text may take eight times as long, and some more for memory; a square would take sixty-four times.
      assert.ok(best(size) < small * 40, name);
    });
  }
});
