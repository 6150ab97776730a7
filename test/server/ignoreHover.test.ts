import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MarkupContent } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { OpenIgnoreFile } from "../../server/documents.ts";
import { ignoreHover } from "../../server/features/ignoreHover.ts";
import { never, noWorld, worldWith } from "./fixture.ts";

const text = "# note\n*.log\n!keep.log\nnothing-here\n";
const world = worldWith({ "a.log": "", "keep.log": "", "b.txt": "", "sub/c.log": "", ".dockerignore": text });

async function says(line: number, given = world): Promise<string | null> {
  const document = new OpenIgnoreFile(TextDocument.create("file:///work/app/.dockerignore", "ignore", 1, text));
  const found = await ignoreHover(document, line, given, { markdown: true }, never);
  return found === null ? null : (found.contents as MarkupContent).value;
}

describe("hover in an ignore file", () => {
  test("lists the files the line leaves out", async () =>
    assert.equal(await says(1), "Leaves out 1 file of the build context.\n\n- `a.log`"));
  test("and those it keeps", async () =>
    assert.equal(await says(2), "Keeps 1 file of the build context.\n\n- `keep.log`"));
  test("a line without effect says so", async () =>
    assert.equal(await says(3), "Leaves out 0 files of the build context."));
  test("comments say nothing", async () => assert.equal(await says(0), null));
  test("nor does a file outside the workspace", async () => assert.equal(await says(1, noWorld as typeof world), null));
});
