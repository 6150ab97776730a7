import { readFileSync, readlinkSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { digestHex, digestOf } from "../oci/digest.ts";
import { errnoOf } from "./storeErrors.ts";

/**
 * Who made a lease or a lock, in the file's own name: which boot of which machine, which process namespace, which process, and when
 * that process started (so that a number used again by another process is not taken for it). On the name rather than in the file, so
 * that it is there from the first instant and needs no free block on a full disk.
 */
export function ownIdentity(): string {
  own ??= identityOf(process.pid);
  return own;
}

let own: string | undefined;

/** How often those who hold something say so, and how long silence of a process we cannot look at means it is gone; milliseconds. */
export const heartbeatMs = 20_000;
const silenceMs = 120_000;

/**
 * Whether the maker of `file` still runs. A process of this boot and namespace is looked at; of another one (a container or a machine
 * that shares the disk, or a boot before this one) only the heartbeat of the file can be seen.
 */
export function isAlive(file: string): boolean {
  const [world, pid, started] = path.basename(file).split("_").at(0)?.split("-") ?? [];
  if (world === undefined || pid === undefined || started === undefined) return false;
  if (world === ownWorld() && started !== "0") return startOf(Number(pid)) === started;
  if (world === ownWorld() && !answers(Number(pid))) return false;
  return heartbeatAge(file) < silenceMs;
}

/** Says that the maker of `file` still runs. */
export function beat(file: string): void {
  try {
    const now = new Date();
    utimesSync(file, now, now);
  } catch {
    // The file may just have been let go of, or the disk may have become read-only: silence is then the right message.
  }
}

function identityOf(pid: number): string {
  return `${ownWorld()}-${pid}-${startOf(pid) ?? "0"}`;
}

let world: string | undefined;

function ownWorld(): string {
  world ??= digestHex(digestOf(`${bootOf()} ${namespaceOf()}`)).slice(0, 12);
  return world;
}

function bootOf(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return hostname();
  }
}

function namespaceOf(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/**
 * Clock ticks from boot to the start of a process; undefined when it is gone, a zombie, or this is not Linux.
 * @see proc_pid_stat(5): after the name in parentheses, field 3 is the state and field 22 the start
 */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    return state === "Z" || state === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

/** Milliseconds since the last heartbeat by the file system's own clock, which two machines share. */
function heartbeatAge(file: string): number {
  try {
    const beatAt = statSync(file).mtimeMs;
    const clock = path.join(path.dirname(path.dirname(file)), "clock");
    let fileSystemNow = Date.now();
    try {
      writeFileSync(clock, "");
      fileSystemNow = statSync(clock).mtimeMs;
    } catch {
      // A store that cannot be written has nobody who prunes it either; this machine's clock will do.
    }
    return fileSystemNow - beatAt;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return Number.POSITIVE_INFINITY;
    throw error;
  }
}
