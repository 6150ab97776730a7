import type { BlobBody } from "./content.ts";

/** What the server sends back: data, so that a handler can be tested without a socket. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | { readonly blob: BlobBody; readonly start: number; readonly end: number };
}

/**
 * The error codes of the specification with the status each is sent with.
 *
 * @see OCI distribution-spec 1.1, "Error Codes"
 */
const statuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
} as const;

export type RefusalCode = keyof typeof statuses;

/** Refuses a request with a code of the specification and a sentence for people; `status` where the code's usual one does not fit. */
export function refuse(
  code: RefusalCode,
  message: string,
  more: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Answer {
  return {
    ...json(more.status ?? statuses[code], { errors: [{ code, message }] }),
    headers: { ...jsonHeaders, ...more.headers },
  };
}

const jsonHeaders = { "Content-Type": "application/json" };

/** A JSON answer. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...jsonHeaders, ...headers }, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

/** An answer without a body. */
export function empty(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { "Content-Length": "0", ...headers } };
}
