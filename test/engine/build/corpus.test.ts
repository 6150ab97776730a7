import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { silentReporter } from "../../../engine/build/stepOutcome.ts";
import { compareBytes } from "../../../engine/byteString.ts";
import { openEngine } from "../../../engine/engine.ts";
import { EngineError } from "../../../engine/errors.ts";
import { corpusDir, skipWithoutCorpus } from "../../support/requirement.ts";

/**
 * Every Kubefile of the corpus is built. Those that cannot be are listed with the reason, in a file that is reviewed:
 * `npm run test:update` writes it again.
 */
const golden = path.resolve(import.meta.dirname, "../../cases/corpus-builds.txt");

describe("the corpus", { skip: skipWithoutCorpus() }, () => {
  const dir = mkdtempSync(path.join(tmpdir(), "kubefile-corpus-"));
  after(() => rmSync(dir, { recursive: true, force: true }));

  test("builds, but for the Kubefiles that are listed with the reason", async () => {
    const lines: string[] = [];
    await using engine = openEngine({ storeDir: dir, fetch: noNetwork, now: Date.now, log: () => undefined });
    const follower = { ...silentReporter, planned: () => undefined, containerImages: () => undefined };
    const files = globSync("kubefiles/**/{Kubefile,Dockerfile}", { cwd: corpusDir }).sort(compareBytes);
    for (const file of files) {
      const kubefile = path.join(corpusDir, file);
      const params = { buildId: file, contextDir: path.dirname(kubefile), kubefile, tags: ["corpus:1"] };
      const { signal } = new AbortController();
      const outcome = await engine.build(params, follower, signal).then(
        () => "builds",
        (error: unknown) => reasonOf(error),
      );
      lines.push(`${file}: ${outcome}`);
    }
    const text = `${summary(lines)}\n${lines.filter((line) => !line.endsWith(": builds")).join("\n")}\n`;
    if (process.env["UPDATE_GOLDEN"] === "1" || !existsSync(golden)) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, "utf8"));
  });
});

const noNetwork: typeof fetch = () => Promise.reject(new Error("tests have no network"));

function summary(lines: readonly string[]): string {
  const built = lines.filter((line) => line.endsWith(": builds")).length;
  return `${built} of ${lines.length} Kubefiles build; these do not:`;
}

/** Code and sentence, without what is different on each machine. */
function reasonOf(error: unknown): string {
  if (!(error instanceof EngineError)) throw error;
  return `${error.code} ${error.message.replaceAll(corpusDir, "…")}`;
}
