import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Texts that once broke something, and texts that reach far into the language. */
export const corpusFolder: string = path.join(import.meta.dirname, "corpus/kubefile");

/** The kept texts, and the Kubefiles of the golden cases. */
export function keptCorpus(): { readonly name: string; readonly text: string }[] {
  const cases = path.resolve(import.meta.dirname, "../cases");
  const golden = readdirSync(cases, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("Kubefile"))
    .map((name) => path.join(cases, name));
  const kept = readdirSync(corpusFolder).map((name) => path.join(corpusFolder, name));
  return [...kept, ...golden].sort().map((file) => ({ name: path.basename(file), text: readFileSync(file, "utf8") }));
}
