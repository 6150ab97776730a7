import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { matchIgnore, parseIgnore } from "../../kubefile/ignore.ts";

const backslash = "\\";

/** Pattern, path, and whether the path is left out. The rules are moby's; the cases follow its own test of patterns. */
const single: readonly [pattern: string, path: string, ignored: boolean][] = [
  ["**", "file", true],
  ["**", "file/", true],
  ["**/", "file", true],
  ["**/", "file/", true],
  ["**", "/", true],
  ["**/", "/", true],
  ["**", "dir/file", true],
  ["**/", "dir/file", true],
  ["**", "dir/file/", true],
  ["**/", "dir/file/", true],
  ["**/**", "dir/file", true],
  ["**/**", "dir/file/", true],
  ["dir/**", "dir/file", true],
  ["dir/**", "dir/file/", true],
  ["dir/**", "dir/dir2/file", true],
  ["dir/**", "dir/dir2/file/", true],
  ["dir/**", "dir", false],
  ["**/dir", "dir", true],
  ["**/dir", "dir/file", true],
  ["**/dir2/*", "dir/dir2/file", true],
  ["**/dir2/*", "dir/dir2/file/", true],
  ["**/dir2/**", "dir/dir2/dir3/file", true],
  ["**/dir2/**", "dir/dir2/dir3/file/", true],
  ["**file", "file", true],
  ["**file", "dir/file", true],
  ["**/file", "dir/file", true],
  ["**file", "dir/dir/file", true],
  ["**/file", "dir/dir/file", true],
  ["**/file*", "dir/dir/file", true],
  ["**/file*", "dir/dir/file.txt", true],
  ["**/file*txt", "dir/dir/file.txt", true],
  ["**/file*.txt", "dir/dir/file.txt", true],
  ["**/file*.txt*", "dir/dir/file.txt", true],
  ["**/**/*.txt", "dir/dir/file.txt", true],
  ["**/**/*.txt2", "dir/dir/file.txt", false],
  ["**/*.txt", "file.txt", true],
  ["**/**/*.txt", "file.txt", true],
  ["a**/*.txt", "a/file.txt", true],
  ["a**/*.txt", "a/dir/file.txt", true],
  ["a**/*.txt", "a/dir/dir/file.txt", true],
  ["a/*.txt", "a/dir/file.txt", false],
  ["a/*.txt", "a/file.txt", true],
  ["a/*.txt**", "a/file.txt", true],
  ["a[b-d]e", "ae", false],
  ["a[b-d]e", "ace", true],
  ["a[b-d]e", "aae", false],
  ["a[^b-d]e", "aze", true],
  [".*", ".foo", true],
  [".*", "foo", false],
  ["abc.def", "abcdef", false],
  ["abc.def", "abc.def", true],
  ["abc.def", "abcZdef", false],
  ["abc?def", "abcZdef", true],
  ["abc?def", "abcdef", false],
  ["abc?def", "abc/def", false],
  ["abc?def", "abc𝄞def", true],
  [`a${backslash}*b`, "a*b", true],
  [`a${backslash}*b`, "axb", false],
  [`${backslash}!a`, "!a", true],
  ["a(b)c", "a(b)c", true],
  ["a{b,c}", "a{b,c}", true],
  ["a$b|c+d", "a$b|c+d", true],
  ["**/foo/bar", "foo/bar", true],
  ["**/foo/bar", "dir/foo/bar", true],
  ["**/foo/bar", "dir/dir2/foo/bar", true],
  ["abc/**", "abc", false],
  ["abc/**", "abc/def", true],
  ["abc/**", "abc/def/ghi", true],
  ["**/.foo", ".foo", true],
  ["**/.foo", "bar.foo", false],
  ["a(b)c/def", "a(b)c/def", true],
  ["a(b)c/def", "a(b)c/xyz", false],
  ["a.|)$(}+{bc", "a.|)$(}+{bc", true],
  [
    "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl",
    "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl",
    true,
  ],
  ["dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true],
  ["*.go", "dir/a.go", false],
  ["*", "dir/a.go", true],
  ["docs", "docs/a/b.md", true],
  ["docs", "docs2", false],
  ["docs/", "docs/a", true],
  ["/docs", "docs/a", true],
  ["./docs", "docs", true],
  ["docs//a", "docs/a", true],
  ["docs/../a", "a", true],
  ["../a", "a", false],
  ["Docs", "docs", false],
  [".", "a", false],
  ["a b", "a b", true],
];

describe("one pattern", () => {
  for (const [pattern, path, ignored] of single) {
    test(`${pattern} ${ignored ? "leaves out" : "keeps"} ${path}`, () => {
      assert.equal(
        matchIgnore(parseIgnore(pattern, ".dockerignore"), path.replace(/^\/|\/$/g, "") || path).ignored,
        ignored,
      );
    });
  }
});

/** Several lines: what is left out, and which line decides. */
const several: readonly [lines: readonly string[], path: string, ignored: boolean, line: number | undefined][] = [
  [["*", "!keep"], "keep", false, 2],
  [["*", "!keep"], "other", true, 1],
  [["*", "!keep"], "keep/below", false, 2],
  [["!keep", "*"], "keep", true, 2],
  [["*", "!dir/file", "dir"], "dir/file", true, 3],
  [["docs", "!docs/README.md"], "docs/README.md", false, 2],
  [["docs", "!docs/README.md"], "docs/other", true, 1],
  [["docs/*", "!docs/keep"], "docs/keep/a/b", false, 2],
  [["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true, 3],
  [["*.md", "README-secret.md", "!README*.md"], "README-secret.md", false, 3],
  [["**/*.yaml", "!manifests/**"], "manifests/a/b.yaml", false, 2],
  [["**/*.yaml", "!manifests/**"], "charts/b.yaml", true, 1],
  [["# *", "  # x", "a"], "a", true, 3],
  [["", "   ", "\ta\t"], "a", true, 3],
  [["! keep", "*", "!  keep"], "keep", false, 3],
  [["a\r", "b"], "a", true, 1],
  [["\ufeffa"], "a", true, 1],
  [["b"], "a", false, undefined],
  [["!a"], "a", false, undefined],
  [["a", "a"], "a", true, 1],
  [["a/b", "!a"], "a/b", false, 2],
];

describe("several lines", () => {
  for (const [lines, path, ignored, line] of several) {
    test(`${JSON.stringify(lines)} ${ignored ? "leaves out" : "keeps"} ${path}, said by line ${line ?? "none"}`, () => {
      const match = matchIgnore(parseIgnore(lines.join("\n"), ".dockerignore"), path);
      assert.deepEqual({ ignored: match.ignored, line: match.rule?.line }, { ignored, line });
    });
  }
});

test("a rule knows its file, its line and its text", () => {
  const { rule } = matchIgnore(parseIgnore("# note\n\n /docs/ \n", ".containerignore"), "docs/a");
  assert.equal(rule?.file, ".containerignore");
  assert.equal(rule?.line, 3);
  assert.equal(rule?.pattern, "/docs/");
});

test("malformed patterns are named by line and match nothing", () => {
  const rules = parseIgnore("[\na\n!\nb[a-\nc\\\n[]a]\n[-]\n", ".dockerignore");
  assert.deepEqual(
    rules.invalid.map(({ line }) => line),
    [1, 3, 4, 5, 6, 7],
  );
  assert.equal(matchIgnore(rules, "a").ignored, true);
});

test("a negation anywhere is told, so that a walk looks into ignored folders", () => {
  assert.equal(parseIgnore("a\n!a/b", "x").negations, true);
  assert.equal(parseIgnore("a\nb", "x").negations, false);
});

test("any text is read, and any path answered", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom("*", "?", "[", "]", "\\", "/", "!", "a", "b", ".", "-", "\n", " ", "^", "(", "+"),
      }),
      fc.string(),
      (text, path) => {
        const match = matchIgnore(parseIgnore(text, "x"), path);
        assert.equal(match.ignored && match.rule === undefined, false);
      },
    ),
    { numRuns: 3000 },
  );
});
