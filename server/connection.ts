import { type ConnectionOptions, LSPErrorCodes, type Message, type RequestMessage } from "vscode-languageserver";

/** A request that is cancelled while it still waits in the queue is answered as cancelled and never run. */
export const connectionOptions: ConnectionOptions = {
  connectionStrategy: {
    cancelUndispatched(message: Message) {
      if (!("id" in message)) return undefined;
      const { id } = message as RequestMessage;
      return { jsonrpc: "2.0", id, error: { code: LSPErrorCodes.RequestCancelled, message: "cancelled" } };
    },
  },
};
