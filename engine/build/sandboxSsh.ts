import { once } from "node:events";
import { chmodSync, chownSync, closeSync, openSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A socket `name` in `dir` that leads to the agent of the host: with an owner and mode the command can use, and gone with the sandbox.
 */
export async function openAgentSocket(
  dir: string,
  name: string,
  agent: {
    readonly socket: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly setOwner: boolean;
  },
): Promise<AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => join(client, agent.socket, open));
  // A socket's path holds 107 bytes at most; through the directory's descriptor any directory will do.
  const fd = openSync(dir, "r");
  const place = `/proc/self/fd/${fd}/${name}`;
  try {
    server.listen(place);
    await once(server, "listening");
    chmodSync(place, agent.mode);
    if (agent.setOwner) chownSync(place, agent.uid, agent.gid);
  } catch (error) {
    server.close();
    closeSync(fd);
    throw error;
  }
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      for (const socket of open) socket.destroy();
      await closed(server);
      closeSync(fd);
    },
  };
}

function join(client: Socket, agentSocket: string, open: Set<Socket>): void {
  const agent = connect({ path: agentSocket, allowHalfOpen: true });
  for (const [socket, other] of [
    [client, agent],
    [agent, client],
  ] as const) {
    open.add(socket);
    socket.on("error", () => other.destroy());
    socket.on("close", () => {
      open.delete(socket);
      other.end();
    });
    socket.pipe(other);
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
