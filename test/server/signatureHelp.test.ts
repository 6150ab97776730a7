import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { instructions } from "../../kubefile/instructions.ts";
import { signatureHelp } from "../../server/features/signatureHelp.ts";
import { atCursor, crlf } from "./fixture.ts";

/** The active signature with its active parameter between `‹` and `›`. */
function shows(text: string, expected: string | null): void {
  for (const variant of [text, crlf(text)]) {
    const { document, offset } = atCursor(variant);
    const help = signatureHelp(document, offset);
    if (help === null) {
      assert.equal(null, expected);
      continue;
    }
    const signature = help.signatures[help.activeSignature ?? 0];
    assert.ok(signature);
    const active = help.activeParameter;
    const label = active == null ? undefined : signature.parameters?.[active]?.label;
    const [start, end] = Array.isArray(label) ? label : [0, 0];
    const marked = `${signature.label.slice(0, start)}‹${signature.label.slice(start, end)}›${signature.label.slice(end)}`;
    assert.equal(end === 0 ? signature.label : marked, expected);
  }
}

describe("signature help", () => {
  test("FROM, its image", () => shows("FROM |", "FROM [--platform=PLATFORM] ‹IMAGE› [AS NAME]"));
  test("FROM, within the image", () => shows("FROM al|pine", "FROM [--platform=PLATFORM] ‹IMAGE› [AS NAME]"));
  test("FROM, the stage's name", () => shows("FROM alpine AS |", "FROM [--platform=PLATFORM] IMAGE ‹[AS NAME]›"));
  test("FROM, a flag", () => shows("FROM --pl|", "FROM ‹[--platform=PLATFORM]› IMAGE [AS NAME]"));
  test("FROM, a flag's value", () => shows("FROM --platform=li| x", "FROM ‹[--platform=PLATFORM]› IMAGE [AS NAME]"));
  test("COPY, the first source", () => shows("COPY |", "COPY [FLAGS] ‹SOURCE...› DESTINATION"));
  test("COPY, the destination", () => shows("COPY a b|", "COPY [FLAGS] SOURCE... ‹DESTINATION›"));
  test("COPY, a source when more follow", () => shows("COPY a| b c", "COPY [FLAGS] ‹SOURCE...› DESTINATION"));
  test("COPY, a second source", () => shows("COPY a b| c", "COPY [FLAGS] ‹SOURCE...› DESTINATION"));
  test("COPY, an array", () => shows('COPY ["a", "|"]', 'COPY [FLAGS] ["SOURCE", ..., ‹"DESTINATION"›]'));
  test("COPY, a flag", () => shows("COPY --fr|", "COPY ‹[FLAGS]› SOURCE... DESTINATION"));
  test("APP, the name", () => shows("APP |", "APP ‹NAME› SCHEME://PATH..."));
  test("APP, a source", () => shows("APP nginx local://a |", "APP NAME ‹SCHEME://PATH...›"));
  test("APPENV, a pair", () => shows("APPENV nginx A=1 B|", "APPENV NAME ‹KEY=VALUE...›"));
  test("APPCMDS, the array", () => shows('APPCMDS nginx ["a", "|"]', 'APPCMDS NAME [‹"COMMAND", ...›]'));
  test("LAUNCH, words", () => shows("LAUNCH a b|", "LAUNCH ‹NAME...›"));
  test("LAUNCH, an array", () => shows('LAUNCH ["|"]', 'LAUNCH [‹"NAME", ...›]'));
  test("CMDS", () => shows('CMDS ["a", "b|"]', 'CMDS [‹"COMMAND", ...›]'));
  test("KUBEVERSION", () => shows("KUBEVERSION >=|", "KUBEVERSION ‹CONSTRAINT›"));
  test("RUN, the command", () => shows("RUN ls -l|", "RUN [FLAGS] ‹COMMAND›"));
  test("ENV, pairs", () => shows("ENV A=1 B|", "ENV ‹KEY=VALUE...›"));
  test("ENV, the old form", () => shows("ENV A b|", "ENV KEY ‹VALUE›"));
  test("HEALTHCHECK NONE", () => shows("HEALTHCHECK NONE|", "HEALTHCHECK ‹NONE›"));
  test("HEALTHCHECK CMD", () => shows("HEALTHCHECK CMD cu|rl", "HEALTHCHECK [FLAGS] CMD ‹COMMAND›"));
  test("HEALTHCHECK, a flag", () => shows("HEALTHCHECK --in|", "HEALTHCHECK ‹[FLAGS]› CMD COMMAND"));
  test("ONBUILD, its trigger's", () => shows("ONBUILD COPY a |", "COPY [FLAGS] SOURCE... ‹DESTINATION›"));
  test("an instruction in lower case", () => shows("from |", "FROM [--platform=PLATFORM] ‹IMAGE› [AS NAME]"));
  test("on a continued line", () => shows("COPY a \\\n |", "COPY [FLAGS] SOURCE... ‹DESTINATION›"));
  test("with a backtick as the escape character", () =>
    shows("# escape=`\nCOPY a `\n |", "COPY [FLAGS] SOURCE... ‹DESTINATION›"));
  test("not on the keyword", () => shows("FRO|M a", null));
  test("not in a comment", () => shows("# FROM |", null));
  test("not in an unknown instruction", () => shows("FOO |", null));
  test("not in the body of a heredoc", () => shows("RUN <<EOF\nls |\nEOF", null));
  test("not on an empty line", () => shows("|", null));
  for (const info of instructions)
    test(`${info.name} offers each way to write it`, () => {
      const { document, offset } = atCursor(`${info.name} |`);
      assert.deepEqual(
        signatureHelp(document, offset)?.signatures.map((signature) => signature.label),
        [...info.usage],
      );
    });
  test("says what the flag at the cursor does", () => {
    const { document, offset } = atCursor("COPY --chown=|");
    const [first] = signatureHelp(document, offset)?.signatures ?? [];
    assert.match(JSON.stringify(first?.documentation), /--chown.*Owner/u);
  });
});
