import { EngineError } from "../errors.ts";
import type { StageEnvironment } from "./environment.ts";
import type { Place } from "./steps.ts";

/** What reading one instruction of a stage needs to know. */
export interface Reader {
  readonly environment: StageEnvironment;
  readonly place: Place;
  /** Absolute. */
  readonly workingDirectory: string;
  /** The index of a stage above this one, by name (any case) or number. */
  stageNamed(name: string): number | undefined;
}

/** Ends the evaluation: the instruction cannot be built as written. Throws `KUBEFILE_INVALID`. */
export function refuse(place: Place, reason: string): never {
  throw new EngineError("KUBEFILE_INVALID", {
    line: place.line,
    endLine: place.endLine,
    instruction: place.keyword,
    reason,
  });
}
