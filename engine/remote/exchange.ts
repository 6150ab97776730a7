/** One HTTP exchange: the request, the redirects it is led through, and the answer with its body guarded. */
import type { Dispatcher } from "undici";
import { EngineError } from "../errors.ts";
import type { Connections } from "./connections.ts";
import { mayUsePlainHttp } from "./endpoint.ts";
import { connectionFailure } from "./failure.ts";
import { guardRate } from "./guardRate.ts";

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What is sent with a request. A stream is read once: whoever sends it decides how to go on when it breaks. */
export type RequestBody =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "stream"; readonly content: AsyncIterable<Uint8Array>; readonly sizeBytes?: number };

/** A request as it goes out. */
export interface Outgoing {
  /** What is being done, in words, for errors. */
  readonly what: string;
  readonly registry: string;
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` only, never along a redirect to another. */
  readonly authorization?: string;
  readonly body?: RequestBody;
  /** Only to learn whether TLS is spoken; see `Connections.probeFor`. */
  readonly probe?: true;
  /** How long to wait for the first byte of the answer once all is sent, in milliseconds. */
  readonly answerTimeoutMs: number;
}

/** An answer. Its body must be read or discarded, else its connection stays taken. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Where it came from after redirects. */
  readonly url: URL;
  /** The bytes as they come; a connection that breaks or crawls ends in `REMOTE_INTERRUPTED`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Reads the body whole; `REMOTE_TOO_LARGE` when it is longer than the limit. */
  read(limitBytes: number): Promise<Uint8Array>;
  /** Lets go of the body unread. */
  discard(): Promise<void>;
}

/** What exchanges share. */
export interface ExchangeContext {
  readonly connections: Connections;
  readonly insecureRegistries: readonly string[];
  /** Longest silence while a body comes or goes, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** A body must bring this many bytes in every window of the same length as the idle timeout. */
  readonly slowestBytes: number;
}

const mostRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request and follows its redirects. Every status is an answer; only a connection that fails throws.
 *
 * @throws EngineError REMOTE_UNREACHABLE, REMOTE_INTERRUPTED, REMOTE_TLS_UNTRUSTED, REMOTE_PLAIN_HTTP, REMOTE_REDIRECT_REFUSED,
 *   and what `Connections.poolFor` throws
 */
export async function exchange(outgoing: Outgoing, context: ExchangeContext, signal: AbortSignal): Promise<Answer> {
  let url = outgoing.url;
  for (let hops = 0; hops <= mostRedirects; hops += 1) {
    const answer = await exchangeOnce(outgoing, url, context, signal);
    const next = redirects.has(answer.status) ? nextUrl(outgoing, url, answer, context) : undefined;
    if (next === undefined) return answer;
    await answer.discard();
    url = next;
  }
  throw refused(outgoing, url, `it is the ${mostRedirects + 1}th in a row`);
}

/** Where a redirect leads, or undefined when the answer is to be taken as it is. */
function nextUrl(outgoing: Outgoing, from: URL, answer: Answer, context: ExchangeContext): URL | undefined {
  const location = headerText(answer, "location");
  // Only what can be asked again unchanged is: a stream is gone, and a POST must not silently become a GET.
  const repeatable = outgoing.method === "GET" || outgoing.method === "HEAD";
  const replayable = (answer.status === 307 || answer.status === 308) && outgoing.body?.kind !== "stream";
  if (location === undefined || !(repeatable || replayable)) return undefined;
  return resolveLocation(location, from, outgoing, context.insecureRegistries);
}

/**
 * The URL a `Location` header means. A registry behind a proxy that ends TLS often names itself with http: that stays
 * https, and any other way down to plain HTTP is refused.
 *
 * @throws EngineError REMOTE_REDIRECT_REFUSED
 */
export function resolveLocation(
  location: string,
  from: URL,
  asked: { readonly what: string; readonly registry: string },
  insecureRegistries: readonly string[],
): URL {
  if (!URL.canParse(location, from.href)) {
    const reason = "its Location header is not an address";
    throw new EngineError("REMOTE_PROTOCOL", { what: asked.what, registry: asked.registry, reason });
  }
  const url = new URL(location, from);
  url.username = "";
  url.password = "";
  if (url.protocol === "http:" && from.protocol === "https:") {
    if (url.hostname === from.hostname) return new URL(`${url.pathname}${url.search}`, from.origin);
    if (!mayUsePlainHttp(url.host, insecureRegistries)) throw refused(asked, url, "it leads from TLS to plain HTTP");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused(asked, url, "it is no web address");
  return url;
}

function refused(asked: { readonly what: string }, url: URL, reason: string): EngineError {
  return new EngineError("REMOTE_REDIRECT_REFUSED", { what: asked.what, host: url.host, reason });
}

/** A header as one text; the first where it came several times. */
export function headerText(answer: Pick<Answer, "headers">, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === "string" ? value : value?.[0];
}

async function exchangeOnce(
  outgoing: Outgoing,
  url: URL,
  context: ExchangeContext,
  signal: AbortSignal,
): Promise<Answer> {
  const atHome = url.origin === outgoing.url.origin;
  const { connections } = context;
  const probes = outgoing.probe === true;
  const pool = await (probes
    ? connections.probeFor(url)
    : connections.poolFor(url, atHome ? outgoing.registry : url.host));
  const { what, method, body } = outgoing;
  const watch =
    body?.kind === "stream" ? watchStream(body.content, context.idleTimeoutMs, outgoing.answerTimeoutMs) : undefined;
  try {
    const answer = await pool.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: headersOf(outgoing, atHome),
      // undici's types know Node's own streams; at run time any async iterable of bytes will do.
      body: (watch?.content ?? (body?.kind === "bytes" ? body.bytes : null)) as Dispatcher.DispatchOptions["body"],
      signal: watch === undefined ? signal : AbortSignal.any([signal, watch.stalled]),
      headersTimeout: watch === undefined ? outgoing.answerTimeoutMs : 0,
      bodyTimeout: context.idleTimeoutMs,
    } as Dispatcher.RequestOptions);
    return answerOf(answer, url, outgoing, context, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (watch?.sourceError !== undefined) throw watch.sourceError.error;
    if (watch?.stalled.aborted !== true) throw connectionFailure(error, what, url.host);
    const facts = { what, registry: url.host, reason: "no data was taken" };
    throw new EngineError("REMOTE_INTERRUPTED", facts, { cause: error });
  } finally {
    watch?.stop();
  }
}

function headersOf(outgoing: Outgoing, atHome: boolean): Record<string, string> {
  const { headers, authorization, body } = outgoing;
  const sizeBytes = body?.kind === "stream" ? body.sizeBytes : undefined;
  return {
    ...headers,
    ...(atHome && authorization !== undefined ? { authorization } : {}),
    ...(sizeBytes === undefined ? {} : { "content-length": String(sizeBytes) }),
  };
}

interface Watch {
  readonly content: AsyncIterable<Uint8Array>;
  readonly stalled: AbortSignal;
  /** The stream's own failure, which must not be taken for the connection's. */
  readonly sourceError: { readonly error: unknown } | undefined;
  stop(): void;
}

/** Watches that the other side keeps taking what is sent, and answers in time after the last of it. */
function watchStream(content: AsyncIterable<Uint8Array>, idleTimeoutMs: number, answerTimeoutMs: number): Watch {
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let sourceError: Watch["sourceError"];
  const wait = (timeoutMs: number): void => {
    timer = setTimeout(() => stalled.abort(), timeoutMs);
  };
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of content) {
        wait(idleTimeoutMs);
        yield chunk;
        clearTimeout(timer);
      }
    } catch (error) {
      sourceError = { error };
      throw error;
    }
    wait(answerTimeoutMs);
  }
  return {
    content: watched(),
    stalled: stalled.signal,
    get sourceError() {
      return sourceError;
    },
    stop: () => clearTimeout(timer),
  };
}

function answerOf(
  answer: Dispatcher.ResponseData,
  url: URL,
  outgoing: Outgoing,
  context: ExchangeContext,
  signal: AbortSignal,
): Answer {
  const { what, registry } = outgoing;
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      yield* guardRate(answer.body, {
        what,
        registry,
        windowMs: context.idleTimeoutMs,
        leastBytes: context.slowestBytes,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw connectionFailure(error, what, url.host);
    }
  }
  const body = content();
  return {
    status: answer.statusCode,
    headers: answer.headers,
    url,
    body,
    async read(limitBytes) {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of body) {
        length += chunk.byteLength;
        if (length > limitBytes) throw new EngineError("REMOTE_TOO_LARGE", { what, registry, limitBytes });
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
    async discard() {
      // A short rest is read so that the connection can be used again; a long one costs less to cut off.
      await answer.body.dump({ limit: 64 * 1024 }).catch(() => undefined);
    },
  };
}
