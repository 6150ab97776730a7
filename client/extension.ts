/** Wires the extension together; what each part does is told in its own file. */
import { EventEmitter, type ExtensionContext, Uri, version, window } from "vscode";
import { credentials as credentialsRequest } from "../engine/protocol.ts";
import type { KubefileApi } from "./api.ts";
import { BuildProblems } from "./buildProblems.ts";
import { Builds } from "./builds.ts";
import { CacheStatus } from "./cacheStatus/cacheStatus.ts";
import { commandIds, registerCommands } from "./commands.ts";
import { ContainerImages } from "./containerImages/containerImages.ts";
import { registerContainerImages } from "./containerImages/features.ts";
import { Credentials } from "./credentials.ts";
import { followEngine } from "./engineEvents.ts";
import { EngineProcess, patience } from "./engineProcess.ts";
import { registerImageFileSystem } from "./fileSystem/imageFileSystem.ts";
import { imageAnswers } from "./imageFacts.ts";
import type { Session } from "./session.ts";
import { readSettings } from "./settings.ts";
import { registerStatus } from "./statusBar.ts";
import { registerTasks } from "./tasks.ts";
import { Transfers } from "./transfers.ts";
import { openBuildCacheView } from "./views/buildCache.ts";
import { openBuildsView } from "./views/builds.ts";
import { openImagesView } from "./views/images.ts";

export type { KubefileApi };

export function activate(context: ExtensionContext): KubefileApi {
  const log = window.createOutputChannel("Kubefile", { log: true });
  const buildOutput = window.createOutputChannel("Kubefile Builds", "log");
  const settings = (): ReturnType<typeof readSettings> => readSettings(process.env);
  const engine = new EngineProcess({
    nodeFile: process.execPath,
    hostFile: Uri.joinPath(context.extensionUri, "dist", "engine", "host.js").fsPath,
    storeDir: () => settings().storeDir,
    client: `vscode ${version}`,
    env: process.env,
    log: (level, text) => log[level](text),
    ...patience,
  });
  const builds = new Builds(engine, Date.now);
  const transfers = new Transfers(engine, Date.now);
  const credentials = new Credentials(context.secrets);
  engine.onRequest(credentialsRequest, ({ registry }) => credentials.find(registry));
  const cacheStatus = new CacheStatus(context, engine, builds, settings);
  const containerImages = new ContainerImages(context, engine, builds, settings);
  const changes = new EventEmitter<"images" | "builds">();
  const language = import("./languageClient.ts").then(({ startLanguageServer }) =>
    startLanguageServer(context, imageAnswers(engine), commandIds),
  );
  language.catch((error: unknown) => log.error(`language server: ${error}`));
  const session: Session = {
    ...{ context, log, buildOutput, engine, builds, transfers, credentials, cacheStatus, containerImages, settings },
    buildProblems: new BuildProblems(context),
    onStoreChanged: changes.event,
    refresh: () => {
      changes.fire("images");
      changes.fire("builds");
      cacheStatus.refresh();
      containerImages.refresh();
    },
    restartLanguageServer: async () => (await language).restart(),
  };
  context.subscriptions.push(log, buildOutput, changes, { dispose: () => engine[Symbol.dispose]() });
  registerCommands(session);
  registerTasks(session);
  registerImageFileSystem(session);
  registerContainerImages(session);
  openImagesView(session);
  openBuildCacheView(session);
  openBuildsView(session);
  registerStatus(session);
  followEngine(session, changes);
  cacheStatus.refresh();
  return {
    engineState: () => engine.state,
    planOf: (document) => cacheStatus.of(document)?.plan,
    containerImagesOf: (kubefile) => containerImages.of(kubefile.fsPath)?.result,
  };
}
