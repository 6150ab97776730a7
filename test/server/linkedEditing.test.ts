import assert from "node:assert/strict";
import { test } from "node:test";
import { linkedEditingRanges } from "../../server/features/linkedEditing.ts";
import { atCursor, crlf, marked } from "./fixture.ts";

function links(text: string, expected: string | null): void {
  for (const change of [(value: string) => value, crlf]) {
    const { document, offset } = atCursor(change(text));
    const found = linkedEditingRanges(document, offset);
    assert.equal(found === null ? null : marked(document, found.ranges), expected === null ? null : change(expected));
  }
}

test("both markers of a heredoc are edited together", () => links("RUN <<E|OF\nls\nEOF\n", "RUN <<[EOF]\nls\n[EOF]\n"));
test("from the end marker too", () => links("COPY <<EOF /x\nls\nEO|F", "COPY <<[EOF] /x\nls\n[EOF]"));
test("quotes are left out", () => links('COPY <<-"E|OF" /x\nls\nEOF', 'COPY <<-"[EOF]" /x\nls\n[EOF]'));
test("a heredoc without its end has no partner", () => links("RUN <<E|OF\nls\n", null));
test("other names are not linked", () => links("FROM a AS b|ase\nFROM base", null));
