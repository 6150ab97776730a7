/**
 * Every way the engine can fail: the facts each code carries, and one table with the sentence a user reads.
 *
 * A message says what was being done, to what, what was found and what to do next. It never holds a secret: callers pass
 * references, paths and digests, never URLs with user info, tokens or environment values.
 */

/** Code → the facts behind it. The table below must have a row for each. */
export interface ErrorFacts {
  CANCELLED: { readonly what: string };
  DIGEST_INVALID: { readonly text: string };
  REFERENCE_INVALID: { readonly text: string; readonly reason: string };
  PATH_ESCAPES_ROOT: { readonly path: string; readonly root: string };
}

export type ErrorCode = keyof ErrorFacts;

interface Row<Facts> {
  readonly message: (facts: Facts) => string;
  /** Whether the same call may succeed later without anybody changing anything; absent means no. */
  readonly retryable?: true;
}

const table: { readonly [Code in ErrorCode]: Row<ErrorFacts[Code]> } = {
  CANCELLED: { message: (f) => `${f.what}: cancelled; nothing was kept half-written.` },
  DIGEST_INVALID: {
    message: (f) => `"${f.text}" is not a digest: write sha256: followed by 64 lower-case hexadecimal digits.`,
  },
  REFERENCE_INVALID: { message: (f) => `"${f.text}" is not an image reference: ${f.reason}.` },
  PATH_ESCAPES_ROOT: {
    message: (f) => `"${f.path}" leads outside ${f.root}: use a path below it. Nothing was read or written.`,
  },
};

/** The one error class of the engine. `code` is stable and listed in `docs/errors.md`; `facts` are what the message was made of. */
export class EngineError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly facts: ErrorFacts[Code];

  constructor(code: Code, facts: ErrorFacts[Code], options?: ErrorOptions) {
    super(table[code].message(facts), options);
    this.name = "EngineError";
    this.code = code;
    this.facts = facts;
  }

  /** Whether the same call may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return table[this.code].retryable === true;
  }
}

/** Tells an `EngineError`, of one code when given, from anything else that was thrown. */
export function isEngineError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is EngineError<Code> {
  return error instanceof EngineError && (code === undefined || error.code === code);
}
