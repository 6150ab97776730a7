import { EngineError } from "../errors.ts";

/** Runs an act and turns what it throws after the signal fired, whatever that is, into `CANCELLED`: the door of every transfer. */
export async function cancellable<Result>(
  what: string,
  act: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  try {
    signal.throwIfAborted();
    return await act();
  } catch (cause) {
    if (signal.aborted) throw new EngineError("CANCELLED", { what }, { cause });
    throw cause;
  }
}
