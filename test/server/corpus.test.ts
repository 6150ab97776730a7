import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { parse } from "../../kubefile/parse.ts";
import { codeLenses } from "../../server/features/codeLens.ts";
import { completion } from "../../server/features/completion.ts";
import { definition } from "../../server/features/definition.ts";
import { documentLinks } from "../../server/features/documentLink.ts";
import { documentSymbols } from "../../server/features/documentSymbol.ts";
import { foldingRanges } from "../../server/features/folding.ts";
import { formatting } from "../../server/features/formatting.ts";
import { hover } from "../../server/features/hover.ts";
import { inlayHints } from "../../server/features/inlayHint.ts";
import { rename } from "../../server/features/rename.ts";
import { selectionRanges } from "../../server/features/selectionRange.ts";
import { semanticTokens } from "../../server/features/semanticTokens.ts";
import { signatureHelp } from "../../server/features/signatureHelp.ts";
import { definitionsOf, namesOf } from "../../server/names.ts";
import { corpusDir, skipWithoutCorpus } from "../support/requirement.ts";
import { applied, never, noWorld, open } from "./fixture.ts";

const skip = skipWithoutCorpus();
const files = skip === false ? globSync("kubefiles/**/{Kubefile,Dockerfile}*", { cwd: corpusDir }).sort() : [];
const options = { snippets: true, deprecatedTag: true, registryTags: true, dialect: undefined };

describe("every Kubefile of the corpus", { skip }, () => {
  test("is answered at every seventh place by every feature", async () => {
    assert.ok(files.length > 50);
    for (const file of files) {
      const document = open(readFileSync(path.join(corpusDir, file), "utf8"));
      const { length } = document.tree.text;
      documentSymbols(document);
      documentLinks(document);
      codeLenses(document, []);
      foldingRanges(document, { lineFoldingOnly: true, limit: 5000 });
      inlayHints(document, { start: 0, end: length }, noWorld, { variables: true, images: true, today: 0 });
      assert.equal(semanticTokens(document).length % 5, 0);
      for (let offset = 0; offset <= length; offset += 7) {
        const position = document.lines.positionAt(offset);
        signatureHelp(document, offset);
        definition(document, offset);
        selectionRanges(document, [position]);
        await hover(document, offset, noWorld, { markdown: true }, never);
        for (const item of (await completion(document, offset, noWorld, options, never)).items) {
          const { range } = item.textEdit as { range: { start: { line: number }; end: { line: number } } };
          assert.ok(
            range.start.line === position.line && range.end.line === position.line,
            `${file}: a completion leaves its line`,
          );
        }
      }
    }
  });

  test("keeps its shape when every name in it is changed", () => {
    for (const file of files) {
      const document = open(readFileSync(path.join(corpusDir, file), "utf8"));
      for (const named of namesOf(document.tree).all) {
        const [first] = definitionsOf(named);
        if (first === undefined) continue;
        const renamed = parse(applied(document, rename(document, first.span.start, "zz9")));
        assert.deepEqual(
          renamed.instructions.map((instruction) => instruction.kind),
          document.tree.instructions.map((instruction) => instruction.kind),
          `${file}: ${named.name}`,
        );
      }
    }
  });

  test("is formatted once and for all", () => {
    for (const file of files) {
      const document = open(readFileSync(path.join(corpusDir, file), "utf8"));
      const once = open(applied(document, formatting(document)));
      assert.deepEqual(formatting(once), [], file);
    }
  });
});
