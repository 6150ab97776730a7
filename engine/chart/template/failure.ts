/** What goes wrong while a template runs, with the words Go's template package and Helm use. */

/** An error a template function returns; `inner` is the error it wraps (`%w`). */
export class GoError extends Error {
  readonly inner: Error | undefined;

  constructor(message: string, inner?: Error) {
    super(message);
    this.inner = inner;
  }
}

/** A template stopped: `template: FILE:LINE:COLUMN: executing "NAME" at <NODE>: REASON`. */
export class ExecError extends GoError {}

/** A limit set by the caller was reached. Never caught inside the engine. */
export class LimitReached extends Error {
  readonly limit: "time" | "output" | "depth" | "cancelled";

  constructor(limit: "time" | "output" | "depth" | "cancelled", message: string) {
    super(message);
    this.limit = limit;
  }
}

/** JavaScript's own limits are limits too: its RangeErrors become LimitReached, anything else stays. */
export function outOfRoom(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  const isStack = error.message.includes("call stack");
  return isStack
    ? new LimitReached("depth", "its templates call each other too deeply")
    : new LimitReached("output", `it would produce too much: ${error.message}`);
}
