import { test } from "node:test";
import { keptCorpus } from "./keptCorpus.ts";
import { kubefileTarget, mutate, random } from "./kubefileTarget.ts";

const corpus = keptCorpus();

test("every kept text holds what must hold for any Kubefile, wherever it is edited", () => {
  for (const { text } of corpus)
    for (let at = 0; at < text.length; at += 1 + (text.length >> 5)) kubefileTarget(text, at);
});

test("so do 500 texts made of them", () => {
  const next = random(20_261_123);
  const seeds = corpus.map(({ text }) => text);
  for (let run = 0; run < 500; run++) kubefileTarget(mutate(seeds, next), next(4000));
});
