/** What the engine does with registries: one client for as long as it is wanted, on the engine's store. */

import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { EngineError, isEngineError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { parsePlatform } from "../oci/platform.ts";
import { formatReference, parseReference, type Reference, withDefaultTag } from "../oci/reference.ts";
import { defaultTransport, RegistryClient, type RegistryClientOptions } from "../remote/client.ts";
import type { Compression } from "../remote/compression.ts";
import type { RefuseAddress } from "../remote/connections.ts";
import { type Copied, copy } from "../remote/copy.ts";
import type { Credential, CredentialSource, CredentialStore } from "../remote/credentials.ts";
import { type LoggedIn, login } from "../remote/login.ts";
import { getManifest } from "../remote/manifests.ts";
import type { TransferProgress } from "../remote/progress.ts";
import { type Pulled, type PullPolicy, type PullRequest, pull } from "../remote/pull.ts";
import { type Pushed, push } from "../remote/push.ts";
import { repositoryOf } from "../remote/repository.ts";
import { credentialsOf, type Environment, loginStore, type RemotePlaces, remotePlaces } from "../remote/settings.ts";
import { type ImageSignature, signImage, verifySignature } from "../remote/signature.ts";
import { listTags } from "../remote/tags.ts";
import type { PlatformChoice } from "../remote/walk.ts";
import type { Store } from "../store/contract.ts";
import { version } from "../version.ts";
import { findImage } from "./images.ts";
import { bringSignatures, requireVerified, type VerifyPolicy, verifyNothing } from "./verified.ts";

/** The outside world of transfers, from the entry point. */
export interface SharingWorld {
  /** For proxies, for the places of logins and for what credential helpers need. */
  readonly environment: Environment;
  readonly homeDir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Asked for logins before any file: an editor's secret storage. */
  readonly credentials?: CredentialSource;
}

/** What a user may choose for one command. */
export interface SharingChoices {
  /** The only file logins are read from and written to. */
  readonly authFile?: string;
  /** Registries that may be spoken to without TLS or without checking it. */
  readonly insecureRegistries: readonly string[];
  /** Which addresses are not connected to, when strangers choose the registries. */
  readonly refuseAddress?: RefuseAddress;
}

/** What a transfer tells and listens to. */
export interface TransferControl {
  readonly onProgress: (progress: TransferProgress) => void;
  readonly signal: AbortSignal;
}

/** `all` platforms of an index, or one: `linux/arm64`. */
export type PlatformText = "all" | string;

/** Talks to registries for a store. Dispose it to close its connections. */
export class Sharing implements AsyncDisposable {
  readonly #store: Store;
  readonly #world: SharingWorld;
  readonly #places: RemotePlaces;
  readonly #options: RegistryClientOptions;
  readonly #client: RegistryClient;

  constructor(store: Store, world: SharingWorld, choices: SharingChoices) {
    const { environment, homeDir, now } = world;
    this.#store = store;
    this.#world = world;
    this.#places = remotePlaces(environment, homeDir, choices.authFile);
    this.#options = {
      ...defaultTransport,
      credentials: credentialsOf(this.#places, environment, world.credentials),
      environment,
      certificateDirs: this.#places.certificateDirs,
      insecureRegistries: choices.insecureRegistries,
      ...(choices.refuseAddress === undefined ? {} : { refuseAddress: choices.refuseAddress }),
      now,
      userAgent: `kubefile/${version}`,
    };
    this.#client = new RegistryClient(this.#options);
  }

  /** The client itself, for what has no method here. */
  get client(): RegistryClient {
    return this.#client;
  }

  /** Brings an image into the store. Throws what `pull` of engine/remote throws. */
  async pull(
    reference: string,
    request: { readonly platform: PlatformText; readonly policy: PullPolicy; readonly verify?: VerifyPolicy },
    { onProgress, signal }: TransferControl,
  ): Promise<Pulled> {
    const platforms = choiceOf(request.platform);
    const parsed = parseReference(reference);
    const wanted = { reference: parsed, platforms, policy: request.policy, admit: this.#admit(parsed, request) };
    return await pull(this.#client, this.#store, wanted, onProgress, signal);
  }

  /** Signatures that came with the image are asked first, then its registry, unless it may not be asked. */
  #admit(
    reference: Reference,
    { policy, verify = verifyNothing }: { readonly policy: PullPolicy; readonly verify?: VerifyPolicy },
  ): NonNullable<PullRequest["admit"]> {
    const where = repositoryOf(reference, `pull ${formatReference(withDefaultTag(reference))}`);
    return async (image, lease, signal) => {
      try {
        return requireVerified(this.#store, image, where.what, verify);
      } catch (error) {
        const mayBeThere = isEngineError(error, "SIGNATURE_MISSING") || isEngineError(error, "SIGNATURE_INVALID");
        if (!mayBeThere || policy === "never") throw error;
      }
      await bringSignatures({ client: this.#client, where }, { store: this.#store, lease }, image.digest, signal);
      requireVerified(this.#store, image, where.what, verify);
    };
  }

  /** Sends an image of the store, to its own name or another. Throws what `push` of engine/remote throws. */
  async push(
    image: string,
    request: { readonly to?: string; readonly platform: PlatformText; readonly compression: Compression | "none" },
    { onProgress, signal }: TransferControl,
  ): Promise<Pushed> {
    const { target } = findImage(this.#store, image);
    const destination = parseReference(request.to ?? image);
    const { compression } = request;
    const wanted = { source: target, destination, platforms: choiceOf(request.platform), compression };
    return await push(this.#client, this.#store, wanted, onProgress, signal);
  }

  /** Copies from registry to registry without storing. Throws what `copy` of engine/remote throws. */
  async copy(
    request: {
      readonly from: string;
      readonly to: string;
      readonly platform: PlatformText;
      readonly withReferrers: boolean;
    },
    { onProgress, signal }: TransferControl,
  ): Promise<Copied> {
    const { from, to, platform, withReferrers } = request;
    const platforms = choiceOf(platform);
    const wanted = { source: parseReference(from), destination: parseReference(to), platforms, withReferrers };
    return await copy(this.#client, wanted, onProgress, signal);
  }

  /** The tags of a repository, sorted by the registry. */
  async searchTags(repository: string, signal: AbortSignal): Promise<readonly string[]> {
    const reference: Reference = parseReference(repository);
    const where = repositoryOf(reference, `list tags of ${reference.host}/${reference.repository}`);
    const pages: string[] = [];
    for await (const page of listTags(this.#client, where, signal)) pages.push(...page);
    return pages;
  }

  /** Signs an image in its registry with a private key in PEM. Throws `KEY_UNREADABLE` and what `signImage` throws. */
  async sign(
    image: string,
    key: { readonly path: string; readonly pem: string; readonly passphrase?: string },
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly how: "signed" | "already signed" }> {
    const { where, descriptor, name } = await this.#resolve(image, "sign", signal);
    const { pem, passphrase } = key;
    const made = readKey(key.path, () => createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase }));
    return { digest: descriptor.digest, how: await signImage(this.#client, where, descriptor, name, made, signal) };
  }

  /** Checks an image's signature with a public key in PEM. Throws `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `KEY_UNREADABLE`. */
  async verifySignature(
    image: string,
    key: { readonly path: string; readonly pem: string },
    signal: AbortSignal,
  ): Promise<{ readonly digest: Digest; readonly signatures: readonly ImageSignature[] }> {
    const { where, descriptor } = await this.#resolve(image, "verify", signal);
    const made = readKey(key.path, () => createPublicKey(key.pem));
    return {
      digest: descriptor.digest,
      signatures: await verifySignature(this.#client, where, descriptor.digest, made, signal),
    };
  }

  async #resolve(image: string, act: string, signal: AbortSignal) {
    const reference = withDefaultTag(parseReference(image));
    const where = repositoryOf(reference, `${act} ${formatReference(reference)}`);
    const { descriptor } = await getManifest(
      this.#client,
      where,
      reference.digest ?? reference.tag ?? "latest",
      signal,
    );
    return { where, descriptor, name: `${reference.host}/${reference.repository}` };
  }

  /** Tries a login at its registry and keeps it. Throws what `login` of engine/remote throws. */
  async login(registry: string, credential: Credential, signal: AbortSignal): Promise<LoggedIn> {
    const clientWith = (credentials: CredentialSource): RegistryClient =>
      new RegistryClient({ ...this.#options, credentials });
    return await login(registry, credential, loginStore(this.#places, this.#world.environment), clientWith, signal);
  }

  /** Tries a login at its registry and keeps it nowhere. Returns whether the registry asked for one. Throws what `login` of engine/remote throws. */
  async tryLogin(registry: string, credential: Credential, signal: AbortSignal): Promise<boolean> {
    const clientWith = (credentials: CredentialSource): RegistryClient =>
      new RegistryClient({ ...this.#options, credentials });
    return (await login(registry, credential, keptByCaller, clientWith, signal)).verified;
  }

  /** Whether a file or a helper, not the caller's own source, has a login for a registry. */
  async isLoggedInByFile(registry: string, signal: AbortSignal): Promise<boolean> {
    const files = credentialsOf(this.#places, this.#world.environment, undefined);
    return (await files.find(registry, undefined, signal)) !== undefined;
  }

  /** Forgets a login; false when there was none. */
  async logout(registry: string, signal: AbortSignal): Promise<boolean> {
    return await loginStore(this.#places, this.#world.environment).remove(registry, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}

/** For logins that somebody else keeps. */
const keptByCaller: CredentialStore = { find: async () => undefined, save: async () => "", remove: async () => false };

/** A key from its text; what is wrong is said without a word of the text. */
function readKey(path: string, make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const reason =
      code === "ERR_MISSING_PASSPHRASE"
        ? "it needs a passphrase"
        : "it is not a key in PEM, or the passphrase is wrong";
    throw new EngineError("KEY_UNREADABLE", { path, reason });
  }
}

/** Reads a platform as people write it. Throws `PLATFORM_INVALID`. */
function choiceOf(text: PlatformText): PlatformChoice {
  return text === "all" ? { kind: "all" } : { kind: "one", platform: parsePlatform(text) };
}
