/** The extension in a browser without a machine behind it: the language, and nothing that needs files or processes. */
import { type ExtensionContext, Uri } from "vscode";
import { LanguageClient } from "vscode-languageclient/browser";
import { languageClientOptions } from "./languageOptions.ts";

/** The one thing of the browser this file needs; the project's types are Node's. */
declare const Worker: new (url: string) => object;

/** Starts the language server as a web worker. */
export async function activate(context: ExtensionContext): Promise<void> {
  const worker = new Worker(Uri.joinPath(context.extensionUri, "dist", "server.browser.js").toString(true));
  const options = languageClientOptions({ imageFacts: false, commands: [], checkClusterfiles: true });
  const client = new LanguageClient("kubefile", "Kubefile Language Server", options, worker);
  context.subscriptions.push({ dispose: () => void client.dispose() });
  await client.start();
}
