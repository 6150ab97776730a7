/** A chart in memory: its files sorted into metadata, values, templates, files and subcharts. */
import { ArchiveError, type ChartFiles, unpackChart } from "./archive.ts";
import { textOf } from "./go/bytes.ts";
import type { ValueMap } from "./go/value.ts";
import { type Metadata, MetadataError, readMetadata } from "./metadata.ts";
import type { Tree } from "./template/nodes.ts";
import { readValues, ValuesError } from "./values.ts";

/** A template file: its path inside the chart and its text. */
export interface TemplateFile {
  readonly path: string;
  readonly text: string;
  /** Parsed trees by the full name they were parsed under; filled at the first render, kept for the next. */
  readonly parsed: Map<string, readonly Tree[]>;
}

/** A chart, read-only: renders work on copies of its values. */
export interface Chart {
  readonly metadata: Metadata;
  readonly values: ValueMap;
  /** Text of values.schema.json. */
  readonly schema: string | undefined;
  readonly templates: readonly TemplateFile[];
  /** Everything else, as `.Files` offers it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly subcharts: readonly Chart[];
}

/** Files that are no chart; the message is Helm's. */
export class ChartError extends Error {}

const deepestSubcharts = 32;

/**
 * Reads a chart from its files.
 * @throws ChartError
 */
export function readChart(files: ChartFiles, depth = 0): Chart {
  if (depth > deepestSubcharts) throw new ChartError("subcharts are nested too deeply");
  try {
    return sortFiles(files, depth);
  } catch (error) {
    const isKnown = error instanceof MetadataError || error instanceof ValuesError || error instanceof ArchiveError;
    throw isKnown ? new ChartError(error.message, { cause: error }) : error;
  }
}

function sortFiles(files: ChartFiles, depth: number): Chart {
  const chartYaml = files.get("Chart.yaml");
  if (chartYaml === undefined) throw new ChartError("Chart.yaml file is missing");
  const requirements = files.get("requirements.yaml");
  const metadata = readMetadata(textOf(chartYaml), requirements === undefined ? undefined : textOf(requirements));
  const valuesYaml = files.get("values.yaml");
  const values = valuesYaml === undefined ? new Map() : readValues(textOf(valuesYaml), "cannot load values.yaml: ");
  const schema = files.get("values.schema.json");
  const templates: TemplateFile[] = [];
  const others = new Map<string, Uint8Array>();
  const below = new Map<string, Map<string, Uint8Array>>();
  for (const [path, bytes] of files) {
    switch (roleOf(path, metadata.apiVersion)) {
      case "template":
        templates.push({ path, text: textOf(bytes), parsed: new Map() });
        break;
      case "subchart":
        addBelow(below, path.slice("charts/".length), bytes);
        break;
      case "file":
        others.set(path, bytes);
        break;
      default:
    }
  }
  const subcharts = [...below].flatMap(([name, inner]) => readSubchart(name, inner, metadata.name, depth));
  return {
    metadata,
    values,
    schema: schema === undefined ? undefined : textOf(schema),
    templates,
    files: others,
    subcharts,
  };
}

const definitionFiles: ReadonlySet<string> = new Set(["Chart.yaml", "Chart.lock", "values.yaml", "values.schema.json"]);
const requirementFiles: ReadonlySet<string> = new Set(["requirements.yaml", "requirements.lock"]);

/** What a file is to its chart. Old charts offer their requirements to templates as files, new ones do not. */
function roleOf(path: string, apiVersion: string): "definition" | "template" | "subchart" | "file" {
  if (definitionFiles.has(path)) return "definition";
  if (requirementFiles.has(path)) return apiVersion === "v1" ? "file" : "definition";
  if (path.startsWith("templates/")) return "template";
  return path.startsWith("charts/") && !path.endsWith(".prov") ? "subchart" : "file";
}

function addBelow(below: Map<string, Map<string, Uint8Array>>, path: string, bytes: Uint8Array): void {
  const [top = "", ...rest] = path.split("/");
  const files = below.get(top) ?? new Map<string, Uint8Array>();
  below.set(top, files);
  files.set(rest.join("/"), bytes);
}

function readSubchart(name: string, files: Map<string, Uint8Array>, parent: string, depth: number): Chart[] {
  if (/^[_.]/.test(name)) return [];
  try {
    if (name.endsWith(".tgz")) {
      const packed = files.get("");
      if (packed === undefined) throw new ChartError(`error unpacking subchart tar in ${parent}: expected ${name}`);
      return [readChart(unpackChart(packed), depth + 1)];
    }
    // A file that stands directly in charts/ is no chart: its folder is empty.
    files.delete("");
    return [readChart(files, depth + 1)];
  } catch (error) {
    const isKnown = error instanceof ChartError || error instanceof ArchiveError;
    if (!isKnown) throw error;
    throw new ChartError(`error unpacking subchart ${name} in ${parent}: ${error.message}`, { cause: error });
  }
}
