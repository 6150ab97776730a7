import { type ExtensionContext, extensions, Uri } from "vscode";
import { NotificationType0, RequestType } from "vscode-languageclient";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import type { ImageAnswers } from "./imageFacts.ts";
import { languageClientOptions } from "./languageOptions.ts";

/** A running language server, as the rest of the client sees it. */
export interface LanguageServer {
  restart(): Promise<void>;
}

/** The questions of the server; declared here as in `server/protocol.ts`. */
const imageFacts = new RequestType<{ reference: string; platform?: string }, unknown, void>("kubefile/imageFacts");
const localImages = new RequestType<Record<string, never>, unknown, void>("kubefile/localImages");
const imageTags = new RequestType<{ repository: string }, unknown, void>("kubefile/imageTags");
const imagesChanged = new NotificationType0("kubefile/imagesChanged");

/**
 * Starts the language server as a process of its own; it comes back by itself when it crashes, a few times.
 * This file is a bundle of its own, loaded after activation: the LSP client is four fifths of the client's code.
 */
export async function startLanguageServer(
  context: ExtensionContext,
  answers: ImageAnswers,
  commands: readonly string[],
): Promise<LanguageServer> {
  const module = Uri.joinPath(context.extensionUri, "dist", "server.cjs").fsPath;
  // Short-lived objects of a parse are most of what the server makes; a small nursery keeps its memory small.
  const nursery = { execArgv: ["--max-semi-space-size=4"] };
  const run = { module, transport: TransportKind.ipc, options: nursery };
  // The YAML extension checks Clusterfiles with a schema when it is there.
  const checkClusterfiles = extensions.getExtension("redhat.vscode-yaml") === undefined;
  const options = languageClientOptions({ imageFacts: true, commands, checkClusterfiles });
  const client = new LanguageClient("kubefile", "Kubefile Language Server", { run, debug: run }, options);
  client.onRequest(imageFacts, (question, token) => answers.facts(question, token));
  client.onRequest(localImages, (_, token) => answers.localImages(token));
  // Tags of other registries wait for the engine's registry client.
  client.onRequest(imageTags, () => null);
  const change = answers.onChange(() => {
    if (client.isRunning()) void client.sendNotification(imagesChanged);
  });
  context.subscriptions.push(
    { dispose: () => change[Symbol.dispose]() },
    {
      dispose: () => {
        // At the end of the window the server may be gone before it is asked to go.
        client.dispose().catch(() => {});
      },
    },
  );
  await client.start();
  return client;
}
