import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isKubefileName, workspaceSymbols } from "../../server/features/workspaceSymbol.ts";
import { memoryFiles, never, open } from "./fixture.ts";

const files = memoryFiles({
  Kubefile: "FROM a AS fromDisk\n",
  "sub/Kubefile.prod": "FROM a AS prodStage\nARG VERSION=1\nRUN <<EOF\nEOF\n",
  "sub/app.kubefile": "APP shop local://x\n",
  "sub/Dockerfile": "FROM a AS docker\n",
  ".git/Kubefile": "FROM a AS git\n",
});

async function names(query: string, opened = [open("FROM a AS inEditor\n")]): Promise<string[]> {
  const found = await workspaceSymbols(query, opened, ["file:///work/app"], files, never);
  return found.map((symbol) => symbol.name).sort();
}

describe("workspace symbols", () => {
  test("stages, applications and variables of every Kubefile", async () =>
    assert.deepEqual(await names(""), ["VERSION", "inEditor", "prodStage", "shop"]));
  test("an open document counts with its text in the editor", async () =>
    assert.ok(!(await names("")).includes("fromDisk")));
  test("the letters in order, in any case", async () => {
    assert.deepEqual(await names("pst"), ["prodStage"]);
    assert.deepEqual(await names("VER"), ["VERSION"]);
    assert.deepEqual(await names("zz"), []);
  });
  test("without files, what is open", async () =>
    assert.deepEqual(
      (await workspaceSymbols("", [open("APP a local://x")], [], undefined, never)).map((symbol) => symbol.name),
      ["a"],
    ));
  test("the place and the folder", async () => {
    const [symbol] = await workspaceSymbols("shop", [], ["file:///work/app"], files, never);
    assert.equal(symbol?.containerName, "sub/app.kubefile");
    assert.equal(symbol?.location.uri, "file:///work/app/sub/app.kubefile");
  });
  test("names of Kubefiles", () => {
    for (const name of ["Kubefile", "Kubefile.prod", "x.kubefile"]) assert.ok(isKubefileName(name), name);
    for (const name of ["Dockerfile", "kubefile", "Kubefiles", "kubefile.md"]) assert.ok(!isKubefileName(name), name);
  });
});
