import path from "node:path";
import {
  CancellationTokenSource,
  CustomExecution,
  EventEmitter,
  l10n,
  type Pseudoterminal,
  Task,
  type TaskDefinition,
  TaskGroup,
  type TaskProvider,
  TaskScope,
  tasks,
  type WorkspaceFolder,
  workspace,
} from "vscode";
import type { BuildMode } from "../engine/protocol.ts";
import { BuildLines, resultLines } from "./buildLines.ts";
import { failureOf, isCancellation } from "./failures.ts";
import { suggestedReference } from "./references.ts";
import type { Session } from "./session.ts";
import { containerImageChoices } from "./settings.ts";

/** A `kubefile` task as `tasks.json` holds it; every field but `task` may be absent. See package.json. */
interface BuildTaskDefinition extends TaskDefinition {
  readonly type: "kubefile";
  readonly task: "build";
  readonly kubefile?: string;
  readonly context?: string;
  readonly tags?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly platforms?: readonly string[];
  readonly target?: string;
  readonly noCache?: boolean;
  readonly mode?: BuildMode;
}

/** Offers a build task for each Kubefile of the workspace, and runs those of `tasks.json`. */
export function registerTasks(session: Session): void {
  const provider: TaskProvider = {
    provideTasks: () => offeredTasks(session),
    resolveTask: (task) => {
      const definition = task.definition as BuildTaskDefinition;
      const folder = typeof task.scope === "object" ? task.scope : workspace.workspaceFolders?.[0];
      return definition.task === "build" && folder ? buildTask(session, definition, folder, task.name) : undefined;
    },
  };
  session.context.subscriptions.push(tasks.registerTaskProvider("kubefile", provider));
}

async function offeredTasks(session: Session): Promise<Task[]> {
  if (!workspace.isTrusted) return [];
  const found = await workspace.findFiles("**/{Kubefile,Kubefile.*,*.kubefile}", "**/{node_modules,.git}/**", 100);
  return found.flatMap((uri) => {
    const folder = workspace.getWorkspaceFolder(uri);
    if (folder === undefined) return [];
    const kubefile = path.posix.relative(folder.uri.path, uri.path);
    return buildTask(session, { type: "kubefile", task: "build", kubefile }, folder, `build ${kubefile}`);
  });
}

function buildTask(session: Session, definition: BuildTaskDefinition, folder: WorkspaceFolder, name: string): Task {
  const execution = new CustomExecution(async (resolved) => terminal(session, resolved as BuildTaskDefinition, folder));
  const task = new Task(definition, folder ?? TaskScope.Workspace, name, "kubefile", execution, "$kubefile");
  task.group = TaskGroup.Build;
  task.detail = l10n.t("Build the cluster image of {0}", definition.kubefile ?? "Kubefile");
  return task;
}

/** A terminal that shows the build; closing it cancels. */
function terminal(session: Session, definition: BuildTaskDefinition, folder: WorkspaceFolder): Pseudoterminal {
  const write = new EventEmitter<string>();
  const close = new EventEmitter<number>();
  const cancellation = new CancellationTokenSource();
  const print = (text: string): void => write.fire(text.replace(/\r?\n/g, "\r\n"));
  const run = async (): Promise<number> => {
    const lines = new BuildLines(print);
    try {
      const inputs = inputsOf(session, definition, folder);
      const result = await session.builds.run(inputs, (progress) => lines.add(progress), cancellation.token);
      print(resultLines(result));
      return 0;
    } catch (error) {
      if (isCancellation(error)) return 130;
      const { at, code, message } = failureOf(error);
      print(`${at ? `${at.kubefile}:${at.line}: ` : ""}error: ${code} ${message}\n`);
      return 1;
    }
  };
  return {
    onDidWrite: write.event,
    onDidClose: close.event,
    open: () => void run().then((code) => close.fire(code)),
    close: () => cancellation.cancel(),
  };
}

function inputsOf(
  session: Session,
  definition: BuildTaskDefinition,
  folder: WorkspaceFolder,
): Parameters<Session["builds"]["run"]>[0] {
  const kubefile = path.resolve(folder.uri.fsPath, definition.kubefile ?? "Kubefile");
  const contextDir = definition.context ? path.resolve(folder.uri.fsPath, definition.context) : path.dirname(kubefile);
  const { buildArgs, platforms, target, noCache } = definition;
  return {
    kubefile,
    contextDir,
    tags: definition.tags ?? [suggestedReference(path.basename(contextDir))],
    network: session.settings().network,
    buildMode: definition.mode ?? session.settings().buildMode,
    containerImages: containerImageChoices(session.settings(), contextDir),
    ...(buildArgs ? { buildArgs } : {}),
    ...(platforms ? { platforms } : {}),
    ...(target ? { target } : {}),
    ...(noCache ? { noCache } : {}),
  };
}
