import { BrowserMessageReader, BrowserMessageWriter, createConnection } from "vscode-languageserver/browser";
import { connectionOptions } from "./connection.ts";
import { startServer } from "./server.ts";

/** The part of a worker's global object that the connection needs; the type of the reader asks for no more. */
type WorkerScope = ConstructorParameters<typeof BrowserMessageReader>[0];

// The server's entry point in a web worker: there are no files to look at, so only the text counts.
const scope = globalThis as unknown as WorkerScope;
startServer(createConnection(new BrowserMessageReader(scope), new BrowserMessageWriter(scope), connectionOptions), {
  files: undefined,
  now: () => performance.now(),
});
