import { commands } from "vscode";
import { buildImage } from "./commands/buildImage.ts";
import { type Command, isRefused } from "./commands/command.ts";
import { compareFiles } from "./commands/compareFiles.ts";
import { copyContainerImage } from "./commands/copyContainerImage.ts";
import { copyDigest } from "./commands/copyDigest.ts";
import { copyReference } from "./commands/copyReference.ts";
import { explainCacheStatus } from "./commands/explainCacheStatus.ts";
import { goToInstruction } from "./commands/goToInstruction.ts";
import { inspectImage } from "./commands/inspectImage.ts";
import { loadImage } from "./commands/loadImage.ts";
import { logIn } from "./commands/logIn.ts";
import { logOut } from "./commands/logOut.ts";
import { newKubefile } from "./commands/newKubefile.ts";
import { pruneCache } from "./commands/pruneCache.ts";
import { pullImage } from "./commands/pullImage.ts";
import { pushImage } from "./commands/pushImage.ts";
import { rebuildImage } from "./commands/rebuildImage.ts";
import { refresh } from "./commands/refresh.ts";
import { removeImage } from "./commands/removeImage.ts";
import { restart } from "./commands/restart.ts";
import { saveImage } from "./commands/saveImage.ts";
import { showBuildLog } from "./commands/showBuildLog.ts";
import { showContainerImages } from "./commands/showContainerImages.ts";
import { showLog } from "./commands/showLog.ts";
import { showReferences } from "./commands/showReferences.ts";
import { tagImage } from "./commands/tagImage.ts";
import { updateImageLock } from "./commands/updateImageLock.ts";
import { verifyStore } from "./commands/verifyStore.ts";
import { tell } from "./failures.ts";
import type { Session } from "./session.ts";

/** Every command of the palette that this extension has. */
const allCommands: readonly Command[] = [
  buildImage,
  copyContainerImage,
  compareFiles,
  copyDigest,
  copyReference,
  explainCacheStatus,
  goToInstruction,
  inspectImage,
  loadImage,
  logIn,
  logOut,
  newKubefile,
  pruneCache,
  pullImage,
  pushImage,
  rebuildImage,
  refresh,
  removeImage,
  restart,
  saveImage,
  showBuildLog,
  showContainerImages,
  showLog,
  showReferences,
  tagImage,
  updateImageLock,
  verifyStore,
];

/** Registers the commands. One that throws tells so itself: VS Code's own words would be its stack. */
export function registerCommands(session: Session): void {
  for (const command of allCommands) {
    const run = async (...args: unknown[]): Promise<unknown> => {
      if (isRefused(command)) return undefined;
      try {
        return await command.run(session, ...args);
      } catch (error) {
        tell(session, error);
        return undefined;
      }
    };
    session.context.subscriptions.push(commands.registerCommand(command.id, run));
  }
}

/** The names of the commands, for the language server, which offers only what exists. */
export const commandIds: readonly string[] = allCommands.map(({ id }) => id);
