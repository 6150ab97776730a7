import { readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { type Recipe, readKubefile } from "../build/platformBuild.ts";
import { EngineError } from "../errors.ts";
import { type Platform, parsePlatform } from "../oci/platform.ts";
import { type BuildContext, buildContext } from "../plan/context.ts";
import { readIgnoreRules } from "../plan/ignoreFile.ts";
import type { BuildInputs } from "../protocol.ts";

/** A Kubefile larger than this is some other file. */
const largestKubefile = 8 * 1024 * 1024;

/** Inputs of a build or plan, opened. */
export interface OpenInputs {
  readonly recipe: Recipe;
  readonly context: BuildContext;
  /** Path of the context without symlinks, for records. */
  readonly contextDir: string;
  readonly platforms: readonly Platform[];
}

/**
 * Reads the Kubefile and opens the context. `text` stands in for the file, for an editor that has not saved it.
 * Throws `CONTEXT_MISSING`, `KUBEFILE_MISSING`, `KUBEFILE_NOT_TEXT`, `KUBEFILE_TOO_LARGE`, `PLATFORM_INVALID`, `IGNORE_FILE_INVALID`.
 */
export function openInputs(inputs: BuildInputs, text: string | undefined): OpenInputs {
  const contextDir = openDirectory(inputs.contextDir);
  const file = inputs.kubefile ?? path.join(contextDir, "Kubefile");
  const platforms = (inputs.platforms ?? []).map(parsePlatform);
  const buildPlatform = hostPlatform();
  return {
    recipe: {
      kubefile: readKubefile(text ?? readText(file), file),
      path: file,
      buildArgs: inputs.buildArgs ?? {},
      target: inputs.target,
      dialect: inputs.dialect,
      buildPlatform,
    },
    context: buildContext(contextDir, readIgnoreRules(contextDir)),
    contextDir,
    platforms: platforms.length === 0 ? [buildPlatform] : platforms,
  };
}

function openDirectory(dir: string): string {
  try {
    const real = realpathSync(dir);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    throw new EngineError("CONTEXT_MISSING", { path: dir, reason: reasonOf(error) }, { cause: error });
  }
  throw new EngineError("CONTEXT_MISSING", { path: dir, reason: "it is not a directory" });
}

function readText(file: string): string {
  const bytes = readWhole(file);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError("KUBEFILE_NOT_TEXT", { path: file, offset: firstBadByte(bytes) }, { cause });
  }
}

function readWhole(file: string): Uint8Array {
  try {
    const { size } = statSync(file);
    if (size > largestKubefile)
      throw new EngineError("KUBEFILE_TOO_LARGE", { path: file, sizeBytes: size, limitBytes: largestKubefile });
    return readFileSync(file);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError("KUBEFILE_MISSING", { path: file, reason: reasonOf(error) }, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file or directory";
  if (code === "EACCES") return "it may not be read";
  if (code === "EISDIR") return "it is a directory";
  return String(code ?? error);
}

/** Where the text stops being UTF-8, by decoding ever longer beginnings. */
function firstBadByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (good + 1 < bad) {
    const middle = (good + bad) >> 1;
    if (decodes(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** The platform of images built on this machine: its processor, and linux, which is what clusters run. */
export function hostPlatform(): Platform {
  const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", arm64: "arm64", arm: "arm/v7" };
  return parsePlatform(`linux/${architectures[process.arch] ?? process.arch}`);
}
