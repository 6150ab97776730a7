import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

/** The corpus of real Kubefiles, charts and Clusterfiles that lies beside a developer's checkout. */
export const corpusDir: string = path.resolve(import.meta.dirname, "../../../shared/corpus");

/**
 * Says why a suite cannot run here, in the form `node:test` takes for `{ skip }`: a reason, or `false` to run.
 * With `CI=true` nothing may be skipped for want of a tool, so the reason becomes an error.
 */
export function skipUnless(present: boolean, reason: string): string | false {
  if (present) return false;
  if (process.env["CI"] === "true") throw new Error(`${reason} — with CI=true every suite must run`);
  return reason;
}

/** `skipUnless` for a program on PATH, with the package of Debian that brings it. */
export function skipWithoutProgram(program: string, debianPackage: string = program): string | false {
  const found = spawnSync("sh", ["-c", 'command -v -- "$1"', "sh", program], { stdio: "ignore" }).status === 0;
  return skipUnless(found, `${program} is not installed (Debian package ${debianPackage})`);
}

/** `skipUnless` for the corpus. */
export function skipWithoutCorpus(): string | false {
  return skipUnless(existsSync(corpusDir), "the corpus is not beside this checkout");
}
