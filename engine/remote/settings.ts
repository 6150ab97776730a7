/** Where logins, certificates and proxies are looked for, worked out from an environment that the entry point hands in. */
import path from "node:path";
import type { CredentialSource, CredentialStore } from "./credentials.ts";
import { firstOf } from "./credentials.ts";
import { dockerConfig } from "./dockerConfig.ts";

/** Variables of an environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Files and folders of other tools that we share. */
export interface RemotePlaces {
  /** Files with logins, the first that knows a registry wins. */
  readonly authFiles: readonly string[];
  /** The file a login is written to. */
  readonly loginFile: string;
  /** `certs.d` folders, the user's before the system's. */
  readonly certificateDirs: readonly string[];
}

/**
 * The places docker, containers' tools and sealer use.
 *
 * @param home the user's home directory
 * @param authFile named by the user: then it is the only one
 * @see containers-auth.json(5), containers-certs.d(5), docker-login(1)
 */
export function remotePlaces(environment: Environment, home: string, authFile: string | undefined): RemotePlaces {
  const config = environment["XDG_CONFIG_HOME"] || path.join(home, ".config");
  const docker = path.join(environment["DOCKER_CONFIG"] || path.join(home, ".docker"), "config.json");
  const runtime = environment["XDG_RUNTIME_DIR"];
  const named = authFile ?? (environment["REGISTRY_AUTH_FILE"] || undefined);
  const usual = [
    ...(runtime === undefined || runtime === "" ? [] : [path.join(runtime, "containers", "auth.json")]),
    path.join(config, "containers", "auth.json"),
    docker,
    path.join(home, ".sealer", "auth.json"),
  ];
  return {
    authFiles: named === undefined ? usual : [named],
    loginFile: named ?? docker,
    certificateDirs: [
      path.join(config, "containers", "certs.d"),
      path.join(home, ".docker", "certs.d"),
      "/etc/containers/certs.d",
      "/etc/docker/certs.d",
    ],
  };
}

/** The logins of all files; those of the caller, an editor's secret storage for one, come first. */
export function credentialsOf(
  places: RemotePlaces,
  environment: Environment,
  first: CredentialSource | undefined,
): CredentialSource {
  const files = places.authFiles.map((file) => dockerConfig(file, environment));
  return firstOf(first === undefined ? files : [first, ...files]);
}

/** Where a login is kept. */
export function loginStore(places: RemotePlaces, environment: Environment): CredentialStore {
  return dockerConfig(places.loginFile, environment);
}
