import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { EngineError } from "../errors.ts";
import { type Access, isLoopbackAddress } from "./access.ts";
import { type Answer, json } from "./answer.ts";
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
  /** Who may use it; absent means whoever reaches it. */
  readonly access?: Access;
  /** Told of every request when it is answered. */
  readonly onRequest?: (request: AnsweredRequest) => void;
  /** What `GET /_kubefile/status` answers, to this machine and to those who log in. */
  readonly status?: () => unknown;
  /** Told once for every request that failed on our side; never holds a header's value. */
  readonly onError: (what: string, error: unknown) => void;
}

/** One request and how it was answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** Path of the address, decoded as far as it was sent. */
  readonly path: string;
  /** Host of the registry the client meant, from `?ns=`. */
  readonly host?: string;
  readonly status: number;
  readonly client: string;
  readonly durationMs: number;
}

export interface ServerLimits {
  readonly connections: number;
  readonly uploadSessions: number;
  readonly uploadIdleMs: number;
  /** How long a client may take to send its headers. */
  readonly headersMs: number;
  /** How long a connection may be silent in the middle of a body. */
  readonly idleMs: number;
  /** Bytes one pushed blob may have. */
  readonly blobBytes: number;
}

export const defaultServerLimits: ServerLimits = {
  connections: 1024,
  uploadSessions: 256,
  uploadIdleMs: 10 * 60_000,
  headersMs: 15_000,
  idleMs: 120_000,
  blobBytes: 128 * 1024 ** 3,
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
  const sessions = createUploadSessions({
    sessions: limits.uploadSessions,
    idleMs: limits.uploadIdleMs,
    blobBytes: limits.blobBytes,
  });
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answerRequest(options, { content, sessions, readOnly, allowSparse }, request, response);
  };
  const settings = { keepAliveTimeout: 75_000, headersTimeout: limits.headersMs, requestTimeout: 0, noDelay: true };
  const server: Server =
    tls === undefined ? createServer(settings, listener) : createTlsServer({ ...settings, ...tls }, listener);
  server.maxConnections = limits.connections;
  server.timeout = limits.idleMs;
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

/** One request from its address to its last byte; whatever goes wrong is told once and ends here. */
async function answerRequest(
  options: RegistryServerOptions,
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedMs = options.onRequest === undefined ? 0 : performance.now();
  const gone = goneSignal(response);
  const url = new URL(request.url ?? "/", "http://registry");
  try {
    const answer = await admitted(options, registry, request, url, gone);
    await send(answer, request, response, gone);
  } catch (error) {
    if (gone.signal.aborted) return;
    options.onError(`${request.method ?? ""} ${url.pathname}`, error);
    if (response.headersSent) response.destroy();
    else await send(failureAnswer(error), request, response, gone);
  } finally {
    const host = url.searchParams.get("ns");
    options.onRequest?.({
      method: request.method ?? "",
      path: url.pathname,
      ...(host === null ? {} : { host }),
      status: response.statusCode,
      client: request.socket.remoteAddress ?? "",
      durationMs: performance.now() - startedMs,
    });
  }
}

const statusPath = "/_kubefile/status";

async function admitted(
  options: RegistryServerOptions,
  registry: Registry,
  request: IncomingMessage,
  url: URL,
  gone: Gone,
): Promise<Answer> {
  const method = request.method ?? "GET";
  const { authorization } = request.headers;
  const refusal = await options.access?.check(method, authorization);
  if (refusal !== undefined) return refusal;
  if (url.pathname === statusPath && options.status !== undefined && mayLook(options, request))
    return json(200, options.status());
  return await handle(registry, url.pathname, {
    method,
    query: url.searchParams,
    headers: request.headers,
    body: request,
    get signal() {
      return gone.signal;
    },
  });
}

/** The status names what others pull: it is for this machine, and for those who logged in. */
function mayLook(options: RegistryServerOptions, request: IncomingMessage): boolean {
  const loggedIn = options.access !== undefined && request.headers.authorization !== undefined;
  return loggedIn || isLoopbackAddress(plainAddress(request.socket.remoteAddress ?? ""));
}

function plainAddress(address: string): string {
  return address.replace(/^::ffff:/i, "");
}

/** Fires when the client is gone. Made when it is first asked for: most answers are small and never ask. */
interface Gone {
  readonly signal: AbortSignal;
}

function goneSignal(response: ServerResponse): Gone {
  let controller: AbortController | undefined;
  return {
    get signal() {
      if (controller === undefined) {
        const made = new AbortController();
        controller = made;
        if (response.destroyed) made.abort();
        else response.once("close", () => made.abort());
      }
      return controller.signal;
    },
  };
}

async function send(answer: Answer, request: IncomingMessage, response: ServerResponse, gone: Gone): Promise<void> {
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
  const { signal } = gone;
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
