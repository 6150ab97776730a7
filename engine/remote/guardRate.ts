import { EngineError } from "../errors.ts";

/** The least a body must bring. */
export interface RateFloor {
  readonly what: string;
  readonly registry: string;
  readonly windowMs: number;
  /** Bytes that must come in each window. */
  readonly leastBytes: number;
}

/**
 * Passes a body on and breaks it off with `REMOTE_INTERRUPTED` when it crawls: a byte now and then keeps a connection alive for
 * ever, and a transfer that starts over on a new connection does not. Time the reader takes is not counted.
 */
export async function* guardRate(body: AsyncIterable<Uint8Array>, floor: RateFloor): AsyncGenerator<Uint8Array> {
  let waitedMs = 0;
  let bytes = 0;
  let asked = performance.now();
  for await (const chunk of body) {
    waitedMs += performance.now() - asked;
    bytes += chunk.byteLength;
    if (waitedMs >= floor.windowMs) {
      if (bytes < floor.leastBytes) {
        const reason = `only ${bytes} bytes came in ${Math.round(waitedMs / 1000)} s`;
        throw new EngineError("REMOTE_INTERRUPTED", { what: floor.what, registry: floor.registry, reason });
      }
      waitedMs = 0;
      bytes = 0;
    }
    yield chunk;
    asked = performance.now();
  }
}
