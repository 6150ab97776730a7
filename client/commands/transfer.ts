import { commands, l10n, ProgressLocation, window } from "vscode";
import type { CancellationToken } from "vscode-jsonrpc";
import { duration } from "../age.ts";
import { byteSize } from "../byteSize.ts";
import { failureOf, isCancellation, tell } from "../failures.ts";
import type { Session } from "../session.ts";
import type { TransferState } from "../transfers.ts";

/** One transfer as the user sees it. */
export interface ShownTransfer<Result> {
  /** `Pulling shop:1`. */
  readonly title: string;
  /** Said when the user stopped it. */
  readonly cancelled: string;
  /** Offered as a login where the registry refuses us. */
  readonly registry?: string;
  run(watch: (state: TransferState) => void, token: CancellationToken): Promise<Result>;
}

/**
 * Runs a transfer in a notification with a cancel button, bytes, speed and time left. Answers its result, or `undefined` when it failed
 * or was cancelled, which is told; a registry that wants a login gets one and is asked again.
 */
export async function showTransfer<Result>(
  session: Session,
  transfer: ShownTransfer<Result>,
): Promise<Result | undefined> {
  try {
    return await window.withProgress(
      { location: ProgressLocation.Notification, title: transfer.title, cancellable: true },
      (report, token) => {
        let shown = 0;
        return transfer.run((state) => {
          const percent = state.totalBytes === 0 ? 0 : (100 * state.doneBytes) / state.totalBytes;
          report.report({ message: transferText(state), increment: Math.max(0, percent - shown) });
          shown = Math.max(shown, percent);
        }, token);
      },
    );
  } catch (error) {
    if (isCancellation(error)) {
      void window.showInformationMessage(transfer.cancelled);
      return undefined;
    }
    if (transfer.registry !== undefined && failureOf(error).code === "REMOTE_UNAUTHORIZED")
      return await offerLogin(session, transfer, transfer.registry, failureOf(error).message);
    tell(session, error, () => showTransfer(session, transfer));
    return undefined;
  }
}

function transferText({ doneBytes, totalBytes, bytesPerSecond, remainingMs }: TransferState): string {
  const parts = [l10n.t("{0} of {1}", byteSize(doneBytes), byteSize(totalBytes))];
  if (bytesPerSecond !== undefined) parts.push(`${byteSize(bytesPerSecond)}/s`);
  if (remainingMs !== undefined && remainingMs >= 1000) parts.push(l10n.t("{0} left", duration(remainingMs)));
  return parts.join(" · ");
}

async function offerLogin<Result>(
  session: Session,
  transfer: ShownTransfer<Result>,
  registry: string,
  message: string,
): Promise<Result | undefined> {
  session.log.error(`REMOTE_UNAUTHORIZED: ${message}`);
  const logIn = l10n.t("Log In");
  const showLog = l10n.t("Show Log");
  const chosen = await window.showErrorMessage(message, logIn, showLog);
  if (chosen === showLog) session.log.show(true);
  if (chosen !== logIn) return undefined;
  const isIn = await commands.executeCommand<boolean>("kubefile.logIn", registry);
  return isIn ? await showTransfer(session, transfer) : undefined;
}
