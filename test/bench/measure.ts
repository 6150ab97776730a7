import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** How one run of a program went. */
export interface Measured {
  readonly wallMs: number;
  /** User and system time of the program and all it started, seconds. */
  readonly cpuSeconds: number;
  /** Largest resident set of the program itself, bytes. */
  readonly peakBytes: number;
  /** Processors other work kept busy meanwhile: 0.5 is half of one. */
  readonly othersBusy: number;
}

const ticksPerSecond = 100;

/** Runs a program to its end and measures it. Throws when it fails. */
export async function measure(command: string, args: readonly string[]): Promise<Measured> {
  const before = busyTicks();
  const startedAt = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
  }, 10);
  const cpuBefore = childTicks();
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearInterval(watch);
  const wallMs = performance.now() - startedAt;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${complaint}`);
  const cpuSeconds = (childTicks() - cpuBefore) / ticksPerSecond;
  const othersBusy = Math.max(0, (busyTicks() - before) / ticksPerSecond - cpuSeconds) / (wallMs / 1000);
  return { wallMs, cpuSeconds, peakBytes, othersBusy };
}

/** Busy ticks of all processors: user, nice, system, interrupts. */
function busyTicks(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    readFileSync("/proc/stat", "utf8").split("\n")[0] ?? ""
  )
    .split(/\s+/)
    .map(Number);
  return user + nice + system + irq + softirq;
}

/** Ticks of this process's children that ended and were waited for, theirs included. */
function childTicks(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  return (fields[13] ?? 0) + (fields[14] ?? 0);
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The middle value; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
