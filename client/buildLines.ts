import type { BuildProgress, BuildResult, StepInfo } from "../engine/protocol.ts";
import { duration } from "./age.ts";
import { byteSize } from "./byteSize.ts";

/** Writes a build down as lines of text, one call per notification: what an output channel or a task's terminal shows. */
export class BuildLines {
  readonly #write: (text: string) => void;
  #steps: readonly StepInfo[] = [];
  /** Step whose output ended in the middle of a line. */
  #openLine = false;
  #lastImages = "";

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Adds what a notification tells. Lines end with `\n`. */
  add(progress: BuildProgress): void {
    switch (progress.kind) {
      case "planned":
        this.#steps = progress.steps;
        break;
      case "stepStarted":
        this.#line(`${this.#position(progress.stepId)} ${this.#step(progress.stepId)?.text ?? ""}`);
        break;
      case "stepProgress":
        break;
      case "stepOutput":
        this.#write(progress.text);
        this.#openLine = !progress.text.endsWith("\n");
        break;
      case "stepFinished":
        this.#finished(progress);
        break;
      case "containerImages":
        this.#containerImages(progress);
        break;
      case "warning":
        this.#line(`${progress.at ? `${progress.at.kubefile}:${progress.at.line}: ` : ""}warning: ${progress.message}`);
        break;
      default:
        progress satisfies never;
    }
  }

  /** One line for each image that is there; the bytes in between are not worth one. */
  #containerImages(progress: Extract<BuildProgress, { kind: "containerImages" }>): void {
    const { platform, done, total, movedBytes } = progress;
    const text = `container images for ${platform}: ${done}/${total}`;
    if (text === this.#lastImages) return;
    this.#lastImages = text;
    this.#line(`${text}, ${byteSize(movedBytes)} moved`);
  }

  #finished(progress: Extract<BuildProgress, { kind: "stepFinished" }>): void {
    const size = progress.layer ? `, ${byteSize(progress.layer.size)}` : "";
    const time = progress.outcome === "built" ? `, ${duration(progress.durationMs)}` : "";
    const reason = progress.outcome === "metadata" || progress.reason === "" ? "" : ` (${progress.reason})`;
    this.#line(`${this.#position(progress.stepId)} ${progress.outcome}${size}${time}${reason}`);
  }

  #line(text: string): void {
    this.#write(`${this.#openLine ? "\n" : ""}${text}\n`);
    this.#openLine = false;
  }

  #position(stepId: number): string {
    const index = this.#steps.findIndex((step) => step.id === stepId);
    return `[${index + 1}/${this.#steps.length}]`;
  }

  #step(stepId: number): StepInfo | undefined {
    return this.#steps.find((step) => step.id === stepId);
  }
}

/** The closing lines of a build that worked. */
export function resultLines(result: BuildResult): string {
  const steps = result.cachedSteps + result.builtSteps;
  return (
    `${result.references.join(", ") || "unnamed image"} ${result.digest}\n` +
    `${byteSize(result.sizeBytes)}, ${byteSize(result.writtenBytes)} written, ` +
    `${result.cachedSteps} of ${steps} layers from the cache, ${duration(result.durationMs)}\n`
  );
}
