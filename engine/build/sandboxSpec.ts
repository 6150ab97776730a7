import type { ByteString } from "../byteString.ts";
import type { Owner } from "../layer/attributes.ts";
import type { LayerEntry } from "../layer/layerEntry.ts";
import type { Digest } from "../oci/digest.ts";

/**
 * The words of RUN: what a step asks of the sandbox and what it gets back.
 * `rootfs.ts` offers `materialise(layers, options): Promise<Rootfs>`, `sandbox.ts` offers `runInSandbox(spec): Promise<SandboxRun>`.
 */

/** One layer of the chain below a RUN, bottom first in every list. */
export interface LayerSource {
  readonly diffId: Digest;
  /** Size of the uncompressed tar, to decide whether it fits in memory. */
  readonly sizeBytes: number;
  /** The uncompressed tar from its first byte; opened only when the layer is not unpacked yet. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface RootfsOptions {
  /** Where unpacked layers are kept between builds; made when missing. It may be emptied while nothing runs. */
  readonly dir: string;
  /** A directory on tmpfs, and the most that may lie in it; a layer goes there when it fits, else to `dir`. */
  readonly memory?: { readonly dir: string; readonly budgetBytes: number };
  readonly signal: AbortSignal;
}

/** A chain of unpacked layers, held until it is disposed: nothing prunes it before. */
export interface Rootfs extends AsyncDisposable {
  /** Directories, topmost first as overlayfs wants them; deletions stand in them as overlayfs whiteouts. */
  readonly lowerDirs: readonly string[];
  /** The chain they are, bottom first. */
  readonly layers: readonly LayerSource[];
  /** Where the sandbox keeps what a run writes until it is disposed: the disk of `RootfsOptions.dir`. */
  readonly runsDir: string;
  /** Facts somebody should hear of: attributes or devices the platform would not let us make. */
  readonly warnings: readonly string[];
  /** Without root: who should own a path of the tree and could not be given it. */
  ownerOf(path: ByteString): Owner | undefined;
}

/** What to run. `shell` puts the text behind the words of SHELL, as Docker's shell form does. */
export type SandboxCommand =
  | { readonly kind: "exec"; readonly argv: readonly string[] }
  | { readonly kind: "shell"; readonly shell: readonly string[]; readonly text: string }
  /** A heredoc that starts with `#!`: the file is put at `/dev/pipes/<name>`, mode 0755, and run. */
  | { readonly kind: "script"; readonly name: string; readonly text: string };

export type SandboxMount =
  /** `value` is never written to a disk, an argument list or the environment of a process outside the sandbox. */
  | {
      readonly kind: "secret";
      readonly target: string;
      readonly value: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** The agent's socket of the host is reached through a socket of ours. */
  | {
      readonly kind: "ssh";
      readonly target: string;
      readonly agentSocket: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** A directory that outlives the build; get it from `openCacheMount`, which keeps the promise of `sharing`. */
  | { readonly kind: "cache"; readonly target: string; readonly source: string; readonly readOnly: boolean }
  | { readonly kind: "tmpfs"; readonly target: string; readonly sizeBytes?: number }
  /** A file or directory of the host, checked by the caller; what is written to it with `readOnly: false` is thrown away. */
  | { readonly kind: "bind"; readonly target: string; readonly source: string; readonly readOnly: boolean }
  /** A path of another image or stage. */
  | {
      readonly kind: "stage";
      readonly target: string;
      readonly rootfs: Rootfs;
      readonly path: string;
      readonly readOnly: boolean;
    };

export interface SandboxLimits {
  /** Open files of each process. */
  readonly openFiles?: number;
  /** Address space of each process. */
  readonly addressSpaceBytes?: number;
  /** Processor time of each process. */
  readonly cpuSeconds?: number;
}

/** A line of output without its line feed. Lines above 64 KiB come in pieces. */
export type OnLine = (stream: "stdout" | "stderr", line: string) => void;

export interface RunSpec {
  readonly rootfs: Rootfs;
  readonly command: SandboxCommand;
  /** The environment of the command; nothing of the host is added. PATH and HOME, when absent, are Docker's default and the user's home. */
  readonly env: Readonly<Record<string, string>>;
  /** As in USER: name or uid, and group after a colon; "" is root. */
  readonly user: string;
  /** An absolute path that exists in the root file system. */
  readonly workingDir: string;
  /** `host` shares the host's network; `none` has only a loopback device. */
  readonly network: "host" | "none";
  readonly mounts: readonly SandboxMount[];
  readonly limits: SandboxLimits;
  readonly timeoutMs?: number;
  readonly onLine: OnLine;
  /**
   * Called when the command failed, to look at what it left behind; whoever takes it disposes it, and the root file system after it.
   * Without it what a failed command wrote is removed at once.
   */
  readonly keepFailed?: (failed: FailedRun) => void;
  readonly signal: AbortSignal;
}

/** A command that ended well; what it wrote is gone when this is disposed, unless `adoptRun` took it over. */
export interface SandboxRun extends AsyncDisposable {
  /** Whether overlayfs or a plain copy of the tree was used. */
  readonly method: "overlay" | "copy";
  /** Where the changes lie; on overlay an upper directory. */
  readonly changesDir: string;
  readonly durationMs: number;
  /** What the command changed, in bytewise order, as entries of a layer with OCI whiteouts. Mount points are not among them. */
  changes(): Promise<readonly LayerEntry[]>;
}

/** What a failed command left behind. */
export interface FailedRun extends AsyncDisposable {
  /** A command line for a terminal of the same user that opens a shell in it. No mounts of the step are there, secrets least of all. */
  readonly enterArgv: readonly string[];
}
