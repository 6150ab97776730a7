import type { NumberedStep, StepOutcome, StepReporter } from "../build/stepOutcome.ts";
import type { BuildRecord, LayerSummary, StepInfo } from "../protocol.ts";
import { markPlace } from "./errorPlace.ts";

type RecordedStep = BuildRecord["steps"][number];

/** A step as the client knows it. */
export function stepInfo(step: NumberedStep): StepInfo {
  const { place } = step;
  return {
    id: step.id,
    instruction: place.keyword,
    text: place.text,
    stage: step.stage,
    platform: step.platform,
    line: place.line,
    endLine: place.endLine,
  };
}

/** A layer as the client knows it. */
export function layerSummary(layer: StepOutcome["layer"]): { readonly layer?: LayerSummary } {
  return layer === undefined ? {} : { layer: { diffId: layer.diffId, size: layer.sizeBytes } };
}

/** Collects how the steps of a build went, and passes everything on. */
export class RecordingReporter implements StepReporter {
  readonly #next: StepReporter;
  readonly #kubefile: string;
  readonly #steps = new Map<number, RecordedStep>();
  #writtenBytes = 0;

  constructor(next: StepReporter, kubefile: string) {
    this.#next = next;
    this.#kubefile = kubefile;
  }

  /** All steps, those nobody came to included. */
  planned(steps: readonly NumberedStep[]): void {
    for (const step of steps) {
      this.#steps.set(step.id, { info: stepInfo(step), outcome: "not reached", reason: "", durationMs: 0 });
    }
  }

  get steps(): readonly RecordedStep[] {
    return [...this.#steps.values()].sort((a, b) => a.info.id - b.info.id);
  }

  /** What the steps added to the store. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Whether a RUN was carried out, or tried. */
  get ranSomething(): boolean {
    return this.steps.some(
      ({ info, outcome }) => info.instruction === "RUN" && (outcome === "built" || outcome === "failed"),
    );
  }

  started(step: NumberedStep): void {
    this.#next.started(step);
  }

  progress(step: NumberedStep, done: number, total: number | undefined): void {
    this.#next.progress(step, done, total);
  }

  output(step: NumberedStep, stream: "stdout" | "stderr", text: string): void {
    this.#next.output(step, stream, text);
  }

  warning(step: NumberedStep | undefined, message: string): void {
    this.#next.warning(step, message);
  }

  finished(step: NumberedStep, outcome: StepOutcome): void {
    const { kind, reason, durationMs, layer } = outcome;
    this.#writtenBytes += outcome.writtenBytes;
    this.#steps.set(step.id, {
      info: stepInfo(step),
      outcome: kind === "cached" || kind === "built" ? kind : "metadata",
      reason,
      durationMs,
      ...layerSummary(layer),
    });
    this.#next.finished(step, outcome);
  }

  failed(step: NumberedStep, error: unknown, durationMs: number): void {
    markPlace(error, { kubefile: this.#kubefile, line: step.place.line, endLine: step.place.endLine });
    this.#steps.set(step.id, { info: stepInfo(step), outcome: "failed", reason: "", durationMs });
    this.#next.failed(step, error, durationMs);
  }
}
