import { isEngineError } from "../errors.ts";
import { type Answer, refuse } from "./answer.ts";

/** Seconds after which asking again makes sense when an upstream is down. */
const retryAfterSeconds = "5";

/**
 * What a client is told when a request failed on this side. An upstream that is down is 503, never 404: a runtime goes on to its next
 * registry on either, and only "not found" would be believed. A host that may not be asked is 403.
 */
export function failureAnswer(error: unknown): Answer {
  if (isEngineError(error, "MIRROR_REFUSED")) return refuse("DENIED", error.message);
  if (isEngineError(error) && error.code.startsWith("REMOTE_"))
    return refuse("UNSUPPORTED", error.message, { status: 503, headers: { "Retry-After": retryAfterSeconds } });
  return refuse("UNSUPPORTED", "The registry failed; its log says why.", { status: 500 });
}
