import path from "node:path";
import { l10n, ThemeColor, ThemeIcon, type TreeView } from "vscode";
import { type BuildRecord, builds, type StepInfo } from "../../engine/protocol.ts";
import { age, duration } from "../age.ts";
import { type RunningBuild, stepCount } from "../builds.ts";
import { byteSize } from "../byteSize.ts";
import { shortReference } from "../references.ts";
import type { Session } from "../session.ts";
import { type Row, row, Tree } from "./tree.ts";

/** Past builds shown. */
const shownBuilds = 50;
const refreshDelayMs = 200;

/** Builds: the running ones of this window, then the past ones of the store, each with its steps. */
export function openBuildsView(session: Session): TreeView<Row> {
  let past: Promise<readonly BuildRecord[]> | undefined;
  const tree = new Tree(session, async () => {
    past ??= session.engine.request(builds, { limit: shownBuilds });
    const asked = past;
    asked.catch(() => {
      if (past === asked) past = undefined;
    });
    return [...session.builds.running.map(runningRow), ...(await asked).map(pastRow)];
  });
  const askAgain = (): void => {
    past = undefined;
    tree.refresh();
  };
  let timer: NodeJS.Timeout | undefined;
  const changes = session.builds.onChange((build) => {
    if (!session.builds.running.includes(build)) return askAgain();
    // A build tells of every chunk; the tree needs to hear of it a few times a second.
    timer ??= setTimeout(() => {
      timer = undefined;
      tree.refresh();
    }, refreshDelayMs);
  });
  session.context.subscriptions.push(
    session.onStoreChanged(askAgain),
    { dispose: () => changes[Symbol.dispose]() },
    { dispose: () => clearTimeout(timer) },
  );
  return tree.open("kubefile.builds");
}

function runningRow(build: RunningBuild): Row {
  const { done, all } = stepCount(build);
  const images = build.containerImages;
  return row({
    id: `build:${build.buildId}`,
    label: build.params.tags.map(shortReference).join(", ") || l10n.t("unnamed image"),
    description: [
      all === 0 ? l10n.t("planning") : `${done}/${all}`,
      ...(images ? [l10n.t("container images {0}/{1}", images.done, images.total)] : []),
    ].join(" · "),
    icon: new ThemeIcon("sync~spin"),
    kind: "running",
    open: true,
    children: () => build.steps.map((step) => runningStepRow(build, step)),
  });
}

function runningStepRow(build: RunningBuild, step: StepInfo): Row {
  const state = build.states.get(step.id);
  const icon = state?.kind === "finished" ? "pass" : state?.kind === "running" ? "sync~spin" : "circle-outline";
  return row({
    id: `build:${build.buildId}:${step.id}`,
    label: step.text,
    description: state?.kind === "finished" ? state.outcome : "",
    icon: new ThemeIcon(icon),
    kind: "step",
  });
}

function pastRow(record: BuildRecord): Row {
  const cached = record.steps.filter((step) => step.outcome === "cached").length;
  const layers = record.steps.filter((step) => step.outcome !== "metadata").length;
  const parts = [
    age(record.startedAt, Date.now()),
    duration(record.durationMs),
    l10n.t("{0} of {1} cached", cached, layers),
  ];
  const name = record.references.map(shortReference).join(", ") || path.basename(record.contextDir);
  return row({
    id: `build:${record.buildId}`,
    label: name,
    description: parts.join(" · "),
    tooltip: [record.kubefile, record.digest ?? "", record.error?.message ?? ""]
      .filter((line) => line !== "")
      .join("\n"),
    icon: outcomeIcon(record.outcome),
    kind: "build",
    spoken: `${name}, ${record.outcome}, ${parts.join(", ")}`,
    subject: { build: record },
    children: () => record.steps.map((step) => pastStepRow(record, step)),
  });
}

function pastStepRow(record: BuildRecord, step: BuildRecord["steps"][number]): Row {
  const size = step.layer ? [byteSize(step.layer.size)] : [];
  const time = step.outcome === "built" || step.outcome === "failed" ? [duration(step.durationMs)] : [];
  const icons = { cached: "history", built: "pass", metadata: "tag", failed: "error", "not reached": "circle-slash" };
  return row({
    id: `build:${record.buildId}:${step.info.id}`,
    label: step.info.text,
    description: [step.outcome, ...size, ...time].join(" · "),
    tooltip: step.reason === "" ? step.info.text : `${step.info.text}\n${step.reason}`,
    icon: new ThemeIcon(icons[step.outcome]),
    kind: "step.placed",
    subject: { place: { kubefile: record.kubefile, line: step.info.line, endLine: step.info.endLine } },
  });
}

function outcomeIcon(outcome: BuildRecord["outcome"]): ThemeIcon {
  switch (outcome) {
    case "succeeded":
      return new ThemeIcon("pass", new ThemeColor("testing.iconPassed"));
    case "failed":
      return new ThemeIcon("error", new ThemeColor("testing.iconFailed"));
    case "cancelled":
      return new ThemeIcon("circle-slash");
    default:
      return outcome satisfies never;
  }
}
