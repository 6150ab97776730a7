import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands between a mirror and a real registry, to count what passes and to make it fail. A stand-in for a bad network, not for a registry. */
export interface CountingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `METHOD path` of every request that reached it. */
  readonly requests: readonly string[];
  /** What to do with the next requests: pass them, answer a status, refuse the connection, or cut bodies after some bytes. */
  behave(how: Behaviour): void;
}

export type Behaviour =
  | { readonly kind: "pass" }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "hangUp" }
  | { readonly kind: "cut"; readonly afterBytes: number; readonly times: number }
  | { readonly kind: "corrupt" };

/** Starts a proxy in front of `upstream` (`host:port`). */
export async function startCountingProxy(upstream: string): Promise<CountingProxy> {
  const requests: string[] = [];
  let behaviour: Behaviour = { kind: "pass" };
  let cuts = 0;
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${(incoming.url ?? "").split("?", 1)[0]}`);
    if (behaviour.kind === "hangUp") incoming.socket.destroy();
    else if (behaviour.kind === "status") {
      outgoing.writeHead(behaviour.status, behaviour.headers).end();
    } else forward(incoming, outgoing);
  });

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const [hostname, port] = upstream.split(":");
    const passed = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers });
    passed.on("error", () => outgoing.destroy());
    passed.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("error", () => outgoing.destroy());
      if (behaviour.kind === "cut" && cuts < behaviour.times) cutAfter(answer, outgoing, behaviour.afterBytes);
      else if (behaviour.kind === "corrupt")
        answer.on("data", (chunk: Buffer) => outgoing.write(chunk.fill(0))).on("end", () => outgoing.end());
      else answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  };

  const cutAfter = (answer: IncomingMessage, outgoing: ServerResponse, afterBytes: number): void => {
    let seen = 0;
    answer.on("data", (chunk: Buffer) => {
      seen += chunk.length;
      outgoing.write(chunk);
      if (seen < afterBytes) return;
      cuts += 1;
      answer.destroy();
      outgoing.destroy();
    });
    answer.on("end", () => outgoing.end());
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave(how) {
      behaviour = how;
      cuts = 0;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
