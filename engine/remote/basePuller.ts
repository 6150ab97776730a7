/** Base images for builds: brought into the store under the build's own lease. */
import type { Descriptor } from "../oci/descriptor.ts";
import type { Platform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { RegistryClient } from "./client.ts";
import { pullUnderLease } from "./pull.ts";

/** The shape a build asks for; see `engine/build/baseImage.ts`. */
export interface BasePuller {
  /** Brings an image of one platform into the store and pins it. Returns what the name points at: a manifest or an index. */
  pull(
    reference: string,
    platform: Platform,
    policy: "always" | "newer",
    lease: Lease,
    signal: AbortSignal,
  ): Promise<Descriptor>;
}

/** Pulls through a client that stays open as long as the puller is used. */
export function basePuller(client: RegistryClient, store: Store): BasePuller {
  return {
    async pull(reference, platform, policy, lease, signal) {
      const request = { reference: parseReference(reference), platforms: { kind: "one", platform }, policy } as const;
      return (await pullUnderLease(client, store, lease, request, signal)).descriptor;
    },
  };
}
