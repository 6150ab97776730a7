import path from "node:path";
import { commands, l10n, ProgressLocation, type Uri, window, workspace } from "vscode";
import type { BuildProgress, BuildResult } from "../../engine/protocol.ts";
import { duration } from "../age.ts";
import { BuildLines, resultLines } from "../buildLines.ts";
import { type RunningBuild, stepCount } from "../builds.ts";
import { byteSize } from "../byteSize.ts";
import { failureOf, isCancellation, tell } from "../failures.ts";
import { shortReference, suggestedReference } from "../references.ts";
import type { Session } from "../session.ts";
import { containerImageChoices } from "../settings.ts";
import type { Command } from "./command.ts";
import { kubefileFor, lastNameKey } from "./kubefiles.ts";

/** What a caller that asks no questions passes as second argument: another command, a task, a test. */
export interface BuildOptions {
  readonly tags?: readonly string[];
  readonly noCache?: boolean;
}

/** Builds the image of a Kubefile: which one, which name, then progress with cancel, then what to do with it. */
export const buildImage: Command = {
  id: "kubefile.buildImage",
  needsTrust: true,
  async run(session, ...args) {
    const kubefile = await kubefileFor(args, l10n.t("Build Cluster Image"));
    if (kubefile === undefined) return undefined;
    const options = optionsOf(args[1]);
    const tags = options.tags ?? (await askForName(session, kubefile));
    if (tags === undefined) return undefined;
    return buildKubefile(session, kubefile, { ...options, tags });
  },
};

function optionsOf(value: unknown): BuildOptions {
  // From a menu the second argument is the list of selected files.
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as BuildOptions) : {};
}

async function askForName(session: Session, kubefile: Uri): Promise<readonly string[] | undefined> {
  const folder = path.basename(path.dirname(kubefile.fsPath));
  const last = session.context.workspaceState.get<string>(lastNameKey(kubefile));
  const name = await window.showInputBox({
    title: l10n.t("Build Cluster Image"),
    prompt: l10n.t("Name of the image; empty for none"),
    value: last ?? suggestedReference(folder),
    ignoreFocusOut: true,
  });
  if (name === undefined) return undefined;
  await session.context.workspaceState.update(lastNameKey(kubefile), name.trim());
  return name.trim() === "" ? [] : [name.trim()];
}

/** Builds with everything decided. Answers the result, or `undefined` when it failed or was cancelled, which is told. */
export async function buildKubefile(
  session: Session,
  kubefile: Uri,
  options: BuildOptions,
): Promise<BuildResult | undefined> {
  await workspace.textDocuments.find((document) => document.uri.toString() === kubefile.toString())?.save();
  const again = (): unknown => buildKubefile(session, kubefile, options);
  const title = options.tags?.length ? options.tags.map(shortReference).join(", ") : path.basename(kubefile.fsPath);
  session.buildProblems.clear(kubefile);
  try {
    const result = await window.withProgress(
      { location: ProgressLocation.Notification, title: l10n.t("Building {0}", title), cancellable: true },
      (report, token) => {
        let shownDone = 0;
        const watch = (progress: BuildProgress, build: RunningBuild): void => {
          const { done, all } = stepCount(build);
          const message = messageFor(progress, build, done, all);
          const increment = all === 0 ? 0 : (100 * (done - shownDone)) / all;
          shownDone = done;
          if (message !== undefined) report.report({ message, increment });
        };
        return runWithLog(session, kubefile, options, watch, token);
      },
    );
    celebrate(session, result);
    return result;
  } catch (error) {
    if (isCancellation(error)) {
      void window.showInformationMessage(
        l10n.t("The build of {0} was cancelled; nothing was kept half-written.", title),
      );
    } else {
      session.buildProblems.show(failureOf(error));
      tell(session, error, again);
    }
    return undefined;
  }
}

function messageFor(progress: BuildProgress, build: RunningBuild, done: number, all: number): string | undefined {
  if (progress.kind === "containerImages") {
    return l10n.t("container images {0}/{1}", progress.done, progress.total);
  }
  if (progress.kind !== "stepStarted" && progress.kind !== "stepProgress") return undefined;
  const step = build.steps.find(({ id }) => id === progress.stepId);
  const percent =
    progress.kind === "stepProgress" && progress.total
      ? ` ${Math.floor((100 * progress.done) / progress.total)} %`
      : "";
  return `${done + 1}/${all} ${step?.text.slice(0, 60) ?? ""}${percent}`;
}

/** Runs the build and writes it down in the build output. */
async function runWithLog(
  session: Session,
  kubefile: Uri,
  options: BuildOptions,
  watch: (progress: BuildProgress, build: RunningBuild) => void,
  token: Parameters<Session["builds"]["run"]>[2],
): Promise<BuildResult> {
  const output = session.buildOutput;
  const lines = new BuildLines((text) => output.append(text));
  output.appendLine(`build ${kubefile.fsPath}`);
  try {
    const result = await session.builds.run(
      {
        contextDir: path.dirname(kubefile.fsPath),
        kubefile: kubefile.fsPath,
        tags: options.tags ?? [],
        network: session.settings().network,
        buildMode: session.settings().buildMode,
        containerImages: containerImageChoices(session.settings(), path.dirname(kubefile.fsPath)),
        ...(options.noCache ? { noCache: true } : {}),
      },
      (progress, build) => {
        lines.add(progress);
        watch(progress, build);
      },
      token,
    );
    output.appendLine(resultLines(result));
    return result;
  } catch (error) {
    const { at, code, message } = failureOf(error);
    output.appendLine(`${at ? `${at.kubefile}:${at.line}: ` : ""}error: ${code} ${message}\n`);
    throw error;
  }
}

function celebrate(session: Session, result: BuildResult): void {
  const [reference = result.digest] = result.references;
  const layers = result.cachedSteps + result.builtSteps;
  const sentence = l10n.t(
    "Built {0} in {1}: {2}, {3} of {4} layers from the cache.",
    shortReference(reference),
    duration(result.durationMs),
    byteSize(result.sizeBytes),
    result.cachedSteps,
    layers,
  );
  const show = l10n.t("Show Image");
  const save = l10n.t("Save to File");
  const log = l10n.t("Show Log");
  void window.showInformationMessage(sentence, show, save, log).then((chosen) => {
    if (chosen === show) return commands.executeCommand("kubefile.images.focus");
    if (chosen === save) return commands.executeCommand("kubefile.saveImage", reference);
    if (chosen === log) session.buildOutput.show(true);
    return undefined;
  });
}
