const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How long ago something was, in one unit: `just now`, `5 min ago`, `2 h ago`, `3 d ago`, `2 months ago`. */
export function age(atMs: number, nowMs: number): string {
  const elapsedMs = Math.max(0, nowMs - atMs);
  if (elapsedMs < minute) return "just now";
  if (elapsedMs < hour) return `${Math.floor(elapsedMs / minute)} min ago`;
  if (elapsedMs < day) return `${Math.floor(elapsedMs / hour)} h ago`;
  const days = Math.floor(elapsedMs / day);
  if (days < 60) return `${days} d ago`;
  return days < 730 ? `${Math.floor(days / 30)} months ago` : `${Math.floor(days / 365)} years ago`;
}

/** A duration in at most two units: `340 ms`, `3.4 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
