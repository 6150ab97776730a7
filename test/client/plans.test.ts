import assert from "node:assert/strict";
import { test } from "node:test";
import { type AskPlan, type PlanState, Plans } from "../../client/cacheStatus/plans.ts";
import type { PlanResult } from "../../engine/protocol.ts";

const planned = (cachedSteps: number): PlanResult => ({
  ...{ kubefile: "/Kubefile", steps: [], problems: [], cachedSteps, buildSteps: 0, durationMs: 0 },
});

test("keystrokes in a row ask once, after the last", async () => {
  let asked = 0;
  const { plans, changed } = watch(async () => ({ plan: planned(++asked) }));
  for (let key = 0; key < 5; key++) plans.schedule("a", 5);
  assert.equal((await changed).plan?.cachedSteps, 1);
  assert.equal(asked, 1);
});

test("a change cancels the question under way, and its late answer is not shown", async () => {
  const cancelled: boolean[] = [];
  const answers = [Promise.withResolvers<PlanState>(), Promise.withResolvers<PlanState>()];
  let asked = 0;
  const started = Promise.withResolvers<void>();
  const { plans, changed, shown } = watch((_, token) => {
    const index = asked++;
    token.onCancellationRequested(() => cancelled.push(true));
    if (index === 0) started.resolve();
    else answers[1]?.resolve({ plan: planned(2) });
    return answers[index]?.promise ?? Promise.resolve({});
  });
  plans.schedule("a", 0);
  await started.promise;
  plans.schedule("a", 0);
  assert.deepEqual(cancelled, [true]);
  assert.equal((await changed).plan?.cachedSteps, 2);
  answers[0]?.resolve({ plan: planned(1) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(plans.of("a")?.plan?.cachedSteps, 2);
  assert.equal(shown.length, 1);
});

test("a failure keeps the last plan beside its reason", async () => {
  const answers: PlanState[] = [{ plan: planned(3) }, { failure: "context is gone" }];
  const { plans, next } = watch(async () => answers.shift() ?? {});
  plans.schedule("a", 0);
  await next();
  plans.schedule("a", 0);
  const state = await next();
  assert.equal(state.failure, "context is gone");
  assert.equal(state.plan?.cachedSteps, 3);
});

test("a document that was closed is not shown any more", async () => {
  const answer = Promise.withResolvers<PlanState>();
  const started = Promise.withResolvers<void>();
  const { plans, shown } = watch(() => {
    started.resolve();
    return answer.promise;
  });
  plans.schedule("a", 0);
  await started.promise;
  plans.forget("a");
  answer.resolve({ plan: planned(1) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(shown, []);
  assert.equal(plans.of("a"), undefined);
});

function watch(ask: AskPlan): {
  plans: Plans;
  changed: Promise<PlanState>;
  next: () => Promise<PlanState>;
  shown: readonly PlanState[];
} {
  const shown: PlanState[] = [];
  let waiting = Promise.withResolvers<PlanState>();
  const plans = new Plans(ask, (_, state) => {
    shown.push(state);
    waiting.resolve(state);
  });
  const next = async (): Promise<PlanState> => {
    const state = await waiting.promise;
    waiting = Promise.withResolvers();
    return state;
  };
  return { plans, changed: waiting.promise, next, shown };
}
