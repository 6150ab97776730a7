import { createConnection } from "vscode-languageserver/node";
import { connectionOptions } from "./connection.ts";
import { diskFiles } from "./diskFiles.ts";
import { startServer } from "./server.ts";

// The server's entry point in Node: `--stdio` or `--node-ipc` says how the client talks to it.
startServer(createConnection(connectionOptions), { files: diskFiles(), now: () => performance.now() });
