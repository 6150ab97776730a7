import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { check } from "../../kubefile/check/check.ts";
import { parse } from "../../kubefile/parse.ts";
import type { Problem } from "../../kubefile/problems.ts";
import { skipUnless, skipWithoutProgram } from "../support/requirement.ts";
import { bodies, files } from "./languageSnippets.ts";

/**
 * buildah, which sealos and sealer build with, is the oracle of what is an error: what it takes is none, what it refuses has
 * a word said about it.
 */
const skip =
  skipWithoutProgram("buildah") || skipUnless(process.geteuid?.() === 0, "buildah's chroot isolation takes root");

/** What buildah 1.28 takes and is an error all the same. Each pattern is of a whole snippet. */
const refusedOnPurpose: readonly [pattern: RegExp, reason: string][] = [
  [
    /^(?:ENV|LABEL|RUN|FOO) .*\nFROM scratch\n$/,
    "buildah drops what stands above the first FROM without a word; BuildKit and the own engine refuse it",
  ],
  [
    /^FROM scratch\n(?:ENV|LABEL) (?:A=1 )?=\w\n$/,
    "no process can have a variable, and no label, without a name; BuildKit and the own engine refuse it",
  ],
  [
    / <<a\n$/,
    "buildah 1.28 knows no heredocs and leaves this to the shell; newer builders and the own engine miss its end",
  ],
  [/\\\\\n B=2\n$/, "a doubled escape character joins no lines for BuildKit and newer buildah; KF025 says so"],
];

/** What buildah 1.28 refuses and is not worth a word. */
const takenOnPurpose: readonly [pattern: RegExp, reason: string][] = [
  [/--from=base /, "an image may be called so"],
  [/^\n?(?:# c\n)?$/, "a file in which nothing stands yet is not wrong"],
  [
    /\$\{?\w+[?#%/+-]/,
    "other modifiers than :- and :+ are known to newer builders and the own engine; KF026 says so, for information",
  ],
  [/<<EOF/, "heredocs likewise"],
  [
    / --(?:link|parents|exclude|checksum|keep-git-dir|unpack|network|security|device|start-interval)\b/,
    "newer flags likewise",
  ],
  [/--chmod=u\+x/, "modes in letters likewise"],
];

/** Where buildah got past the parser: a command found no shell, a file or an image is not there. */
const worldly = /exit status|no such file or directory|unknown user error|image not known/;

describe("buildah as the oracle of the language", { skip }, () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-oracle-"));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const contextDir = path.join(dir, "context");
  mkdirSync(path.join(contextDir, "dir"), { recursive: true });
  for (const name of ["a.txt", "b.txt", "dir/c.txt"]) writeFileSync(path.join(contextDir, name), name);
  let count = 0;

  /** What buildah says against a file, or `undefined` when it takes it. */
  function refusal(text: string): Promise<string | undefined> {
    const file = path.join(dir, `file${count++}`);
    writeFileSync(file, text);
    const own = ["--root", path.join(dir, "root"), "--runroot", path.join(dir, "run"), "--storage-driver", "vfs"];
    const build = ["bud", "--isolation", "chroot", "--pull-never", "--layers=false", "-q", "-f", file, contextDir];
    return new Promise((resolve) => {
      execFile("buildah", [...own, ...build], { timeout: 60_000 }, (error, _out, said) => {
        resolve(error === null || worldly.test(said) ? undefined : said.trim());
      });
    });
  }

  /** The snippets that buildah refuses. Those it is thought to take are tried together, and halved until the odd one is found. */
  async function refusedOf(snippets: readonly string[]): Promise<readonly [snippet: string, said: string][]> {
    const text = `FROM scratch\n${snippets.join("\n")}\n`;
    const said = snippets.length === 0 ? undefined : await refusal(text);
    if (said === undefined) return [];
    const [only] = snippets;
    if (snippets.length === 1 && only !== undefined) return [[only, said]];
    const half = snippets.length >> 1;
    return [...(await refusedOf(snippets.slice(0, half))), ...(await refusedOf(snippets.slice(half)))];
  }

  const whole = (body: string): string => `FROM scratch\n${body}\n`;
  const worst = (text: string, dialect: "auto" | "sealos"): Problem["severity"] | undefined => {
    const found = new Set(check(parse(text), { dialect }).map((problem) => problem.severity));
    return (["error", "warning", "information"] as const).find((severity) => found.has(severity));
  };
  const listed = (rows: readonly [RegExp, string][], text: string): boolean =>
    rows.some(([pattern]) => pattern.test(text));

  test("there are more than 800 snippets", () => assert.ok(bodies.length + files.length > 800));

  test("what it takes is no error", async () => {
    const wrong = [...bodies.map(whole), ...files].filter(
      (text) => worst(text, "sealos") === "error" && !listed(refusedOnPurpose, text),
    );
    const taken: string[] = [];
    await inPairs(wrong, async (text) => {
      if ((await refusal(text)) === undefined) taken.push(text);
    });
    assert.deepEqual(taken, []);
  });

  test("what it refuses has an error or a warning", async () => {
    const silent = (text: string): boolean =>
      !["error", "warning"].includes(worst(text, "sealos") ?? "") && !listed(takenOnPurpose, text);
    // RUN ends a build that finds no shell, FROM begins another stage, and some snippets reach into the next line.
    const alone = (body: string): boolean => /^\s*(?:ONBUILD )?(?:RUN|FROM)\b|\\\s*$|--from|one/i.test(body);
    const quiet = bodies.filter((body) => silent(whole(body)));
    const together = quiet.filter((body) => !alone(body));
    const single = [...quiet.filter(alone).map(whole), ...files.filter(silent)];
    const refused = [...(await refusedOf(together))];
    await inPairs(single, async (text) => {
      const said = await refusal(text);
      if (said !== undefined) refused.push([text, said]);
    });
    assert.deepEqual(refused, []);
  });

  test("what is no error for sealos is none in a file of no dialect", () => {
    for (const text of [...bodies.map(whole), ...files]) {
      if (worst(text, "sealos") !== "error") assert.notEqual(worst(text, "auto"), "error", text);
    }
  });

  test("every difference that is listed is one", async () => {
    for (const [pattern, reason] of refusedOnPurpose) {
      const texts = [...bodies.map(whole), ...files].filter(
        (text) => pattern.test(text) && worst(text, "sealos") === "error",
      );
      assert.ok(texts.length > 0, reason);
      for (const text of texts) assert.equal(await refusal(text), undefined, text);
    }
  });
});

async function inPairs(texts: readonly string[], work: (text: string) => Promise<void>): Promise<void> {
  const open = [...texts];
  const worker = async (): Promise<void> => {
    for (let text = open.pop(); text !== undefined; text = open.pop()) await work(text);
  };
  await Promise.all([worker(), worker()]);
}
