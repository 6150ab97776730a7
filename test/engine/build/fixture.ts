import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { NumberedStep, StepOutcome } from "../../../engine/build/stepOutcome.ts";
import { type Engine, openEngine } from "../../../engine/engine.ts";
import type { BuildFollower } from "../../../engine/operations/buildImage.ts";
import type { BuildParams, BuildResult, PlanParams, PlanResult } from "../../../engine/protocol.ts";

/** A folder with a context and a store, for one test; removed when it is disposed. */
export class Bench implements AsyncDisposable {
  readonly dir: string = mkdtempSync(path.join(tmpdir(), "kubefile-build-"));
  readonly contextDir: string = path.join(this.dir, "context");
  readonly storeDir: string = path.join(this.dir, "store");
  readonly engine: Engine;
  /** `COPY . /: built (not built before)` for each step with a layer, of the last build. */
  outcomes: string[] = [];
  warnings: string[] = [];
  output: string[] = [];

  constructor(fetcher: typeof fetch = refuseNetwork) {
    mkdirSync(this.contextDir);
    this.engine = openEngine({ storeDir: this.storeDir, fetch: fetcher, now: Date.now, log: () => undefined });
  }

  /** Writes files of the context by path. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(this.contextDir, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  async build(kubefile: string, more: Partial<BuildParams> = {}, signal: AbortSignal = never): Promise<BuildResult> {
    const file = path.join(this.dir, "Kubefile");
    writeFileSync(file, kubefile);
    this.outcomes = [];
    const params = { buildId: "test", contextDir: this.contextDir, kubefile: file, tags: ["test:1"], ...more };
    return this.engine.build(params, this.#follower(), signal);
  }

  /** `cached`, `build: file a changed` and so on, for each step that could have a layer. */
  async plan(kubefile: string, more: Partial<PlanParams> = {}): Promise<readonly string[]> {
    const { steps } = await this.planned(kubefile, more);
    return steps
      .filter(({ status }) => status !== "metadata")
      .map(({ status, reason }) => (status === "cached" ? status : `${status}: ${reason}`));
  }

  planned(kubefile: string, more: Partial<PlanParams> = {}): Promise<PlanResult> {
    const file = path.join(this.dir, "Kubefile");
    writeFileSync(file, kubefile);
    return this.engine.plan({ contextDir: this.contextDir, kubefile: file, ...more }, never);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #follower(): BuildFollower {
    return {
      planned: () => undefined,
      started: () => undefined,
      progress: () => undefined,
      containerImages: () => undefined,
      output: (_step, _stream, text) => {
        this.output.push(text);
      },
      finished: (step: NumberedStep, outcome: StepOutcome) => {
        if (outcome.kind !== "metadata") this.outcomes.push(`${step.place.text}: ${outcome.kind} (${outcome.reason})`);
      },
      failed: () => undefined,
      warning: (_step, message) => {
        this.warnings.push(message);
      },
    };
  }
}

const never: AbortSignal = new AbortController().signal;

const refuseNetwork: typeof fetch = () => Promise.reject(new Error("this test has no network"));
