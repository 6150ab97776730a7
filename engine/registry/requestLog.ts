import { parseRoute } from "./route.ts";
import type { AnsweredRequest } from "./server.ts";

/** What a registry did lately: counts by class, and the lines that tell a person which image was asked for. */
export interface RequestLog {
  note(request: AnsweredRequest): void;
  /** Requests by class (`pull manifest`, `pull blob`, `push`, `other`) and how many of them failed. */
  counts(): Readonly<Record<string, number>>;
  /** The last lines, oldest first. */
  recent(): readonly string[];
}

const keptLines = 200;

/**
 * Keeps the log of a registry. A line is told for every manifest asked for or pushed and for whatever fails: an image is one line, not as
 * many as it has layers.
 */
export function requestLog(tell: (line: string) => void): RequestLog {
  const counts = new Map<string, number>();
  const lines: string[] = [];
  const count = (key: string): void => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  return {
    note(request) {
      const { kind, subject } = classOf(request);
      const failed = request.status >= 400;
      count(kind);
      if (failed) count(`${kind} failed`);
      if (kind !== "pull manifest" && kind !== "push manifest" && !failed) return;
      const line = `${request.method} ${subject} ${request.status} ${request.client} ${request.durationMs.toFixed(0)} ms`;
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      tell(line);
    },
    counts: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    recent: () => [...lines],
  };
}

function classOf(request: AnsweredRequest): { readonly kind: string; readonly subject: string } {
  const route = parseRoute(request.path);
  if (route === undefined || route === "badName") return { kind: "other", subject: printable(request.path) };
  const pulls = request.method === "GET" || request.method === "HEAD";
  if (route.kind === "ping" || route.kind === "catalog") return { kind: "other", subject: route.kind };
  const name = `${request.host === undefined ? "" : `${printable(request.host)}/`}${route.repository}`;
  if (route.kind === "manifest") {
    const separator = route.reference.includes(":") ? "@" : ":";
    const subject = `${name}${separator}${printable(route.reference)}`;
    return { kind: pulls ? "pull manifest" : "push manifest", subject };
  }
  if (route.kind === "blob")
    return { kind: pulls ? "pull blob" : "push", subject: `${name}@${printable(route.digest)}` };
  return { kind: pulls ? "other" : "push", subject: `${name} ${route.kind}` };
}

/** What strangers sent ends up on a terminal: no control characters, no novel. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300);
}
