import type { Event, ExtensionContext, LogOutputChannel, OutputChannel } from "vscode";
import type { ImageSummary } from "../engine/protocol.ts";
import type { BuildProblems } from "./buildProblems.ts";
import type { Builds } from "./builds.ts";
import type { CacheStatus } from "./cacheStatus/cacheStatus.ts";
import type { ContainerImages } from "./containerImages/containerImages.ts";
import type { Credentials } from "./credentials.ts";
import type { EngineProcess } from "./engineProcess.ts";
import type { Settings } from "./settings.ts";
import type { Transfers } from "./transfers.ts";

/** What commands and views share while the extension is active. */
export interface Session {
  readonly context: ExtensionContext;
  readonly log: LogOutputChannel;
  /** Where builds write what the command line would print. */
  readonly buildOutput: OutputChannel;
  readonly engine: EngineProcess;
  readonly builds: Builds;
  readonly transfers: Transfers;
  readonly credentials: Credentials;
  readonly buildProblems: BuildProblems;
  readonly cacheStatus: CacheStatus;
  readonly containerImages: ContainerImages;
  readonly settings: () => Settings;
  /** The names of the store changed, or somebody asked for a refresh. */
  readonly onStoreChanged: Event<"images" | "builds">;
  readonly refresh: () => void;
  readonly restartLanguageServer: () => Promise<void>;
}

/** A named image as pickers and commands pass it on. */
export interface NamedImage {
  /** A reference, or a digest when it has none. */
  readonly reference: string;
  readonly image: ImageSummary;
}
