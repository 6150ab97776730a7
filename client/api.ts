import type { Uri } from "vscode";
import type { DiscoverResult, PlanResult } from "../engine/protocol.ts";
import type { EngineState } from "./engineProcess.ts";

/** What the extension offers other extensions, and its own tests. */
export interface KubefileApi {
  readonly engineState: () => EngineState;
  /** The cache status last shown for a document. */
  readonly planOf: (document: Uri) => PlanResult | undefined;
  /** What was last told of the container images below a Kubefile. */
  readonly containerImagesOf: (kubefile: Uri) => DiscoverResult | undefined;
}
