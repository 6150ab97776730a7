import { EngineError } from "../errors.ts";

/** The system's code of a failed call (`ENOENT`), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || error instanceof EngineError) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Gives a failed call on the store's files its meaning: a full disk, no permission, or what it was. Our own errors pass unchanged. */
export function storeError(dir: string, error: unknown): unknown {
  const code = errnoOf(error);
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new EngineError("STORE_FULL", { dir }, { cause: error });
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new EngineError("STORE_READ_ONLY", { dir }, { cause: error });
    case "ENOTDIR":
    case "EEXIST":
      return new EngineError(
        "STORE_UNUSABLE",
        { dir, problem: "a file is where a folder should be" },
        { cause: error },
      );
    case "EIO":
      return new EngineError("STORE_UNUSABLE", { dir, problem: "the disk reports an error" }, { cause: error });
    default:
      return error;
  }
}

/** Runs something that writes into the store and gives its errors their meaning. */
export async function writing<T>(dir: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw storeError(dir, error);
  }
}

/** `writing` for synchronous acts. */
export function writingSync<T>(dir: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw storeError(dir, error);
  }
}

/** Throws `CANCELLED` when the signal has fired. */
export function throwIfCancelled(signal: AbortSignal, what: string): void {
  if (signal.aborted) throw new EngineError("CANCELLED", { what }, { cause: signal.reason });
}
