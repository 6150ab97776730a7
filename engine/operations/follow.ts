import type { NumberedStep, StepOutcome } from "../build/stepOutcome.ts";
import type { BuildProgress } from "../protocol.ts";
import type { BuildFollower } from "./buildImage.ts";
import { layerSummary, stepInfo } from "./stepRecords.ts";

/** Progress more often than this only costs. */
const progressEveryMs = 100;

/** Turns what a build reports into the messages of the protocol. */
export function progressFollower(buildId: string, send: (progress: BuildProgress) => void): BuildFollower {
  const told = new Map<number, number>();
  return {
    planned: (steps) => send({ kind: "planned", buildId, steps: steps.map(stepInfo) }),
    started: ({ id }) => send({ kind: "stepStarted", buildId, stepId: id }),
    progress({ id }, done, total) {
      const now = performance.now();
      if (now - (told.get(id) ?? Number.NEGATIVE_INFINITY) < progressEveryMs) return;
      told.set(id, now);
      send({ kind: "stepProgress", buildId, stepId: id, done, ...(total === undefined ? {} : { total }) });
    },
    output: ({ id }, stream, text) => send({ kind: "stepOutput", buildId, stepId: id, stream, text }),
    finished: (step, outcome) => send(finished(buildId, step, outcome)),
    failed: () => undefined,
    containerImages(platform, { doneImages, totalImages, movedBytes }) {
      const now = performance.now();
      const isLast = doneImages === totalImages;
      if (!isLast && now - (told.get(-1) ?? Number.NEGATIVE_INFINITY) < progressEveryMs) return;
      told.set(-1, now);
      send({ kind: "containerImages", buildId, platform, done: doneImages, total: totalImages, movedBytes });
    },
    warning: (_step, message) => send({ kind: "warning", buildId, message }),
  };
}

function finished(buildId: string, { id }: NumberedStep, outcome: StepOutcome): BuildProgress {
  const { kind, reason, writtenBytes, durationMs, layer } = outcome;
  return {
    kind: "stepFinished",
    buildId,
    stepId: id,
    outcome: kind === "cached" || kind === "built" ? kind : "metadata",
    reason,
    ...layerSummary(layer),
    writtenBytes,
    durationMs,
  };
}
