import { randomUUID } from "node:crypto";
import type { CancellationToken } from "vscode-jsonrpc";
import {
  type BuildParams,
  type BuildProgress,
  type BuildResult,
  build,
  buildProgress,
  type StepInfo,
} from "../engine/protocol.ts";
import type { EngineProcess } from "./engineProcess.ts";

/** How far a step of a running build is. */
export type StepState =
  | { readonly kind: "waiting" }
  | { readonly kind: "running"; readonly done: number; readonly total?: number }
  | { readonly kind: "finished"; readonly outcome: "cached" | "built" | "metadata"; readonly size?: number };

/** A build under way. Changes in place; `Builds.onChange` says when. */
export interface RunningBuild {
  readonly buildId: string;
  readonly params: BuildParams;
  readonly startedAt: number;
  steps: readonly StepInfo[];
  readonly states: Map<number, StepState>;
  /** Container images that are packed, and all of them, once collecting began. */
  containerImages: { readonly done: number; readonly total: number } | undefined;
}

/** The builds this window started and that have not ended. */
export class Builds implements Disposable {
  readonly #engine: EngineProcess;
  readonly #now: () => number;
  readonly #running = new Map<string, RunningBuild>();
  readonly #watchers = new Map<string, (progress: BuildProgress) => void>();
  readonly #listeners = new Set<(build: RunningBuild) => void>();
  readonly #subscription: Disposable;

  constructor(engine: EngineProcess, now: () => number) {
    this.#engine = engine;
    this.#now = now;
    this.#subscription = engine.onNotification(buildProgress, (progress) => this.#follow(progress));
  }

  /** Newest first. */
  get running(): readonly RunningBuild[] {
    return [...this.#running.values()].reverse();
  }

  /** Calls back when a build starts, moves or ends; the answer ends that. */
  onChange(listener: (build: RunningBuild) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Runs a build to its end. Rejects as `EngineProcess.request` does. */
  async run(
    inputs: Omit<BuildParams, "buildId">,
    watch: (progress: BuildProgress, build: RunningBuild) => void,
    token: CancellationToken,
  ): Promise<BuildResult> {
    const params: BuildParams = { ...inputs, buildId: randomUUID() };
    const { buildId } = params;
    const running: RunningBuild = {
      buildId,
      params,
      startedAt: this.#now(),
      steps: [],
      states: new Map(),
      containerImages: undefined,
    };
    this.#running.set(buildId, running);
    this.#watchers.set(buildId, (progress) => watch(progress, running));
    this.#changed(running);
    try {
      return await this.#engine.request(build, params, token);
    } finally {
      this.#running.delete(buildId);
      this.#watchers.delete(buildId);
      this.#changed(running);
    }
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #follow(progress: BuildProgress): void {
    const running = this.#running.get(progress.buildId);
    if (running === undefined) return;
    move(running, progress);
    this.#watchers.get(progress.buildId)?.(progress);
    this.#changed(running);
  }

  #changed(running: RunningBuild): void {
    for (const listener of this.#listeners) listener(running);
  }
}

function move(running: RunningBuild, progress: BuildProgress): void {
  switch (progress.kind) {
    case "planned":
      running.steps = progress.steps;
      for (const step of progress.steps) running.states.set(step.id, { kind: "waiting" });
      break;
    case "stepStarted":
      running.states.set(progress.stepId, { kind: "running", done: 0 });
      break;
    case "stepProgress": {
      const { done, total } = progress;
      running.states.set(progress.stepId, { kind: "running", done, ...(total === undefined ? {} : { total }) });
      break;
    }
    case "stepFinished": {
      const { outcome, layer } = progress;
      running.states.set(progress.stepId, { kind: "finished", outcome, ...(layer ? { size: layer.size } : {}) });
      break;
    }
    case "containerImages":
      running.containerImages = { done: progress.done, total: progress.total };
      break;
    case "stepOutput":
    case "warning":
      break;
    default:
      progress satisfies never;
  }
}

/** `3/12`: steps that are done, of all. */
export function stepCount(running: RunningBuild): { readonly done: number; readonly all: number } {
  const done = [...running.states.values()].filter((state) => state.kind === "finished").length;
  return { done, all: running.steps.length };
}
