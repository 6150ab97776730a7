/** Base images for builds, from their registries. The client is made with the first of them. */
import type { ImagePuller } from "../build/baseImage.ts";
import { basePuller } from "../remote/basePuller.ts";
import type { Store } from "../store/contract.ts";
import { Sharing, type SharingWorld } from "./sharing.ts";

/** A puller that owns its connections. */
export interface BasePulls extends ImagePuller, AsyncDisposable {}

/** Opens nothing yet. Loopback aside, registries must speak TLS: a build has no flag to say otherwise. */
export function basePulls(store: Store, world: SharingWorld): BasePulls {
  let sharing: Sharing | undefined;
  return {
    async pull(reference, platform, policy, lease, signal) {
      sharing ??= new Sharing(store, world, { insecureRegistries: [] });
      return await basePuller(sharing.client, store).pull(reference, platform, policy, lease, signal);
    },
    async [Symbol.asyncDispose]() {
      await sharing?.[Symbol.asyncDispose]();
    },
  };
}
