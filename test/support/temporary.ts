import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Store } from "../../engine/store/contract.ts";
import { openStore } from "../../engine/store/store.ts";

/** A folder that goes when it is disposed of. */
export async function temporaryDir(purpose: string): Promise<AsyncDisposable & { readonly path: string }> {
  const dir = await mkdtemp(path.join(tmpdir(), `kubefile-${purpose}-`));
  return { path: dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** An empty store that goes, with its folder, when it is disposed of. */
export async function temporaryStore(): Promise<AsyncDisposable & { readonly store: Store }> {
  const dir = await temporaryDir("store");
  const store = openStore({ dir: dir.path, now: Date.now });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}
