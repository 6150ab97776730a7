/**
 * Looks for texts that break what must hold for any Kubefile: `node test/fuzz/kubefile.ts [SECONDS] [SEED]`.
 * A text that breaks something is kept in `corpus/kubefile`, where the ordinary tests read it from then on.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { corpusFolder, keptCorpus } from "./keptCorpus.ts";
import { kubefileTarget, mutate, random } from "./kubefileTarget.ts";

const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? Date.now());
const next = random(seed);
const seeds = keptCorpus().map(({ text }) => text);
const until = Date.now() + seconds * 1000;
let runs = 0;
console.log(`seed ${seed}, ${seeds.length} texts to start from, ${seconds} s`);
while (Date.now() < until) {
  const text = mutate(seeds, next);
  try {
    kubefileTarget(text, next(4000));
  } catch (error) {
    const name = createHash("sha256").update(text).digest("hex").slice(0, 12);
    writeFileSync(path.join(corpusFolder, name), text);
    console.error(`kept as corpus/kubefile/${name}:`, error);
    process.exitCode = 1;
    break;
  }
  runs++;
}
console.log(`${runs} texts`);
