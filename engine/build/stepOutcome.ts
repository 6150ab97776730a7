import type { Digest } from "../oci/digest.ts";
import type { Place } from "../plan/steps.ts";

/** One step of the whole build or plan, over all platforms and stages. */
export interface NumberedStep {
  readonly id: number;
  readonly place: Place;
  /** Name of the stage, or its number as text. */
  readonly stage: string;
  /** `os/arch[/variant]`. */
  readonly platform: string;
  /** Tells the same instruction of the same Kubefile from one build to the next; key of what is remembered of it. */
  readonly identity: string;
}

/** How a step came out, or would. */
export interface StepOutcome {
  /** `toBuild` and `unknown` only while planning. */
  readonly kind: "cached" | "built" | "metadata" | "toBuild" | "unknown";
  readonly reason: string;
  readonly layer: { readonly diffId: Digest; readonly sizeBytes: number } | undefined;
  readonly writtenBytes: number;
  readonly durationMs: number;
  /** When the cached layer was built, and how long the last build of it took. */
  readonly builtAtMs: number | undefined;
  readonly lastDurationMs: number | undefined;
}

/** Whoever wants to know how a build goes. Called on the thread that builds; must not throw. */
export interface StepReporter {
  started(step: NumberedStep): void;
  progress(step: NumberedStep, done: number, total: number | undefined): void;
  output(step: NumberedStep, stream: "stdout" | "stderr", text: string): void;
  finished(step: NumberedStep, outcome: StepOutcome): void;
  failed(step: NumberedStep, error: unknown, durationMs: number): void;
  warning(step: NumberedStep | undefined, message: string): void;
}

export const silentReporter: StepReporter = {
  started: () => undefined,
  progress: () => undefined,
  output: () => undefined,
  finished: () => undefined,
  failed: () => undefined,
  warning: () => undefined,
};
