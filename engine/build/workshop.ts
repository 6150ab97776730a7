import type { ContextMemory } from "../cache/contextMemory.ts";
import type { StepMemory } from "../cache/stepMemory.ts";
import type { Readers } from "../layer/readers.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { BuildContext } from "../plan/context.ts";
import type { Lease, Store } from "../store/contract.ts";

/** What every step of one build or plan works with. */
export interface Workshop {
  readonly store: Store;
  readonly memory: StepMemory;
  readonly context: BuildContext;
  readonly contextMemory: ContextMemory;
  /** Readers for a job of that many files and bytes: on this thread when it is small. */
  readersFor(files: number, bytes: number): Readers;
  /** Milliseconds since the epoch; only for records, never in a result. */
  readonly now: () => number;
  readonly sourceDateEpoch: number | undefined;
  readonly signal: AbortSignal;
}

/** A workshop that may write: everything goes through its lease. */
export interface BuildWorkshop extends Workshop {
  readonly lease: Lease;
  readonly noCache: boolean;
}

/** One layer of an image under construction. */
export interface StageLayer {
  readonly diffId: Digest;
  /** As the manifest will list it. */
  readonly descriptor: Descriptor;
}
