import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../errors.ts";
import { entriesOf, type Layout, makeFolder, removeFile } from "./layout.ts";
import { isAlive, ownIdentity } from "./liveness.ts";
import { errnoOf } from "./storeErrors.ts";

/**
 * The announcement of a sweep: which blobs and segments a prune is about to delete. It closes the gap between looking and using:
 *
 * - who uses something writes its pin, *then* looks for announcements;
 * - who deletes writes its announcement, *then* reads the pins.
 *
 * Whatever the order of these four steps, at least one side sees the other: either the prune finds the pin and spares the blob, or
 * the user finds the announcement, waits for its end and looks again. Nothing is moved aside meanwhile, so readers that hold a pin
 * never miss a file, and an announcement whose maker died is simply void.
 *
 * One file per announcement: `…_list` holds the keys one per line; `…_all` is empty and means everything, for a disk too full
 * to hold a list.
 */
export function announceSweep(layout: Layout, keys: Iterable<string>): Disposable {
  for (const name of entriesOf(layout.sweeps)) {
    const old = path.join(layout.sweeps, name);
    if (!isAlive(old)) removeFile(old);
  }
  const stem = path.join(layout.sweeps, `${ownIdentity()}_${randomBytes(8).toString("hex")}`);
  const file = writeList(layout, `${stem}_list`, keys) ?? writeAll(`${stem}_all`);
  return {
    [Symbol.dispose]: (): void => {
      removeFile(file);
    },
  };
}

/** The announcements a user of `keys` must wait for: those of living prunes that may delete one of them. */
export function sweepsThreatening(layout: Layout, keys: readonly string[]): readonly string[] {
  return entriesOf(layout.sweeps)
    .map((name) => path.join(layout.sweeps, name))
    .filter((file) => isAlive(file) && threatens(file, keys));
}

/** Waits until those sweeps have ended. */
export async function waitForSweeps(files: readonly string[], what: string, signal: AbortSignal): Promise<void> {
  for (const file of files) {
    for (let waitMs = 1; existsSync(file) && isAlive(file); waitMs = Math.min(waitMs * 1.5, 25)) {
      try {
        await sleep(waitMs, undefined, { signal });
      } catch (cause) {
        throw new EngineError("CANCELLED", { what }, { cause });
      }
    }
  }
}

function writeList(layout: Layout, file: string, keys: Iterable<string>): string | undefined {
  const born = path.join(layout.tmp, path.basename(file));
  try {
    makeFolder(layout.tmp);
    writeFileSync(born, [...keys].join("\n"));
    renameSync(born, file);
    return file;
  } catch (error) {
    removeFile(born);
    const code = errnoOf(error);
    if (code === "ENOSPC" || code === "EDQUOT") return undefined;
    throw error;
  }
}

function writeAll(file: string): string {
  closeSync(openSync(file, "wx"));
  return file;
}

function threatens(file: string, keys: readonly string[]): boolean {
  if (file.endsWith("_all")) return true;
  let condemned: ReadonlySet<string>;
  try {
    condemned = new Set(readFileSync(file, "utf8").split("\n"));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
  return keys.some((key) => condemned.has(key));
}
