import type { ExtensionContext, LogOutputChannel } from "vscode";
import { extensions, Uri } from "vscode";
import type { LanguageClientOptions } from "vscode-languageclient";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import { commandIds } from "./commands.ts";
import type { EngineProcess } from "./engineProcess.ts";
import { answerImageQuestions } from "./imageFacts.ts";
import { languageClientOptions } from "./languageOptions.ts";

/** Starts the language server as a process of its own. It comes back by itself when it crashes, a few times. */
export function startLanguageClient(
  context: ExtensionContext,
  engine: EngineProcess,
  log: LogOutputChannel,
): LanguageClient {
  const module = Uri.joinPath(context.extensionUri, "dist", "server.cjs").fsPath;
  const options: LanguageClientOptions = languageClientOptions({
    imageFacts: true,
    commands: commandIds,
    // The YAML extension checks Clusterfiles with a schema when it is there.
    checkClusterfiles: extensions.getExtension("redhat.vscode-yaml") === undefined,
  });
  const client = new LanguageClient(
    "kubefile",
    "Kubefile Language Server",
    { run: { module, transport: TransportKind.ipc }, debug: { module, transport: TransportKind.ipc } },
    options,
  );
  answerImageQuestions(client, engine);
  client.start().catch((error: unknown) => log.error(`language server: ${error}`));
  context.subscriptions.push({ dispose: () => void client.dispose() });
  return client;
}
