import { homedir } from "node:os";
import path from "node:path";
import { workspace } from "vscode";
import type { BuildMode, ContainerImageChoices } from "../engine/protocol.ts";
import { defaultStoreDir } from "./storeDir.ts";

/** How much of the cache's state the editor shows. */
export type CacheStatusLevel = "off" | "minimal" | "full";

/** The settings of the client itself; those of the language are read by the server. */
export interface Settings {
  /** Absolute path of the image store. */
  readonly storeDir: string;
  readonly cacheStatus: CacheStatusLevel;
  /** Whether container images are packed. */
  readonly buildMode: BuildMode;
  /** What a RUN may reach. */
  readonly network: "none" | "host";
  /** Registries that may be spoken to without TLS or without checking it. */
  readonly insecureRegistries: readonly string[];
  /** Files of values that charts are rendered with too; relative to the Kubefile's folder. */
  readonly chartValues: readonly string[];
  /** Whether container images are told about where they are named. */
  readonly containerImageLenses: boolean;
}

/** Reads the settings as they are now. Settings that name a path are not taken from an untrusted workspace: see package.json. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const section = workspace.getConfiguration("kubefile");
  const given = section.get<string>("store.path", "").trim();
  return {
    storeDir: given === "" ? defaultStoreDir(env, homedir()) : absolute(given, homedir()),
    cacheStatus: section.get<CacheStatusLevel>("cacheStatus", "full"),
    buildMode: section.get<BuildMode>("build.mode", "all"),
    network: section.get<"none" | "host">("build.network", "host"),
    insecureRegistries: section.get<readonly string[]>("registries.insecure", []),
    chartValues: section.get<readonly string[]>("charts.values", []),
    containerImageLenses: section.get<boolean>("containerImages.lenses", true),
  };
}

/** What the settings say about the container images of a build in `contextDir`. */
export function containerImageChoices(settings: Settings, contextDir: string): ContainerImageChoices {
  return {
    valuesFiles: settings.chartValues.map((file) => path.resolve(contextDir, file)),
    insecureRegistries: settings.insecureRegistries,
  };
}

function absolute(given: string, home: string): string {
  return path.resolve(home, given.replace(/^~(?=$|[/\\])/, home));
}
