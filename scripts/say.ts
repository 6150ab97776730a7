import path from "node:path";
import process from "node:process";

/** The checkout. */
export const rootDir: string = path.resolve(import.meta.dirname, "..");

const bold = process.stdout.isTTY ? ["\u001b[1m", "\u001b[22m"] : ["", ""];

/** One line about what a script does, told apart from what the programs it runs print. */
export function say(text: string): void {
  console.log(`${bold[0]}[kubefile]${bold[1]} ${text}`);
}

/** Seconds since a `performance.now()`, as people read them: `3.4 s`, `2 min 5 s`. */
export function elapsed(startedAt: number): string {
  const seconds = (performance.now() - startedAt) / 1000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
