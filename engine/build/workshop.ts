import type { ContextMemory } from "../cache/contextMemory.ts";
import type { StepMemory } from "../cache/stepMemory.ts";
import type { Readers } from "../layer/readers.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Platform } from "../oci/platform.ts";
import type { BuildContext } from "../plan/context.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { BaseImage } from "./baseImage.ts";
import type { RootfsOptions } from "./sandboxSpec.ts";
import type { StepReporter } from "./stepOutcome.ts";

/** What every step of one build or plan works with. */
export interface Workshop {
  readonly store: Store;
  readonly memory: StepMemory;
  readonly context: BuildContext;
  readonly contextMemory: ContextMemory;
  /** Readers for a job of that many files and bytes: on this thread when it is small. */
  readersFor(files: number, bytes: number): Promise<Readers>;
  /** Milliseconds since the epoch; only for records, never in a result. */
  readonly now: () => number;
  readonly sourceDateEpoch: number | undefined;
  /** An image that COPY or a mount names, for the platform that is built. */
  image(reference: string, platform: Platform): Promise<BaseImage>;
  readonly signal: AbortSignal;
}

/** A workshop that may write: everything goes through its lease. */
export interface BuildWorkshop extends Workshop {
  readonly lease: Lease;
  readonly noCache: boolean;
  readonly fetch: typeof fetch;
  readonly reporter: StepReporter;
  /** The content of a secret by its id, read when it is mounted; undefined when none was given. */
  readonly secret: (id: string) => Uint8Array | undefined;
  /** The socket of an agent by its id. */
  readonly agentSocket: (id: string) => string | undefined;
  /** Whether RUN may use the host's network when it does not say. */
  readonly network: "host" | "none";
  /** Where unpacked layers and the directories of cache mounts are kept. */
  readonly runDirs: {
    readonly rootfs: RootfsOptions["dir"];
    readonly memory: RootfsOptions["memory"];
    readonly cacheMounts: string;
  };
}

/** One layer of an image under construction. */
export interface StageLayer {
  readonly diffId: Digest;
  /** As the manifest will list it. */
  readonly descriptor: Descriptor;
}
