import type { SecretStorage } from "vscode";

/** What a registry is told about who we are. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

const prefix = "kubefile.login.";

/** Logins to registries in the editor's secret storage, which the operating system's keychain guards. Nothing is held in memory. */
export class Credentials {
  readonly #secrets: Pick<SecretStorage, "get" | "store" | "delete" | "keys">;

  constructor(secrets: Pick<SecretStorage, "get" | "store" | "delete" | "keys">) {
    this.#secrets = secrets;
  }

  /** The login for `host[:port]`, `docker.io` for Docker Hub; null when there is none. What is stored and not readable is none. */
  async find(registry: string): Promise<Login | null> {
    const text = await this.#secrets.get(prefix + registry);
    return text === undefined ? null : parseLogin(text);
  }

  async keep(registry: string, { username, password }: Login): Promise<void> {
    await this.#secrets.store(prefix + registry, JSON.stringify({ username, password }));
  }

  async forget(registry: string): Promise<void> {
    await this.#secrets.delete(prefix + registry);
  }

  /** The registries there is a login for, sorted. */
  async registries(): Promise<readonly string[]> {
    const keys = await this.#secrets.keys();
    return keys
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .sort();
  }
}

function parseLogin(text: string): Login | null {
  try {
    const { username, password }: { username?: unknown; password?: unknown } = JSON.parse(text);
    return typeof username === "string" && typeof password === "string" ? { username, password } : null;
  } catch {
    return null;
  }
}
