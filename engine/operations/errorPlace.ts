import { EngineError } from "../errors.ts";
import type { KubefilePlace, ProtocolError } from "../protocol.ts";

const places = new WeakMap<object, KubefilePlace>();

/** Notes where in a Kubefile an error came up, for whoever reports it. The first place counts: it is the innermost. */
export function markPlace(error: unknown, place: KubefilePlace): void {
  if (typeof error === "object" && error !== null && !places.has(error)) places.set(error, place);
}

/** Where the error came up, if that is known. */
export function placeOf(error: unknown): KubefilePlace | undefined {
  return typeof error === "object" && error !== null ? places.get(error) : undefined;
}

/** An error as it travels to the client and into the history. Anything but an `EngineError` is a defect and says only that. */
export function protocolError(error: unknown): ProtocolError {
  const at = placeOf(error);
  if (error instanceof EngineError) {
    return {
      code: error.code,
      message: error.message,
      facts: { ...error.facts },
      retryable: error.retryable,
      ...(at === undefined ? {} : { at }),
    };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: "INTERNAL",
    message: `The engine met a defect of its own (${text}). Please report it with the engine's log.`,
    facts: {},
    retryable: false,
    ...(at === undefined ? {} : { at }),
  };
}
