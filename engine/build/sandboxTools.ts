import { EngineError } from "../errors.ts";
import { findHostTool } from "../layer/hostTool.ts";

/** The programs of the host that make a sandbox, by absolute path. */
export interface SandboxTools {
  readonly unshare: string;
  readonly setpriv: string;
  readonly sh: string;
  readonly env: string;
  readonly mkfifo: string;
  /** Bring the loopback device of a network of one's own up; one is enough. */
  readonly ip: string | undefined;
  readonly ifconfig: string | undefined;
}

/** Finds them, or throws `SANDBOX_UNAVAILABLE` off Linux and `SANDBOX_TOOL_MISSING` naming the first that is not installed. */
export function findSandboxTools(platform: NodeJS.Platform): SandboxTools {
  if (platform !== "linux") throw new EngineError("SANDBOX_UNAVAILABLE", { reason: `this is ${platform}, not Linux` });
  required("mount", "mount");
  required("base64", "coreutils");
  return {
    unshare: required("unshare", "util-linux"),
    setpriv: required("setpriv", "util-linux"),
    sh: required("sh", "dash"),
    env: required("env", "coreutils"),
    mkfifo: required("mkfifo", "coreutils"),
    ip: findHostTool("ip"),
    ifconfig: findHostTool("ifconfig"),
  };
}

function required(tool: string, debianPackage: string): string {
  const found = findHostTool(tool);
  if (found === undefined) throw new EngineError("SANDBOX_TOOL_MISSING", { tool, debianPackage });
  return found;
}
