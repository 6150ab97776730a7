/** What went wrong, in the engine's own codes: answers that are errors, and connections that broke. */
import { EngineError } from "../errors.ts";
import { parseRetryAfter } from "./retry.ts";

/** One error of a registry's answer. */
interface SpecError {
  readonly code: string;
  readonly message: string;
}

/** Facts of an answer that was not what was asked for. */
export interface FailedAnswer {
  /** What was being done, in words: `pull ghcr.io/a/b:1`. */
  readonly what: string;
  readonly registry: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The start of the body, at most 64 KiB. */
  readonly body: string;
  readonly nowMs: number;
}

/**
 * The error for an answer, by status first and by the specification's codes second.
 *
 * @see distribution-spec v1.1, "Error Codes"
 */
export function failureOf(answer: FailedAnswer): EngineError {
  const { what, registry, status } = answer;
  const { code, message } = parseSpecErrors(answer.body);
  const reason = message || code || `status ${status}`;
  const header = answer.headers["retry-after"];
  const retryAfterMs = parseRetryAfter(typeof header === "string" ? header : header?.[0], answer.nowMs);
  const after = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429 || code === "TOOMANYREQUESTS") {
    return new EngineError("REMOTE_RATE_LIMITED", { what, registry, ...after });
  }
  if (status >= 500 || status === 408) {
    return new EngineError("REMOTE_UNAVAILABLE", { what, registry, status, ...after });
  }
  if (status === 401 || code === "UNAUTHORIZED") {
    return new EngineError("REMOTE_UNAUTHORIZED", { what, registry, reason });
  }
  if (status === 403 || code === "DENIED") return new EngineError("REMOTE_DENIED", { what, registry, reason });
  if (status === 404 || status === 410) return new EngineError("REMOTE_NOT_FOUND", { what, registry, reason });
  return new EngineError("REMOTE_REFUSED", { what, registry, status, code, reason: message });
}

/** The first error of a body in the specification's form; empty texts when it has another. */
function parseSpecErrors(body: string): SpecError {
  const none = { code: "", message: "" };
  try {
    const { errors } = JSON.parse(body) as { errors?: unknown };
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    if (typeof first !== "object" || first === null) return none;
    const { code, message } = first as { code?: unknown; message?: unknown };
    return {
      code: typeof code === "string" ? oneLine(code, 64) : "",
      message: typeof message === "string" ? oneLine(message, 300) : "",
    };
  } catch {
    return none;
  }
}

/** A registry's words end up on terminals: no control characters, no novel. */
function oneLine(text: string, longest: number): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, longest);
}

const untrusted = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** The other side answered our TLS greeting with something that is not TLS. */
const notTls = new Set([
  "EPROTO",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_HTTP_REQUEST",
]);

/** The connection was never made. */
const unreachable: ReadonlyMap<string, string> = new Map([
  ["EAI_AGAIN", "its name could not be looked up"],
  ["ENOTFOUND", "there is no host of this name"],
  ["ECONNREFUSED", "nothing listens there"],
  ["EHOSTUNREACH", "there is no route"],
  ["ENETUNREACH", "there is no network"],
  ["UND_ERR_CONNECT_TIMEOUT", "it does not answer"],
  ["ETIMEDOUT", "it does not answer"],
]);

/** The connection broke after it was made. */
const broken: ReadonlyMap<string, string> = new Map([
  ["ECONNRESET", "the connection was reset"],
  ["EPIPE", "the connection was closed"],
  ["UND_ERR_SOCKET", "the connection was closed"],
  ["UND_ERR_HEADERS_TIMEOUT", "no answer came"],
  ["UND_ERR_BODY_TIMEOUT", "the data stopped coming"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", "the answer ended early"],
  ["UND_ERR_RES_EXCEEDED_MAX_SIZE", "the answer is too long"],
  ["HPE_INVALID_EOF_STATE", "the answer ended early"],
]);

/**
 * The error for a connection that could not be made or broke.
 *
 * @param host `host[:port]` that was spoken to
 */
export function connectionFailure(cause: unknown, what: string, host: string): EngineError {
  if (cause instanceof EngineError) return cause;
  const code = codeOf(cause);
  if (untrusted.has(code)) {
    return new EngineError("REMOTE_TLS_UNTRUSTED", { what, host, reason: textOf(cause, code) }, { cause });
  }
  if (notTls.has(code)) return new EngineError("REMOTE_PLAIN_HTTP", { what, host }, { cause });
  const missed = unreachable.get(code);
  if (missed !== undefined) return new EngineError("REMOTE_UNREACHABLE", { what, host, reason: missed }, { cause });
  const reason = broken.get(code) ?? textOf(cause, code);
  return new EngineError("REMOTE_INTERRUPTED", { what, registry: host, reason }, { cause });
}

/** Whether the connection failed because the other side speaks no TLS or does not listen: where HTTP is allowed, it is next. */
export function mayBePlainHttp(cause: unknown): boolean {
  const code = codeOf(cause);
  const message = cause instanceof Error ? cause.message : "";
  return (
    notTls.has(code) || code === "ECONNREFUSED" || message.includes("before secure TLS connection was established")
  );
}

function codeOf(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === "string" && code !== "UND_ERR") return code;
  return cause === undefined ? "" : codeOf(cause);
}

function textOf(error: unknown, code: string): string {
  const message = error instanceof Error ? oneLine(error.message, 200) : "";
  return message || code || "for no reason given";
}
