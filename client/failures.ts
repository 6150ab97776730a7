import { CancellationError, commands, l10n, Position, Range, Selection, Uri, window } from "vscode";
import { ResponseError } from "vscode-jsonrpc";
import type { KubefilePlace, ProtocolError } from "../engine/protocol.ts";
import type { Session } from "./session.ts";

/** What went wrong, whichever way it reached the client. */
export interface Failure {
  readonly message: string;
  /** Code of `engine/errors.ts`, or `INTERNAL`. */
  readonly code: string;
  readonly at?: KubefilePlace;
  readonly retryable: boolean;
  /** What the message was made of. */
  readonly facts: Readonly<Record<string, unknown>>;
}

const requestCancelled = -32800;

/** Turns anything thrown into a `Failure`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ResponseError) {
    const data: Partial<ProtocolError> | undefined = error.data;
    return {
      message: data?.message ?? error.message,
      code: data?.code ?? "INTERNAL",
      retryable: data?.retryable === true,
      facts: data?.facts ?? {},
      ...(data?.at ? { at: data.at } : {}),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: "INTERNAL", retryable: false, facts: {} };
}

/** Whether the error only says that somebody cancelled. */
export function isCancellation(error: unknown): boolean {
  if (error instanceof CancellationError) return true;
  return error instanceof ResponseError && (error.code === requestCancelled || failureOf(error).code === "CANCELLED");
}

/** Tells a failure once, with the ways on: its line, the log, and again where `retry` is given. Does not wait for the answer. */
export function tell(session: Session, error: unknown, retry?: () => unknown): void {
  if (isCancellation(error)) return;
  const failure = failureOf(error);
  session.log.error(`${failure.code}: ${failure.message}`);
  const goToLine = l10n.t("Go to Line");
  const showLog = l10n.t("Show Log");
  const tryAgain = l10n.t("Retry");
  const actions = [...(failure.at ? [goToLine] : []), ...(retry ? [tryAgain] : []), showLog];
  void window.showErrorMessage(failure.message, ...actions).then((chosen) => {
    if (chosen === goToLine && failure.at) return showPlace(failure.at);
    if (chosen === tryAgain) return retry?.();
    if (chosen === showLog) session.log.show(true);
    return undefined;
  });
}

/** Opens a Kubefile at a place and selects its lines. */
export async function showPlace(place: KubefilePlace): Promise<void> {
  const range = new Range(new Position(place.line - 1, 0), new Position(place.endLine - 1, Number.MAX_SAFE_INTEGER));
  const editor = await window.showTextDocument(Uri.file(place.kubefile), { selection: range });
  editor.selection = new Selection(range.start, range.start);
  editor.revealRange(range);
  await commands.executeCommand("workbench.action.focusActiveEditorGroup");
}
