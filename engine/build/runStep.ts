import { EngineError } from "../errors.ts";
import type { RunHands } from "./buildHands.ts";

/** Stands where no sandbox can be had: every RUN ends with the ways out. */
export const refuseRun: RunHands = () => {
  throw new EngineError("RUN_UNAVAILABLE", { reason: "this engine has no sandbox for it" });
};
