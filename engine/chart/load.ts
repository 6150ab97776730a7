/** Charts on disk: a folder with its `.helmignore`, or a packaged `.tgz`. Nothing outside the folder is read. */
import type { Dirent } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";
import {
  ArchiveError,
  type ChartFiles,
  largestChartBytes,
  largestFileBytes,
  unpackChart,
  withoutBom,
} from "./archive.ts";
import { type Chart, ChartError, readChart } from "./chart.ts";
import { compareText } from "./go/value.ts";
import { IgnoreRuleError, IgnoreRules } from "./ignore.ts";

/** More files than any real chart has. */
const mostFiles = 20_000;

/**
 * Loads a chart from a folder or a `.tgz`.
 * @throws EngineError CHART_INVALID, PATH_ESCAPES_ROOT, CANCELLED
 */
export async function loadChart(chartPath: string, signal: AbortSignal): Promise<Chart> {
  try {
    return readChart(await chartFiles(chartPath, signal));
  } catch (error) {
    throw invalid(chartPath, error);
  }
}

/** The files of a chart on disk, by path inside it. @throws EngineError CHART_INVALID, PATH_ESCAPES_ROOT, CANCELLED */
export async function chartFiles(chartPath: string, signal: AbortSignal): Promise<ChartFiles> {
  try {
    const info = await stat(chartPath);
    if (info.isDirectory()) return await readFolder(chartPath, signal);
    if (info.size > largestChartBytes) throw new ArchiveError(`it is larger than ${largestChartBytes} bytes`);
    return unpackChart(await readFile(chartPath, { signal }));
  } catch (error) {
    throw invalid(chartPath, error);
  }
}

function invalid(chart: string, error: unknown): unknown {
  if (error instanceof EngineError) return error;
  if (error instanceof Error && error.name === "AbortError") {
    return new EngineError("CANCELLED", { what: `load chart ${chart}` }, { cause: error });
  }
  const isKnown = error instanceof ChartError || error instanceof ArchiveError || error instanceof IgnoreRuleError;
  if (isKnown) return new EngineError("CHART_INVALID", { chart, reason: error.message }, { cause: error });
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new EngineError("CHART_INVALID", { chart, reason: "there is no such folder or file" }, { cause: error });
  }
  return error;
}

async function readFolder(folder: string, signal: AbortSignal): Promise<ChartFiles> {
  const root = await realpath(folder);
  const rules = new IgnoreRules(await textAt(path.join(root, ".helmignore")));
  const reader = new FolderReader(folder, root, rules, signal);
  await reader.walk("");
  return reader.files;
}

/** Collects the files of a chart's folder within Helm's limits. */
class FolderReader {
  readonly files: Map<string, Uint8Array> = new Map();
  readonly #folder: string;
  readonly #root: string;
  readonly #rules: IgnoreRules;
  readonly #signal: AbortSignal;
  #total = 0;

  constructor(folder: string, root: string, rules: IgnoreRules, signal: AbortSignal) {
    this.#folder = folder;
    this.#root = root;
    this.#rules = rules;
    this.#signal = signal;
  }

  async walk(inner: string): Promise<void> {
    const entries = await readdir(path.join(this.#root, inner), { withFileTypes: true });
    entries.sort((a, b) => compareText(a.name, b.name));
    for (const entry of entries) {
      if (this.#signal.aborted) throw new EngineError("CANCELLED", { what: `load chart ${this.#folder}` });
      const at = inner === "" ? entry.name : `${inner}/${entry.name}`;
      const kind = await this.#kindOf(entry, at);
      if (this.#rules.ignores(at, kind === "folder")) continue;
      if (kind === "folder") await this.walk(at);
      else if (kind === "file") await this.#add(at);
      else throw new ChartError(`cannot load irregular file ${at}: it is neither a file nor a folder`);
    }
  }

  /** Links are followed only inside the chart. */
  async #kindOf(entry: Dirent, at: string): Promise<"file" | "folder" | "other"> {
    if (entry.isFile()) return "file";
    if (entry.isDirectory()) return "folder";
    if (!entry.isSymbolicLink()) return "other";
    const link = path.join(this.#root, at);
    const target = await realpath(link);
    const isBelow = target.startsWith(this.#root + path.sep);
    const holdsItself = link.startsWith(target + path.sep);
    if (!isBelow || holdsItself) throw new EngineError("PATH_ESCAPES_ROOT", { path: at, root: this.#folder });
    const info = await stat(target);
    return info.isDirectory() ? "folder" : info.isFile() ? "file" : "other";
  }

  async #add(at: string): Promise<void> {
    const { size } = await stat(path.join(this.#root, at));
    if (size > largestFileBytes) {
      throw new ChartError(`chart file "${at}" is larger than the maximum file size ${largestFileBytes}`);
    }
    this.#total += size;
    if (this.#total > largestChartBytes || this.files.size >= mostFiles) {
      throw new ChartError(`it holds more than ${largestChartBytes} bytes or ${mostFiles} files`);
    }
    this.files.set(at, withoutBom(await readFile(path.join(this.#root, at), { signal: this.#signal })));
  }
}

async function textAt(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
