/** Who we are at a registry, and where that is found. Secrets live in these values only: never in a log, an error or an argument. */

/** What a registry or its token server accepts as proof. */
export type Credential =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, traded for short-lived tokens (docker's `identitytoken`). */
  | { readonly kind: "identityToken"; readonly token: string }
  /** A bearer token sent as it is (docker's `registrytoken`). */
  | { readonly kind: "registryToken"; readonly token: string };

/**
 * Something that knows credentials: a docker configuration, a credential helper, an editor's secret storage.
 * Asked only after a registry has answered 401, at most once per registry and repository while a client is open.
 */
export interface CredentialSource {
  /**
   * The credential for a repository, or undefined when this source knows none.
   *
   * @param registry `host[:port]` as written in references, `docker.io` for Docker Hub
   * @param repository path below the registry, as `library/nginx`; undefined when only the registry is meant
   */
  find(registry: string, repository: string | undefined, signal: AbortSignal): Promise<Credential | undefined>;
}

/** A source that can also keep what `login` verified. */
export interface CredentialStore extends CredentialSource {
  /** Keeps a credential for a registry, in place of any it had. Returns where, in words for the user. */
  save(registry: string, credential: Credential, signal: AbortSignal): Promise<string>;
  /** Forgets a registry. Returns whether there was anything to forget. */
  remove(registry: string, signal: AbortSignal): Promise<boolean>;
}

/** Knows nothing: every request stays anonymous. */
export const anonymous: CredentialSource = { find: async () => undefined };

/** Asks each source in turn and takes the first answer. */
export function firstOf(sources: readonly CredentialSource[]): CredentialSource {
  return {
    async find(registry, repository, signal) {
      for (const source of sources) {
        const found = await source.find(registry, repository, signal);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
