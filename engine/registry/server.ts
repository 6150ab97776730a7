import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { EngineError } from "../errors.ts";
import type { Answer } from "./answer.ts";
import type { WritableContent } from "./content.ts";
import { failureAnswer } from "./failureAnswer.ts";
import { handle } from "./handle.ts";
import { createUploadSessions } from "./uploadHandlers.ts";

export interface RegistryServerOptions {
  readonly content: WritableContent;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly readOnly: boolean;
  /** Whether a manifest may be pushed before its blobs; a registry for people should say no. */
  readonly allowSparse: boolean;
  /** PEM texts; absent means plain HTTP, which is for loopback. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly limits: ServerLimits;
  /** Told once for every request that failed on our side; never holds a header's value. */
  readonly onError: (what: string, error: unknown) => void;
}

export interface ServerLimits {
  readonly connections: number;
  readonly uploadSessions: number;
  readonly uploadIdleMs: number;
  /** How long a client may take to send its headers. */
  readonly headersMs: number;
}

export const defaultServerLimits: ServerLimits = {
  connections: 1024,
  uploadSessions: 256,
  uploadIdleMs: 10 * 60_000,
  headersMs: 15_000,
};

/** A running registry. Disposal stops listening, ends the connections and throws away unfinished uploads. */
export interface RegistryServer extends AsyncDisposable {
  /** `http://127.0.0.1:5000`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
}

/**
 * Serves a registry's content over HTTP until it is disposed.
 *
 * Throws `REGISTRY_LISTEN_FAILED` when the address cannot be used.
 */
export async function serveRegistry(options: RegistryServerOptions): Promise<RegistryServer> {
  const { content, limits, readOnly, allowSparse, tls } = options;
  const sessions = createUploadSessions({ sessions: limits.uploadSessions, idleMs: limits.uploadIdleMs });
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answerRequest({ content, sessions, readOnly, allowSparse }, request, response, options.onError);
  };
  const settings = { keepAliveTimeout: 75_000, headersTimeout: limits.headersMs, requestTimeout: 0, noDelay: true };
  const server: Server =
    tls === undefined ? createServer(settings, listener) : createTlsServer({ ...settings, ...tls }, listener);
  server.maxConnections = limits.connections;
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    port,
    url: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await sessions[Symbol.asyncDispose]();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? cause.message;
      reject(new EngineError("REGISTRY_LISTEN_FAILED", { address: `${host}:${port}`, reason }, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

type Registry = Parameters<typeof handle>[0];

async function answerRequest(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  onError: RegistryServerOptions["onError"],
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const url = new URL(request.url ?? "/", "http://registry");
  const what = `${request.method ?? ""} ${url.pathname}`;
  try {
    const answer = await handle(registry, url.pathname, {
      method: request.method ?? "GET",
      query: url.searchParams,
      headers: request.headers,
      body: request,
      signal: gone.signal,
    });
    await send(answer, request, response, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    onError(what, error);
    if (response.headersSent) response.destroy();
    else await send(failureAnswer(error), request, response, gone.signal);
  }
}

async function send(
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { body } = answer;
  const headOnly = request.method === "HEAD";
  // A body that nobody read would stand in the way of the connection's next request.
  if (!request.complete && !headOnly) request.resume();
  if (body === undefined || body instanceof Uint8Array) {
    const length = body === undefined ? {} : { "Content-Length": String(body.length) };
    response.writeHead(answer.status, { ...length, ...answer.headers });
    response.end(headOnly ? undefined : body);
    return;
  }
  const { blob, start, end } = body;
  try {
    response.writeHead(answer.status, answer.headers);
    if (!headOnly) for await (const chunk of blob.read(start, end, signal)) await written(response, chunk, signal);
    response.end();
  } finally {
    await blob.close();
  }
}

/** Resolves when the chunk's memory may be used again. */
function written(response: ServerResponse, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new EngineError("CANCELLED", { what: "sending a blob" }));
    signal.addEventListener("abort", stop, { once: true });
    response.write(chunk, (error) => {
      signal.removeEventListener("abort", stop);
      if (error) reject(error);
      else resolve();
    });
  });
}
