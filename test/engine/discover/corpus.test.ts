import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { defaultKubeVersion } from "../../../engine/chart/capabilities.ts";
import { loadChart } from "../../../engine/chart/load.ts";
import { defaultChartLimits, renderChart } from "../../../engine/chart/render.ts";
import { discoverImages } from "../../../engine/discover/discover.ts";
import { folderTree } from "../../../engine/discover/folderTree.ts";
import { scanPlan } from "../../../engine/discover/rootfs.ts";
import { sealerLineImages, sealerNormalised } from "../../../engine/discover/sealerScan.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { formatReference, parseReference, withDefaultTag } from "../../../engine/oci/reference.ts";
import { corpusDir, skipWithoutCorpus } from "../../support/requirement.ts";

const signal = AbortSignal.timeout(120_000);
const capabilities = { kubeVersion: defaultKubeVersion, extraApiVersions: [] };
type Truth = ReadonlyMap<string, ReadonlyMap<string, "typed" | "payload">>;

function readTruth(): Truth {
  const file = path.resolve(import.meta.dirname, "../../cases/discovery/corpus.truth.tsv");
  const truth = new Map<string, Map<string, "typed" | "payload">>();
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [tree = "", image = "", kind = ""] = line.split("\t");
    if (kind !== "typed" && kind !== "payload") continue;
    const images = truth.get(tree) ?? new Map<string, "typed" | "payload">();
    truth.set(tree, images.set(image, kind));
  }
  return truth;
}

async function ourImages(tree: string): Promise<ReadonlySet<string>> {
  const files = await folderTree(path.join(corpusDir, tree), signal);
  const charts = { capabilities, valueSets: [] };
  const { findings } = await discoverImages(files, { scope: "everything", commands: [], rules: [], charts, signal });
  return new Set(findings.filter((finding) => finding.confidence !== "declared").map((finding) => finding.image));
}

/** What sealer's scan finds in the same files: lines of manifests and of charts rendered with their own values. */
async function sealerImages(tree: string): Promise<ReadonlySet<string>> {
  const root = path.join(corpusDir, tree);
  const files = await folderTree(root, signal);
  const plan = scanPlan(files.paths, "everything", []);
  const texts = await Promise.all(
    plan.manifests
      .filter((file) => !file.endsWith(".json"))
      .map(async (file) => new TextDecoder().decode(await files.read(file, signal))),
  );
  for (const chart of plan.charts) texts.push(...(await renderedTexts(path.join(root, chart))));
  const names = texts.flatMap(sealerLineImages).flatMap((name) => sealerNormalised(name) ?? []);
  return new Set(names.map((name) => formatReference(withDefaultTag(parseReference(name)))));
}

async function renderedTexts(folder: string): Promise<readonly string[]> {
  const release = { name: "dryrun", namespace: "default", isUpgrade: false };
  const options = { values: [], release, capabilities, limits: defaultChartLimits, nowMs: 0, randomSeed: "", signal };
  try {
    const { manifests, hooks } = await renderChart(await loadChart(folder, signal), options);
    return [...manifests, ...hooks].map((document) => document.text);
  } catch (error) {
    // sealer's build fails here; for the comparison the chart just names nothing.
    if (isEngineError(error, "CHART_RENDER_FAILED")) return [];
    throw error;
  }
}

interface Score {
  typed: number;
  payload: number;
  missedTyped: string[];
  missedPayload: string[];
  falseHits: string[];
}

async function score(truth: Truth, find: (tree: string) => Promise<ReadonlySet<string>>): Promise<Score> {
  const sum: Score = { typed: 0, payload: 0, missedTyped: [], missedPayload: [], falseHits: [] };
  for (const [tree, wanted] of truth) {
    const found = await find(tree);
    for (const [image, kind] of wanted) {
      if (found.has(image)) sum[kind] += 1;
      else (kind === "typed" ? sum.missedTyped : sum.missedPayload).push(`${tree}: ${image}`);
    }
    for (const image of found) if (!wanted.has(image)) sum.falseHits.push(`${tree}: ${image}`);
  }
  return sum;
}

test("every typed image of the corpus is found, nearly all of the others, and hardly any that is none; sealer's line scan beside it", {
  skip: skipWithoutCorpus(),
}, async () => {
  const truth = readTruth();
  const ours = await score(truth, ourImages);
  const sealer = await score(truth, sealerImages);
  writeTable(truth, ours, sealer);
  const payloads = ours.payload + ours.missedPayload.length;
  const found = ours.typed + ours.payload + ours.falseHits.length;
  assert.ok(truth.size > 80, "the truth file is not there");
  assert.deepEqual(ours.missedTyped, []);
  assert.ok(ours.payload / payloads >= 0.95, `missed: ${ours.missedPayload.join(", ")}`);
  assert.ok(ours.falseHits.length / found <= 0.01, `false: ${ours.falseHits.join(", ")}`);
});

function writeTable(truth: Truth, ours: Score, sealer: Score): void {
  const row = (name: string, { typed, payload, missedTyped, missedPayload, falseHits }: Score): string =>
    `| ${name} | ${typed} of ${typed + missedTyped.length} | ${payload} of ${payload + missedPayload.length} | ${falseHits.length} |`;
  const text = [
    "# Container images found in the corpus",
    "",
    `${truth.size} trees of public projects: charts rendered with their own values, and manifests. The truth was reviewed by hand`,
    "(`test/cases/discovery/corpus.truth.tsv`). *Typed* images stand in a field of the API or in a known custom resource, *payload* images in",
    "the environment, in arguments, in the text of ConfigMaps or in free-form parts of custom resources. Written by `test/engine/discover/corpus.test.ts`.",
    "",
    "| | typed images found | payload images found | false hits |",
    "|---|---|---|---|",
    row("Kubefile", ours),
    row("sealer's line scan", sealer),
    "",
  ].join("\n");
  const folder = path.resolve(import.meta.dirname, "../../../test-results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "discovery.md"), text);
}
