import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { before, describe, test } from "node:test";
import { instructions } from "../../kubefile/instructions.ts";
import { generateSyntaxes } from "../../scripts/generate-syntaxes.ts";
import { skipUnless } from "../support/requirement.ts";

const root = path.resolve(import.meta.dirname, "../..");

for (const { name, text } of generateSyntaxes()) {
  test(`syntaxes/${name} is what scripts/generate-syntaxes.ts makes of the table of instructions`, () => {
    assert.equal(readFileSync(path.join(root, "syntaxes", name), "utf8"), text);
  });
}

/** Where VS Code's own tokenizer and shell grammar lie once the editor tests have fetched VS Code. */
const engine = path.join(root, "tools/vscode/node_modules");
const shellGrammar = path.join(
  engine,
  "code-server/lib/vscode/extensions/shellscript/syntaxes/shell-unix-bash.tmLanguage.json",
);
const skip = skipUnless(
  existsSync(path.join(engine, "vscode-textmate")) && existsSync(shellGrammar),
  "VS Code's TextMate engine is not in tools/vscode",
);

interface Grammar {
  tokenizeLine(
    line: string,
    stack: unknown,
  ): { tokens: { startIndex: number; endIndex: number; scopes: string[] }[]; ruleStack: unknown };
}

describe("the TextMate grammar in VS Code's engine", { skip }, () => {
  let grammar: Grammar;
  let initial: unknown;

  before(async () => {
    const require = createRequire(path.join(engine, "anchor.js"));
    const textmate = require("vscode-textmate");
    const oniguruma = require("vscode-oniguruma");
    const wasm = readFileSync(require.resolve("vscode-oniguruma").replace(/main\.js$/, "onig.wasm"));
    await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
    const files: Record<string, string> = {
      "source.kubefile": path.join(root, "syntaxes/kubefile.tmLanguage.json"),
      "source.shell": shellGrammar,
    };
    const registry = new textmate.Registry({
      onigLib: Promise.resolve({
        createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
        createOnigString: (text: string) => new oniguruma.OnigString(text),
      }),
      loadGrammar: (scope: string) => {
        const file = files[scope];
        return Promise.resolve(file === undefined ? null : textmate.parseRawGrammar(readFileSync(file, "utf8"), file));
      },
    });
    grammar = await registry.loadGrammar("source.kubefile");
    initial = textmate.INITIAL;
  });

  /** The scopes of the piece between «…» in a text. */
  function scopes(marked: string): string {
    const lines = marked.split("\n");
    let stack = initial;
    let found = "";
    for (const line of lines) {
      const start = line.indexOf("«");
      const plain = line.replace(/[«»]/g, "");
      const result = grammar.tokenizeLine(plain, stack);
      stack = result.ruleStack;
      if (start < 0) continue;
      found =
        result.tokens.find((token) => token.startIndex <= start && start < token.endIndex)?.scopes.join(" ") ?? "";
    }
    return found;
  }

  for (const { name } of instructions) {
    test(`${name} is a keyword, in upper and lower case, at the head of a line only`, () => {
      assert.match(scopes(`«${name}» x`), /keyword\.control/);
      assert.match(scopes(`  «${name.toLowerCase()}» x`), /keyword\.control/);
      assert.doesNotMatch(scopes(`COPY a «${name}x»`), /keyword\.control/);
    });
  }

  const cases: readonly [title: string, text: string, expected: RegExp][] = [
    ["a comment", "«# note»", /comment\.line\.number-sign/],
    ["a comment between continuation lines", "COPY a \\\n  «# note»\n  b", /comment\.line/],
    ["a directive", "# «escape»=`", /keyword\.other\.directive/],
    ["a flag", "COPY «--from»=x a b", /attribute-name/],
    ["a flag on a continuation line", "COPY a \\\n --x \\\n «$B»", /variable\.other/],
    ["an image", "FROM «docker.io/a/b:1» AS c", /entity\.name\.type\.image/],
    ["scratch", "FROM «scratch»", /constant\.language/],
    ["AS", "FROM a «AS» b", /keyword\.control/],
    ["a stage", "FROM a AS «base»", /entity\.name\.type\.stage/],
    ["a variable", "COPY ${«ARCH»}/bin bin", /variable\.other/],
    ["a variable behind a default", "ENV A=${B:-$«C»}", /variable\.other/],
    ["the name of a pair", "ENV «A»=b", /variable\.other\.readwrite/],
    ["a string", 'LABEL a="«b»"', /string\.quoted\.double/],
    ["an application", "APP «nginx» local://x", /entity\.name\.function\.app/],
    ["a scheme", "APP nginx «local://»x", /keyword\.other\.scheme/],
    ["a path behind a scheme", "APP nginx local://«x.yaml»", /string\.unquoted\.path/],
    ["a string of a JSON array", 'LAUNCH ["«a»"]', /string\.quoted\.double\.json/],
    ["a command in a JSON array", 'CMDS ["«kubectl» apply"]', /meta\.embedded\.inline\.shell.*support\.function/],
    ["a command of APPCMDS", 'APPCMDS a ["«kubectl» apply"]', /meta\.embedded\.inline\.shell/],
    ["a variable of sealos", 'CMD ["helm -n «$(NAME)»"]', /variable\.other/],
    ["a command of RUN", "RUN «apt-get» install", /support\.function/],
    ["the shell behind RUN", 'RUN echo "«x»"', /meta\.embedded\.inline\.shell.*string\.quoted\.double\.shell/],
    ["a command behind &&", "RUN a && «b» c", /support\.function/],
    ["a shell line that goes on", "RUN a && \\\n    b «--flag»", /variable\.parameter/],
    ["an instruction after an open quote in RUN", 'RUN echo "x\n«COPY» a b', /keyword\.control/],
    ["an instruction after an open quote in a joined RUN", 'RUN a \\\n echo "x\n«COPY» a b', /keyword\.control/],
    ["a heredoc body of RUN", "RUN <<EOF\n«echo» x\nEOF", /meta\.embedded\.block\.shell/],
    ["a heredoc body of COPY", "COPY <<EOF /x\n«echo» x\nEOF", /string\.unquoted\.heredoc/],
    ["an instruction after a heredoc with an open quote", "RUN <<EOF\necho 'x\nEOF\n«COPY» a b", /keyword\.control/],
    ["an instruction after a heredoc with tabs", "RUN <<-EOF\n\tx\n\tEOF\n«COPY» a b", /keyword\.control/],
    ["CMD of HEALTHCHECK", "HEALTHCHECK --interval=1s «CMD» x", /keyword\.control/],
    ["what ONBUILD keeps", "ONBUILD «COPY» a b", /keyword\.control/],
  ];
  for (const [title, text, expected] of cases) {
    test(`${title} has its colour: ${JSON.stringify(text)}`, () => assert.match(scopes(text), expected));
  }
});
