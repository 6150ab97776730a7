import { type ByteString, textOfBytes } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { findHostTool, runHostTool, shellQuote } from "./hostTool.ts";

/** What Node has no call for. */
export interface SpecialFile {
  readonly path: ByteString;
  readonly kind: "characterDevice" | "blockDevice" | "fifo";
  readonly major: number;
  readonly minor: number;
}

/** A deletion as overlayfs marks it. Anybody may make it (Linux 5.8 and later). */
export function whiteoutDevice(path: ByteString): SpecialFile {
  return { path, kind: "characterDevice", major: 0, minor: 0 };
}

/**
 * Makes devices and fifos below `dir`, mode 0600, with one shell. Every path must have been resolved: parents must be real directories.
 * Throws `LAYER_UNPACK_FAILED` for the first that cannot be made.
 */
export async function makeSpecialFiles(dir: string, files: readonly SpecialFile[], signal: AbortSignal): Promise<void> {
  if (files.length === 0) return;
  const shell = findHostTool("sh") ?? "/bin/sh";
  const lines = files.map((file, index) => {
    const path = shellQuote(`./${file.path}`);
    const make =
      file.kind === "fifo"
        ? `mkfifo -m 600 ${path}`
        : `mknod -m 600 ${path} ${file.kind === "characterDevice" ? "c" : "b"} ${file.major} ${file.minor}`;
    return `${make} || { echo ${index}; exit 1; }\n`;
  });
  const result = await runHostTool(shell, ["-s"], { cwd: dir, input: Buffer.from(lines.join(""), "latin1"), signal });
  if (result.exitCode === 0) return;
  const failed = files[Number(result.stdout.toString("latin1"))];
  throw new EngineError("LAYER_UNPACK_FAILED", {
    path: failed === undefined ? dir : textOfBytes(failed.path),
    reason: result.stderr.split("\n")[0] ?? "mknod failed",
  });
}
