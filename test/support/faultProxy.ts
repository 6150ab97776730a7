/** Stand-ins for bad networks and broken registries: a TCP proxy that cuts, and an HTTP proxy that meddles. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";

/** When a connection is cut: after this many bytes in a direction. Undefined lets it live. */
export type Cut = { readonly up: number } | { readonly down: number } | undefined;

export interface CuttingProxy extends AsyncDisposable {
  readonly host: string;
  /** Bytes that went to the server. */
  readonly sentBytes: number;
  readonly connections: number;
}

/** Passes connections on to a port of this machine and cuts them without a word. @param plan gets the number of the connection */
export async function startCuttingProxy(port: number, plan: (connection: number) => Cut): Promise<CuttingProxy> {
  const state = { sentBytes: 0, connections: 0 };
  const sockets = new Set<Socket>();
  const server = createTcpServer((client) => {
    const cut = plan(state.connections);
    state.connections += 1;
    const upstream = connect(port, "127.0.0.1");
    const end = () => {
      client.resetAndDestroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", end);
    }
    const pipe = (from: Socket, to: Socket, limit: number, onBytes: (count: number) => void) => {
      let left = limit;
      from.on("data", (chunk: Buffer) => {
        const part = chunk.subarray(0, left);
        left -= part.length;
        onBytes(part.length);
        const flowing = to.write(part);
        // What was let through must arrive before the cut: the test counts on it.
        if (left === 0) setTimeout(end, 20);
        else if (!flowing) {
          from.pause();
          to.once("drain", () => from.resume());
        }
        if (left === 0) from.pause();
      });
    };
    pipe(client, upstream, cut !== undefined && "up" in cut ? cut.up : Number.POSITIVE_INFINITY, (count) => {
      state.sentBytes += count;
    });
    pipe(upstream, client, cut !== undefined && "down" in cut ? cut.down : Number.POSITIVE_INFINITY, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sentBytes() {
      return state.sentBytes;
    },
    get connections() {
      return state.connections;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface MeddlingProxy extends AsyncDisposable {
  readonly host: string;
  /** Method and path of every request, in order. */
  readonly requests: string[];
}

/** Answers a request itself and returns true, or leaves it to the registry and returns false. */
export type Meddle = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

/** Passes requests on to a port of this machine, except where `meddle` answers. */
export async function startMeddlingProxy(port: number, meddle: Meddle): Promise<MeddlingProxy> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void (async () => {
      if (await meddle(request, response)) return void request.resume();
      const { method, url: path, headers } = request;
      const onward = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      request.pipe(onward);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
