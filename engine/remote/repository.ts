/** A repository of a registry, and what is being done there. */
import type { Reference } from "../oci/reference.ts";

/** Where a verb of the protocol acts, and the words its errors begin with. */
export interface RemoteRepository {
  /** `pull ghcr.io/a/b:1`. */
  readonly what: string;
  /** `host[:port]` as written in references, `docker.io` for Docker Hub. */
  readonly host: string;
  /** Path below the host. */
  readonly repository: string;
}

/** The repository a reference names. */
export function repositoryOf(reference: Pick<Reference, "host" | "repository">, what: string): RemoteRepository {
  return { what, host: reference.host, repository: reference.repository };
}
