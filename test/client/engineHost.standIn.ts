/**
 * A stand-in for `dist/engine/host.js`: speaks the protocol over stdio, holds no images, and misbehaves on demand.
 * KUBEFILE_STAND_IN says how: `refuse` (answers initialize with an error), `die` (ends before it answers).
 */
import process from "node:process";
import { createMessageConnection, ResponseError, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import * as protocol from "../../engine/protocol.ts";

const manner = process.env["KUBEFILE_STAND_IN"];
if (manner === "die") process.exit(7);

const connection = createMessageConnection(
  new StreamMessageReader(process.stdin),
  new StreamMessageWriter(process.stdout),
);
connection.onRequest(protocol.initialize, ({ storeDir }) => {
  if (manner === "refuse") {
    return new ResponseError(1, "the store is newer than this engine", {
      code: "STORE_TOO_NEW",
      message: "the store is newer than this engine",
      facts: {},
      retryable: false,
    });
  }
  return {
    protocolVersion: protocol.protocolVersion,
    engineVersion: "stand-in",
    storeDir,
    nodeVersion: process.version,
    processId: process.pid,
  };
});
connection.onRequest(protocol.images, () => []);
connection.onRequest(
  protocol.plan,
  (_, token) =>
    new Promise((_resolve, reject) => {
      token.onCancellationRequested(() => reject(new ResponseError(-32800, "cancelled")));
    }),
);
connection.onRequest(protocol.inspectImage, () => process.exit(9));
connection.onRequest(protocol.build, async ({ buildId }) => {
  await connection.sendNotification(protocol.buildProgress, { kind: "warning", buildId, message: "hello" });
  return {
    ...{ buildId, digest: `sha256:${"0".repeat(64)}`, references: [], sizeBytes: 0, writtenBytes: 0 },
    ...{ durationMs: 0, cachedSteps: 0, builtSteps: 0 },
  };
});
connection.onRequest(protocol.shutdown, () => {
  setImmediate(() => process.exit(0));
  return null;
});
connection.onClose(() => process.exit(0));
connection.listen();
