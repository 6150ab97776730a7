import { EngineError } from "../errors.ts";
import { findHostTool, runHostTool } from "../layer/hostTool.ts";

/**
 * Removes a tree that a layer or a command made: any names, any modes, any depth, never through a symlink. Does nothing when it is not
 * there. Programs of the host do it, because Node 22 cannot remove names that are not UTF-8.
 */
export async function removeTree(dir: string): Promise<void> {
  const signal = new AbortController().signal;
  const options = { cwd: "/", input: new Uint8Array(0), signal };
  const rm = findHostTool("rm") ?? "/bin/rm";
  const first = await runHostTool(rm, ["-rf", "--", dir], options);
  if (first.exitCode === 0) return;
  // Without root, a directory whose mode forbids it cannot be emptied.
  await runHostTool(findHostTool("chmod") ?? "/bin/chmod", ["-R", "u+rwx", "--", dir], options);
  const second = await runHostTool(rm, ["-rf", "--", dir], options);
  if (second.exitCode !== 0) {
    throw new EngineError("LAYER_UNPACK_FAILED", {
      path: dir,
      reason: second.stderr.split("\n")[0] ?? "it cannot be removed",
    });
  }
}
