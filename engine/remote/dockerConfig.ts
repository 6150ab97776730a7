/**
 * Credentials in docker's `config.json` and containers' `auth.json`: one format, two places.
 *
 * @see docker-login(1), "Credential stores"; containers-auth.json(5)
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { eraseFromHelper, getFromHelper, storeInHelper } from "./credentialHelper.ts";
import type { Credential, CredentialStore } from "./credentials.ts";
import { isDockerHub } from "./endpoint.ts";

/** The key docker has kept for Docker Hub since its first registry protocol. */
const dockerHubKey = "https://index.docker.io/v1/";

/** Only what is read here; a file may hold much more, which writing keeps as it was. */
interface ConfigFile {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
  readonly [other: string]: unknown;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly [other: string]: unknown;
}

/**
 * The credentials of one configuration file, read anew at each question so that a login in a terminal counts at once.
 * `save` goes to the helper the file names for that registry, else into the file, which is then readable by its owner only.
 *
 * @param file path of a `config.json` or `auth.json`; an absent file knows nothing
 * @param environment what helpers run in
 * @throws EngineError CREDENTIALS_UNREADABLE when the file is not the JSON object it should be, CREDENTIAL_HELPER_FAILED
 */
export function dockerConfig(file: string, environment: Readonly<Record<string, string | undefined>>): CredentialStore {
  return {
    async find(registry, repository, signal) {
      const config = await readConfig(file);
      for (const key of lookupKeys(registry, repository)) {
        const helper = config.credHelpers?.[key];
        if (helper !== undefined) return await getFromHelper({ name: helper, environment }, key, signal);
      }
      if (config.credsStore) {
        const helper = { name: config.credsStore, environment };
        const found = await getFromHelper(helper, serverKey(registry), signal);
        if (found !== undefined) return found;
      }
      return findInFile(config, registry, repository, file);
    },

    async save(registry, credential, signal) {
      const config = await readConfig(file);
      const key = serverKey(registry);
      const helper = config.credHelpers?.[key] ?? config.credHelpers?.[registry] ?? config.credsStore;
      if (helper && credential.kind !== "registryToken") {
        await storeInHelper({ name: helper, environment }, key, credential, signal);
        // Docker leaves an empty entry beside a helper, and tools list their logins from these keys.
        await writeConfig(file, { ...config, auths: { ...config.auths, [key]: {} } });
        return `docker-credential-${helper}`;
      }
      await writeConfig(file, { ...config, auths: { ...config.auths, [key]: entryOf(credential) } });
      return file;
    },

    async remove(registry, signal) {
      const config = await readConfig(file);
      const key = serverKey(registry);
      const helper = config.credHelpers?.[key] ?? config.credHelpers?.[registry] ?? config.credsStore;
      let known = false;
      if (helper) {
        known = (await getFromHelper({ name: helper, environment }, key, signal)) !== undefined;
        if (known) await eraseFromHelper({ name: helper, environment }, key, signal);
      }
      const wanted = new Set(lookupKeys(registry, undefined));
      const auths = Object.entries(config.auths ?? {});
      const kept = auths.filter(([name]) => !wanted.has(normalKey(name)));
      if (kept.length === auths.length) return known;
      await writeConfig(file, { ...config, auths: Object.fromEntries(kept) });
      return true;
    },
  };
}

/** The key under which a registry is written and given to helpers. */
function serverKey(registry: string): string {
  return isDockerHub(registry) ? dockerHubKey : registry;
}

/** Keys to look under, most exact first: containers' files may name a repository or a part of its path. */
function lookupKeys(registry: string, repository: string | undefined): readonly string[] {
  const parts = repository?.split("/") ?? [];
  const nested = parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join("/"));
  return isDockerHub(registry)
    ? [...nested, dockerHubKey, "index.docker.io", "docker.io", "registry-1.docker.io"]
    : [...nested, registry];
}

/** Old tools wrote whole addresses as keys: only the host and a containers-style path count, Docker Hub's own key stays. */
function normalKey(key: string): string {
  if (key === dockerHubKey) return key;
  return key.replace(/^https?:\/\//, "").replace(/\/(?:v1|v2)?\/?$/, "");
}

function findInFile(
  config: ConfigFile,
  registry: string,
  repository: string | undefined,
  file: string,
): Credential | undefined {
  const entries = Object.entries(config.auths ?? {});
  for (const wanted of lookupKeys(registry, repository)) {
    const exact = config.auths?.[wanted];
    const entry = exact ?? entries.find(([key]) => normalKey(key) === wanted)?.[1];
    const credential = entry === undefined ? undefined : credentialOf(entry, file);
    if (credential !== undefined) return credential;
  }
  return undefined;
}

function credentialOf(entry: AuthEntry, file: string): Credential | undefined {
  if (entry.registrytoken) return { kind: "registryToken", token: entry.registrytoken };
  if (entry.identitytoken) return { kind: "identityToken", token: entry.identitytoken };
  if (entry.auth) {
    const decoded = Buffer.from(entry.auth, "base64").toString("utf8").replace(/\0+$/, "");
    const colon = decoded.indexOf(":");
    if (colon < 0) throw unreadable(file, `an "auth" entry is not base64 of user:password`);
    return { kind: "password", username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  if (entry.username && entry.password) {
    return { kind: "password", username: entry.username, password: entry.password };
  }
  return undefined;
}

function entryOf(credential: Credential): AuthEntry {
  switch (credential.kind) {
    case "password":
      return { auth: Buffer.from(`${credential.username}:${credential.password}`, "utf8").toString("base64") };
    case "identityToken":
      // Docker reads the user from `auth`; an identity token has none, which `<token>:` has always said.
      return { auth: Buffer.from("<token>:", "utf8").toString("base64"), identitytoken: credential.token };
    case "registryToken":
      return { registrytoken: credential.token };
    default:
      return credential satisfies never;
  }
}

async function readConfig(file: string): Promise<ConfigFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return {};
    throw unreadable(file, code ?? "it could not be read", error);
  }
  if (text.trim() === "") return {};
  const config = parseObject(text);
  if (config === undefined) throw unreadable(file, "it is not a JSON object");
  for (const key of ["auths", "credHelpers"] as const) {
    if (config[key] !== undefined && !isObject(config[key])) throw unreadable(file, `"${key}" is not an object`);
  }
  return config;
}

function parseObject(text: string): ConfigFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // The parser's message quotes the text around the mistake, and that may be a secret.
    return undefined;
  }
}

function isObject(value: unknown): value is ConfigFile {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Beside the file, then renamed over it: a reader sees the old one or the new one, and never one open to others. */
async function writeConfig(file: string, config: ConfigFile): Promise<void> {
  // Where the file is a link into somebody's collection of settings, the file behind it is the one to replace.
  const target = await realpath(file).catch(() => file);
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = path.join(folder, `.${path.basename(target)}.${randomBytes(6).toString("hex")}`);
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(config, null, "\t")}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    throw new EngineError(
      "CREDENTIALS_UNWRITABLE",
      { path: file, reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  } finally {
    await rm(temporary, { force: true });
  }
}

function unreadable(file: string, reason: string, cause?: unknown): EngineError {
  return new EngineError("CREDENTIALS_UNREADABLE", { path: file, reason }, { cause });
}
