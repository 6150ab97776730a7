/** Logging in: a credential is tried at its registry first and kept only when it was accepted there. */
import { EngineError } from "../errors.ts";
import type { RegistryClient, RegistryClientOptions } from "./client.ts";
import type { Credential, CredentialStore } from "./credentials.ts";

/** Makes a client with the credential that is to be tried. */
export type ClientWith = (credentials: RegistryClientOptions["credentials"]) => RegistryClient;

/** What a login came to. */
export interface LoggedIn {
  /** Where the credential is kept, in words: a file's path or a helper's name. */
  readonly keptIn: string;
  /** False where the registry asks nobody for a login, so nothing could be proved. */
  readonly verified: boolean;
}

/**
 * Tries a credential and keeps it.
 *
 * @param registry `host[:port]` as in references
 * @throws EngineError REMOTE_UNAUTHORIZED when the registry refuses it, other REMOTE_ codes, CREDENTIALS_UNWRITABLE,
 *   CREDENTIAL_HELPER_FAILED
 */
export async function login(
  registry: string,
  credential: Credential,
  store: CredentialStore,
  clientWith: ClientWith,
  signal: AbortSignal,
): Promise<LoggedIn> {
  let asked = false;
  await using client = clientWith({
    find: async () => {
      asked = true;
      return credential;
    },
  });
  await ping(client, registry, signal);
  return { keptIn: await store.save(registry, credential, signal), verified: asked };
}

/**
 * Asks a registry whether it is one and lets us in.
 *
 * @throws EngineError REMOTE_UNAUTHORIZED, REMOTE_PROTOCOL when something else answers, and other REMOTE_ codes
 */
export async function ping(client: RegistryClient, registry: string, signal: AbortSignal): Promise<void> {
  const what = `log in to ${registry}`;
  const request = { what, registry, method: "GET", target: "", scopes: [], accept: [200, 404] } as const;
  const answer = await client.request(request, signal);
  await answer.discard();
  if (answer.status === 404) {
    throw new EngineError("REMOTE_PROTOCOL", { what, registry, reason: "there is no /v2/ at this host" });
  }
}
