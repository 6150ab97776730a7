/** Transfers as a client of the engine's process asks for them: pull, push, load, and logins the client keeps. */
import { formatPlatform } from "../oci/platform.ts";
import type {
  LoadImagesParams,
  LoadImagesResult,
  LoginParams,
  LoginResult,
  PullParams,
  PullResult,
  PushParams,
  PushResult,
  TransferProgress,
} from "../protocol.ts";
import type { TransferProgress as RemoteProgress } from "../remote/progress.ts";
import type { Store } from "../store/contract.ts";
import { hostPlatform } from "./inputs.ts";
import type { Sharing, SharingChoices } from "./sharing.ts";

/** The parts of an engine that transfers need. */
export interface Transferring {
  readonly store: Store;
  /** The caller disposes what it gets. */
  sharing(choices: SharingChoices): Promise<Sharing>;
}

/** Progress more often than this only costs. */
const progressEveryMs = 100;

/** Passes progress on as messages of the protocol, now and then; `end` sends the last that was held back. */
export function transferFollower(
  transferId: string,
  send: (progress: TransferProgress) => void,
): {
  readonly follow: (progress: Omit<TransferProgress, "transferId">) => void;
  readonly end: () => void;
} {
  let toldAt = Number.NEGATIVE_INFINITY;
  let held: TransferProgress | undefined;
  const end = (): void => {
    if (held !== undefined) send(held);
    held = undefined;
  };
  const follow = (progress: Omit<TransferProgress, "transferId">): void => {
    held = { transferId, ...progress };
    const now = performance.now();
    if (now - toldAt < progressEveryMs) return;
    toldAt = now;
    end();
  };
  return { follow, end };
}

/** Brings an image into the store. Throws what `pull` of engine/remote throws. */
export async function pullForClient(
  engine: Transferring,
  params: PullParams,
  send: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<PullResult> {
  const { reference, platform = formatPlatform(hostPlatform()), policy = "always" } = params;
  await using sharing = await engine.sharing(choicesOf(params));
  const { follow, end } = transferFollower(params.transferId, send);
  const control = { onProgress: (progress: RemoteProgress) => follow(progress), signal };
  const { name, descriptor, how, movedBytes } = await sharing.pull(reference, { platform, policy }, control);
  end();
  return { reference: name, digest: descriptor.digest, how, movedBytes };
}

/** Sends an image of the store to a registry. Throws what `push` of engine/remote throws. */
export async function pushForClient(
  engine: Transferring,
  params: PushParams,
  send: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<PushResult> {
  const { image, destination, platform = "all" } = params;
  await using sharing = await engine.sharing(choicesOf(params));
  const { follow, end } = transferFollower(params.transferId, send);
  // gzip: the runtimes of older clusters cannot read zstd layers.
  const compression = { algorithm: "gzip", level: 1 } as const;
  const request = { platform, compression, ...(destination === undefined ? {} : { to: destination }) };
  const control = { onProgress: (progress: RemoteProgress) => follow(progress), signal };
  const { reference, descriptor, movedBytes, blobs } = await sharing.push(image, request, control);
  end();
  return { reference, digest: descriptor.digest, movedBytes, blobs };
}

/** Brings the images of a file or folder into the store. Throws what `loadImages` of engine/archive throws. */
export async function loadForClient(
  engine: Transferring,
  params: LoadImagesParams,
  send: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<LoadImagesResult> {
  const { loadArchive } = await import("./archives.ts");
  const { follow, end } = transferFollower(params.transferId, send);
  const control = {
    onProgress: ({ doneBytes, totalBytes }: { readonly doneBytes: number; readonly totalBytes: number }) =>
      follow({ doneBytes, totalBytes, movedBytes: doneBytes }),
    signal,
  };
  const { images, warnings } = await loadArchive(engine.store, { input: params.path }, control);
  end();
  return { images: images.map(({ names, target }) => ({ references: names, digest: target.digest })), warnings };
}

/** Tries a login at its registry; nothing is kept here. Throws `REMOTE_UNAUTHORIZED` and what `login` of engine/remote throws. */
export async function tryLogin(engine: Transferring, params: LoginParams, signal: AbortSignal): Promise<LoginResult> {
  const { registry, username, password } = params;
  await using sharing = await engine.sharing(choicesOf(params));
  return { verified: await sharing.tryLogin(registry, { kind: "password", username, password }, signal) };
}

/** Where a registry's login is still known after the client has forgotten its own: a file of docker's kind, or nowhere. */
export async function loginElsewhere(engine: Transferring, registry: string, signal: AbortSignal): Promise<boolean> {
  await using sharing = await engine.sharing({ insecureRegistries: [] });
  return await sharing.isLoggedInByFile(registry, signal);
}

function choicesOf({ insecureRegistries = [] }: { readonly insecureRegistries?: readonly string[] }): SharingChoices {
  return { insecureRegistries };
}
