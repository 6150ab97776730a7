import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codeLenses } from "../../server/features/codeLens.ts";
import { crlf, open } from "./fixture.ts";

const all = ["kubefile.buildImage", "kubefile.runImage", "kubefile.saveImage"];

function lenses(text: string, commands: readonly string[], ...expected: readonly string[]): void {
  for (const variant of [text, crlf(text)]) {
    const found = codeLenses(open(variant), commands);
    assert.deepEqual(
      found.map((lens) => `${lens.range.start.line}: ${lens.command?.title}`),
      expected,
    );
  }
}

describe("lenses", () => {
  test("Build, Run and Save on the FROM that makes the image", () =>
    lenses("FROM a AS one\nFROM b\nRUN x", all, "1: Build", "1: Run", "1: Save"));
  test("only what the client can do", () => lenses("FROM a", ["kubefile.buildImage"], "0: Build"));
  test("none without commands", () => lenses("FROM a", []));
  test("none without FROM", () => lenses("RUN x", all));
  test("the command gets the document", () => {
    const [lens] = codeLenses(open("FROM a"), all);
    assert.deepEqual(lens?.command?.arguments, ["file:///work/app/Kubefile"]);
  });
  test("applications say whether they are launched and how often they are used", () =>
    lenses(
      "APP a local://x\nAPP b local://y\nAPPENV b A=1\nLAUNCH a",
      [],
      "0: launched · 1 use",
      "1: not launched · 1 use",
    ));
  test("CNI and CSI too", () =>
    lenses("CNI c local://x\nCSI d local://y", [], "0: not launched · 0 uses", "1: not launched · 0 uses"));
  test("uses can be shown where the client has a command for it", () => {
    const [lens] = codeLenses(open("APP a local://x\nLAUNCH a"), ["kubefile.showReferences"]);
    assert.equal(lens?.command?.command, "kubefile.showReferences");
    const [, , uses] = lens.command.arguments ?? [];
    assert.equal((uses as unknown[]).length, 1);
  });
});
