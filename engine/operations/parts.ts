import type { ImagePuller } from "../build/baseImage.ts";
import type { Readers } from "../layer/readers.ts";
import type { RegistryClient } from "../remote/client.ts";
import type { Store } from "../store/contract.ts";

/** What every operation of the engine works with; made once by `openEngine`. */
export interface EngineParts {
  readonly store: Store;
  /** Milliseconds since the epoch; only for records and names. */
  readonly now: () => number;
  readonly fetch: typeof fetch;
  readonly log: (level: "error" | "warn" | "info" | "debug", text: string) => void;
  readonly puller: ImagePuller | undefined;
  /** A client for the registries of container images; the caller disposes it. Absent where nothing may be asked. */
  readonly registryClient:
    | ((insecureRegistries: readonly string[]) => Promise<RegistryClient & AsyncDisposable>)
    | undefined;
  readersFor(files: number, bytes: number): Promise<Readers>;
}
