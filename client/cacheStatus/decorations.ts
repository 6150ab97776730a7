import {
  type DecorationOptions,
  l10n,
  MarkdownString,
  OverviewRulerLane,
  Range,
  type TextEditor,
  type TextEditorDecorationType,
  ThemeColor,
  Uri,
  window,
} from "vscode";
import type { PlannedStep } from "../../engine/protocol.ts";
import type { RunningBuild, StepState } from "../builds.ts";
import { byteSize } from "../byteSize.ts";
import type { CacheStatusLevel } from "../settings.ts";
import { details, endOfLineText } from "./wording.ts";

type Mark = "cached" | "build" | "unknown" | "running";

const colors: Readonly<Record<Mark, string>> = {
  cached: "kubefile.cachedForeground",
  build: "kubefile.willBuildForeground",
  unknown: "kubefile.unknownForeground",
  running: "kubefile.willBuildForeground",
};

/** The gutter icons and end-of-line texts. The shape of an icon says the same as its colour. */
export class Decorations implements Disposable {
  readonly #types: Readonly<Record<Mark, TextEditorDecorationType>>;

  constructor(extensionUri: Uri) {
    const type = (mark: Mark): TextEditorDecorationType => {
      const icon = (theme: string): Uri => Uri.joinPath(extensionUri, "media", "cache", `${mark}-${theme}.svg`);
      return window.createTextEditorDecorationType({
        gutterIconSize: "contain",
        light: { gutterIconPath: icon("light") },
        dark: { gutterIconPath: icon("dark") },
        overviewRulerLane: OverviewRulerLane.Left,
        after: { color: new ThemeColor(colors[mark]), margin: "0 0 0 3em", fontStyle: "normal" },
      });
    };
    this.#types = { cached: type("cached"), build: type("build"), unknown: type("unknown"), running: type("running") };
  }

  /** Shows a plan, or the running build where there is one. */
  show(
    editor: TextEditor,
    steps: readonly PlannedStep[],
    running: RunningBuild | undefined,
    level: CacheStatusLevel,
    nowMs: number,
  ): void {
    const marks: Record<Mark, DecorationOptions[]> = { cached: [], build: [], unknown: [], running: [] };
    if (level !== "off") {
      for (const shown of running ? runningSteps(running) : steps.map((step) => plannedStep(step, nowMs))) {
        if (shown === undefined || shown.line > editor.document.lineCount) continue;
        marks[shown.mark].push(decoration(editor, shown, level));
      }
    }
    for (const mark of ["cached", "build", "unknown", "running"] as const) {
      editor.setDecorations(this.#types[mark], marks[mark]);
    }
  }

  [Symbol.dispose](): void {
    for (const type of Object.values(this.#types)) type.dispose();
  }
}

interface ShownStep {
  readonly mark: Mark;
  /** 1-based. */
  readonly line: number;
  readonly text: string;
  readonly hover?: string;
}

function plannedStep(step: PlannedStep, nowMs: number): ShownStep | undefined {
  if (step.status === "metadata") return undefined;
  return {
    mark: step.status,
    line: step.line,
    text: endOfLineText(step, nowMs, l10n.t),
    hover: details(step, nowMs, l10n.t),
  };
}

function runningSteps(running: RunningBuild): (ShownStep | undefined)[] {
  return running.steps.map((step) => {
    const state = running.states.get(step.id);
    return state === undefined ? undefined : runningStep(step.line, state);
  });
}

function runningStep(line: number, state: StepState): ShownStep | undefined {
  switch (state.kind) {
    case "waiting":
      return { mark: "unknown", line, text: l10n.t("waiting") };
    case "running": {
      const percent = state.total ? ` ${Math.floor((100 * state.done) / state.total)} %` : "";
      return { mark: "running", line, text: `${l10n.t("building")}${percent}` };
    }
    case "finished": {
      if (state.outcome === "metadata") return undefined;
      const size = state.size === undefined ? "" : ` · ${byteSize(state.size)}`;
      return {
        mark: "cached",
        line,
        text: `${state.outcome === "cached" ? l10n.t("cached") : l10n.t("built")}${size}`,
      };
    }
    default:
      return state satisfies never;
  }
}

function decoration(editor: TextEditor, shown: ShownStep, level: CacheStatusLevel): DecorationOptions {
  const line = editor.document.lineAt(shown.line - 1);
  const hover = new MarkdownString(shown.hover ?? "");
  hover.isTrusted = { enabledCommands: ["kubefile.explainCacheStatus"] };
  if (shown.hover) {
    hover.appendMarkdown(`\n\n[${l10n.t("All instructions")}](command:kubefile.explainCacheStatus)`);
  }
  return {
    // An empty range at the end: text typed there belongs to the instruction, and the hover stays off the words.
    range: new Range(line.range.end, line.range.end),
    ...(shown.hover ? { hoverMessage: hover } : {}),
    ...(level === "full" && shown.text !== "" ? { renderOptions: { after: { contentText: shown.text } } } : {}),
  };
}
