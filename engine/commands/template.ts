import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { defaultKubeVersion, parseKubeVersion } from "../chart/capabilities.ts";
import { textOf } from "../chart/go/bytes.ts";
import { fromJson, JsonError } from "../chart/go/json.ts";
import type { ValueMap } from "../chart/go/value.ts";
import { loadChart } from "../chart/load.ts";
import { printDocuments, type RenderedDocument } from "../chart/order.ts";
import { defaultChartLimits, type RenderedChart, renderChart } from "../chart/render.ts";
import { applySet, type SetStyle } from "../chart/setValues.ts";
import { mergeMaps, readValues, ValuesError } from "../chart/values.ts";
import { EngineError } from "../errors.ts";
import { type Command, type CommandContext, flagOption, textOption, textsOption } from "./command.ts";

export const command: Command = {
  summary: "Render a Helm chart, as helm template does, without helm",
  usage: "[OPTIONS] CHART",
  positionals: [1, 1],
  options: {
    name: { type: "string", value: "NAME", help: "name of the release (default: release-name)" },
    namespace: { type: "string", short: "n", value: "NAME", help: "namespace of the release (default: default)" },
    values: { type: "string", short: "f", multiple: true, value: "FILE", help: "values file; later ones win" },
    set: { type: "string", multiple: true, value: "KEY=VALUE", help: "one value: a.b=1,c[0]=x,d={1,2}" },
    "set-string": { type: "string", multiple: true, value: "KEY=TEXT", help: "one value, always text" },
    "set-json": { type: "string", multiple: true, value: "KEY=JSON", help: "one value, or all of them, as JSON" },
    "kube-version": {
      type: "string",
      value: "VERSION",
      help: `Kubernetes to render for (default: ${defaultKubeVersion})`,
    },
    "api-versions": {
      type: "string",
      short: "a",
      multiple: true,
      value: "API",
      help: "further API versions the cluster has",
    },
    "include-crds": { type: "boolean", help: "print the documents of crds/ too" },
    "skip-tests": { type: "boolean", help: "leave out test hooks" },
    "is-upgrade": { type: "boolean", help: "render for an upgrade instead of an installation" },
  },
  async run(context) {
    const kubeVersion = textOption(context, "kube-version") ?? defaultKubeVersion;
    if (parseKubeVersion(kubeVersion) === undefined) {
      throw new EngineError("USAGE", {
        reason: `--kube-version takes a version such as v1.35.0, not "${kubeVersion}"`,
        command: "template",
      });
    }
    const chart = await loadChart(path.resolve(context.cwd, context.positionals[0] ?? ""), context.signal);
    const rendered = await renderChart(chart, {
      values: [await givenValues(context)],
      release: {
        name: textOption(context, "name") ?? "release-name",
        namespace: textOption(context, "namespace") ?? "default",
        isUpgrade: flagOption(context, "is-upgrade"),
      },
      capabilities: {
        kubeVersion: parseKubeVersion(kubeVersion)?.version ?? kubeVersion,
        extraApiVersions: textsOption(context, "api-versions").flatMap((text) => text.split(",")),
      },
      limits: defaultChartLimits,
      nowMs: Date.now(),
      randomSeed: randomUUID(),
      signal: context.signal,
    });
    const documents = documentsOf(rendered, context);
    context.print(context.json ? JSON.stringify(documents) : printDocuments(documents).replace(/\n$/, ""));
    return 0;
  },
};

function documentsOf(rendered: RenderedChart, context: CommandContext): readonly RenderedDocument[] {
  const crds = flagOption(context, "include-crds") ? rendered.crds : [];
  const withoutTests = flagOption(context, "skip-tests");
  const hooks = rendered.hooks.filter((hook) => !(withoutTests && hook.hookEvents.includes("test")));
  return [...crds, ...rendered.manifests, ...hooks];
}

/** Values of files, then of JSON, then of --set, then of --set-string: in Helm's order, later ones win. */
async function givenValues(context: CommandContext): Promise<ValueMap> {
  let values: ValueMap = new Map();
  for (const file of textsOption(context, "values").flatMap((text) => text.split(","))) {
    values = mergeMaps(values, await valuesOfFile(path.resolve(context.cwd, file), context.signal));
  }
  for (const text of textsOption(context, "set-json")) values = withJson(values, text);
  assign(values, context, "set", "typed");
  assign(values, context, "set-string", "text");
  return values;
}

async function valuesOfFile(file: string, signal: AbortSignal): Promise<ValueMap> {
  try {
    return readValues(textOf(await readFile(file, { signal })));
  } catch (error) {
    throw unusable(file, error);
  }
}

function withJson(values: ValueMap, text: string): ValueMap {
  const option = "--set-json";
  try {
    if (!text.trim().startsWith("{")) {
      applySet(values, text, "json");
      return values;
    }
    const given = fromJson(text);
    return given instanceof Map ? mergeMaps(values, given) : values;
  } catch (error) {
    throw unusable(option, error);
  }
}

function assign(values: ValueMap, context: CommandContext, option: string, style: SetStyle): void {
  for (const text of textsOption(context, option)) {
    try {
      applySet(values, text, style);
    } catch (error) {
      throw unusable(`--${option}`, error);
    }
  }
}

function unusable(source: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === "AbortError") return new EngineError("CANCELLED", { what: `read ${source}` }, { cause: error });
  const code = "code" in error ? String(error.code) : "";
  const isKnown = error instanceof ValuesError || error instanceof JsonError || code === "ENOENT" || code === "EISDIR";
  const reason = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : error.message;
  return isKnown ? new EngineError("CHART_VALUES_INVALID", { source, reason }, { cause: error }) : error;
}
