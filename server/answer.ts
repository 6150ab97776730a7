import { type CancellationToken, LSPErrorCodes, ResponseError } from "vscode-languageserver";

/** Where the server writes what its user cannot see in the editor. */
export interface ServerLog {
  error(message: string): void;
}

/** Thrown by work whose document changed while it waited. */
export class StaleDocument extends Error {
  constructor() {
    super("the document changed while the answer was made");
  }
}

/** An AbortSignal that follows an LSP cancellation token. */
export function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  else token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}

/**
 * Wraps the work of one LSP method: the only place where a throw becomes a log line with an empty answer, and a cancelled
 * or outdated request becomes the error the protocol has for it.
 *
 * Work that answers at once never sees the token: while it runs, nothing can cancel it.
 */
export function answering<P, R>(
  method: string,
  log: ServerLog,
  empty: R,
  work: (params: P, signal: () => AbortSignal) => R | Promise<R>,
): (params: P, token: CancellationToken) => R | ResponseError<never> | Promise<R | ResponseError<never>> {
  return (params, token) => {
    if (token.isCancellationRequested) return cancelled();
    try {
      const answer = work(params, () => signalOf(token));
      if (!(answer instanceof Promise)) return answer;
      return answer.then(
        (value) => (token.isCancellationRequested ? cancelled() : value),
        (error: unknown) => (token.isCancellationRequested ? cancelled() : failed(method, log, empty, error)),
      );
    } catch (error) {
      return failed(method, log, empty, error);
    }
  };
}

function cancelled(): ResponseError<never> {
  return new ResponseError(LSPErrorCodes.RequestCancelled, "cancelled");
}

function failed<R>(method: string, log: ServerLog, empty: R, error: unknown): R | ResponseError<never> {
  if (error instanceof StaleDocument) return new ResponseError(LSPErrorCodes.ContentModified, error.message);
  if (error instanceof ResponseError) return new ResponseError(error.code, error.message);
  log.error(`${method}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return empty;
}
