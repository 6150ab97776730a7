import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openPushedContent } from "../../engine/registry/pushedContent.ts";
import {
  defaultServerLimits,
  type RegistryServer,
  type RegistryServerOptions,
  serveRegistry,
} from "../../engine/registry/server.ts";
import type { Store } from "../../engine/store/contract.ts";
import { openStore } from "../../engine/store/store.ts";

export interface TestRegistry extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  /** What went wrong on the server's side; a test that expects nothing checks that it is empty. */
  readonly errors: readonly string[];
}

/** Our own registry with an own store on loopback, gone with its scope. */
export async function startRegistry(options: Partial<RegistryServerOptions> = {}): Promise<TestRegistry> {
  const dir = await mkdtemp(path.join(tmpdir(), "kubefile-registry-"));
  const store = await openStore({ dir, now: Date.now });
  const errors: string[] = [];
  const server: RegistryServer = await serveRegistry({
    content: openPushedContent(store, "shared"),
    host: "127.0.0.1",
    port: 0,
    readOnly: false,
    allowSparse: false,
    limits: defaultServerLimits,
    onError: (what, error) => errors.push(`${what}: ${String(error)}`),
    ...options,
  });
  return {
    url: server.url,
    store,
    errors,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
