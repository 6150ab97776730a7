import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../errors.ts";
import { entriesOf, makeFolder, removeFile } from "./layout.ts";
import { beat, heartbeatMs, isAlive, ownIdentity } from "./liveness.ts";
import { errnoOf, throwIfCancelled } from "./storeErrors.ts";

const choosing = "choosing";

/**
 * An exclusive lock across processes in a folder of its own: Lamport's bakery. Everyone draws a ticket larger than all there are and
 * waits for the smaller ones. Each file is made and removed under a name no one else ever uses, so clearing away what a dead process
 * left can never hit a lock somebody just took, the flaw of lock files that are one path for all.
 *
 * Two looks at the folder, not one: whoever was still choosing in the first has its ticket in the second.
 * @see Lamport, A New Solution of Dijkstra's Concurrent Programming Problem, 1974
 */
export async function takeTicketLock(folder: string, what: string, signal: AbortSignal): Promise<AsyncDisposable> {
  throwIfCancelled(signal, what);
  const mine = drawTicket(folder);
  const pulse = setInterval(() => beat(mine), heartbeatMs);
  pulse.unref();
  const letGo = (): void => {
    clearInterval(pulse);
    removeFile(mine);
    removeIfEmpty(folder);
  };
  try {
    await waitWhile(() => someoneElse(folder, (name) => isChoosing(name)), what, signal);
    const order = path.basename(mine);
    await waitWhile(() => someoneElse(folder, (name) => !isChoosing(name) && before(name, order)), what, signal);
  } catch (error) {
    letGo();
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async (): Promise<void> => letGo(),
  };
}

/** Names: `identity_random_choosing` and `identity_random_ticket`. */
function drawTicket(folder: string): string {
  const self = `${ownIdentity()}_${randomBytes(8).toString("hex")}`;
  const choice = path.join(folder, `${self}_${choosing}`);
  createIn(folder, choice);
  try {
    const largest = entriesOf(folder).reduce((max, name) => Math.max(max, ticketOf(name)), 0);
    const ticket = path.join(folder, `${self}_${largest + 1}`);
    createIn(folder, ticket);
    return ticket;
  } finally {
    removeFile(choice);
  }
}

function createIn(folder: string, file: string): void {
  for (;;) {
    try {
      closeSync(openSync(file, "wx"));
      return;
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      makeFolder(folder);
    }
  }
}

/** Whether a living other stands in the way; the dead are cleared away. */
function someoneElse(folder: string, stands: (name: string) => boolean): boolean {
  for (const name of entriesOf(folder)) {
    if (!stands(name)) continue;
    const file = path.join(folder, name);
    if (isAlive(file)) return true;
    removeFile(file);
  }
  return false;
}

async function waitWhile(blocked: () => boolean, what: string, signal: AbortSignal): Promise<void> {
  for (let waitMs = 1; blocked(); waitMs = Math.min(waitMs * 1.5, 25)) {
    try {
      await sleep(waitMs, undefined, { signal });
    } catch (cause) {
      throw new EngineError("CANCELLED", { what }, { cause });
    }
  }
}

function isChoosing(name: string): boolean {
  return name.endsWith(`_${choosing}`);
}

function ticketOf(name: string): number {
  const ticket = Number(name.slice(name.lastIndexOf("_") + 1));
  return Number.isSafeInteger(ticket) ? ticket : 0;
}

function before(a: string, b: string): boolean {
  const [x, y] = [ticketOf(a), ticketOf(b)];
  return x < y || (x === y && a < b);
}

/** Locks by arbitrary keys would otherwise leave a folder each. The prune lock's own folder stays: a full disk may not let us make it again. */
function removeIfEmpty(folder: string): void {
  if (path.basename(folder) === "prune") return;
  try {
    rmdirSync(folder);
  } catch {
    // Somebody stands in it, or removed it first.
  }
}
