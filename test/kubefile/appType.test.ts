import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AppFiles, detectAppType } from "../../kubefile/appType.ts";

function directory(path: string, ...files: string[]): AppFiles {
  return { path, kind: "directory", files, children: [...new Set(files.map((file) => file.split("/")[0] ?? ""))] };
}
function file(path: string): AppFiles {
  return { path, kind: "file", files: [], children: [] };
}
function remote(path: string): AppFiles {
  return { path, kind: "remote", files: [], children: [] };
}

const cases: readonly [
  title: string,
  sources: readonly AppFiles[],
  type: string | undefined,
  files: readonly string[] | undefined,
][] = [
  ["a chart", [directory("chart", "Chart.yaml", "values.yaml", "templates/a.yaml")], "helm", ["app"]],
  [
    "a chart beside YAML",
    [file("a.yaml"), directory("c", "Chart.yaml", "values.yaml", "templates/x.yaml")],
    "helm",
    ["app"],
  ],
  [
    "a chart below its folder",
    [directory("d", "c/Chart.yaml", "c/values.yaml", "c/templates/x.yaml")],
    "kube",
    ["/c/Chart.yaml", "/c/templates/x.yaml", "/c/values.yaml"],
  ],
  ["a chart without templates", [directory("d", "Chart.yaml", "values.yaml")], "kube", ["/Chart.yaml", "/values.yaml"]],
  ["one YAML file", [file("dir/shop.yaml")], "kube", ["shop.yaml"]],
  ["YAML in upper case", [file("SHOP.YML")], "kube", ["SHOP.YML"]],
  [
    "a folder of YAML, in the order of a walk",
    [directory("d", "b.yaml", "a/z.yml", "a.yaml", "B.yaml")],
    "kube",
    ["/B.yaml", "/a/z.yml", "/a.yaml", "/b.yaml"],
  ],
  [
    "files and folders, in the order they are named",
    [file("z.yaml"), directory("d", "a.yaml")],
    "kube",
    ["z.yaml", "/a.yaml"],
  ],
  ["a shell script", [file("install.sh")], "shell", ["install.sh"]],
  ["shell scripts, of which only the first source is run", [file("a.sh"), file("b.sh")], "shell", ["a.sh"]],
  ["a folder of scripts", [directory("d", "b.sh", "a.sh")], "shell", ["/a.sh", "/b.sh"]],
  ["YAML and scripts", [file("a.sh"), file("b.yaml")], undefined, undefined],
  ["YAML and a README", [directory("d", "a.yaml", "README.md")], undefined, undefined],
  ["a template", [file("a.yaml.tmpl")], undefined, undefined],
  ["JSON", [file("a.json")], undefined, undefined],
  ["a packed chart", [file("a.tgz")], undefined, undefined],
  ["a file without extension", [file("dir.yaml/Makefile")], undefined, undefined],
  ["an empty folder", [directory("d")], undefined, undefined],
  ["a file from a URL", [remote("example.org/x/a.yaml")], "kube", ["a.yaml"]],
  ["a script from a URL", [remote("example.org/a.sh")], "shell", ["a.sh"]],
];

describe("the type of an application with", () => {
  for (const [title, sources, type, files] of cases) {
    test(`${title} is ${type ?? "unknown"}`, () => {
      const detected = detectAppType("app", sources);
      assert.deepEqual({ type: detected.type, files: detected.files }, { type, files });
      assert.match(detected.reason, /\.$/);
    });
  }
});

test("the reason names the file that spoils the type", () => {
  assert.equal(
    detectAppType("a", [directory("d", "a.yaml", "x/README.md")]).reason,
    "x/README.md is neither YAML nor a shell script.",
  );
});
