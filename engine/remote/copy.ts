/** Copying from registry to registry: every byte passes through, none is stored here. */
import type { Descriptor } from "../oci/descriptor.ts";
import { parseManifestOrIndex } from "../oci/index.ts";
import { formatReference, type Reference, withDefaultTag } from "../oci/reference.ts";
import { downloadBlob } from "./blobs.ts";
import { cancellable } from "./cancellable.ts";
import type { RegistryClient } from "./client.ts";
import { describedContent } from "./content.ts";
import { inParallel } from "./inParallel.ts";
import { getManifest, type RemoteDocument } from "./manifests.ts";
import { TransferMeter, type TransferProgress } from "./progress.ts";
import { publish } from "./publish.ts";
import { listReferrers, putReferrer } from "./referrers.ts";
import { type RemoteRepository, repositoryOf } from "./repository.ts";
import { type SentBlob, sendBlob } from "./sendBlob.ts";
import { chosenChildren, collectImage, fromRegistry, type PlatformChoice } from "./walk.ts";

export interface CopyRequest {
  readonly source: Reference;
  readonly destination: Reference;
  /** Of an index: `all` copies it whole, `one` only that image, without the index. */
  readonly platforms: PlatformChoice;
  /** Signatures, SBOMs and whatever else refers to the image go along. */
  readonly withReferrers: boolean;
}

export interface Copied {
  readonly descriptor: Descriptor;
  /** Bytes of blobs that passed through here. */
  readonly movedBytes: number;
  readonly referrers: number;
}

const blobsAtOnce = 4;

/** Copies an image byte for byte: its digest stays. Throws IMAGE_PLATFORM_MISSING, REMOTE_INCOMPLETE and other REMOTE_ codes. */
export async function copy(
  client: RegistryClient,
  request: CopyRequest,
  onProgress: (progress: TransferProgress) => void,
  signal: AbortSignal,
): Promise<Copied> {
  const source = withDefaultTag(request.source);
  const destination = withDefaultTag(request.destination);
  const what = `copy ${formatReference(source)} to ${formatReference(destination)}`;
  const meter = new TransferMeter(onProgress);
  const route: Route = { client, from: repositoryOf(source, what), to: repositoryOf(destination, what), meter };
  return await cancellable(what, () => copyAlong(route, { ...request, source, destination }, signal), signal);
}

async function copyAlong(route: Route, request: CopyRequest, signal: AbortSignal): Promise<Copied> {
  const { client, meter } = route;
  const { source, destination } = request;
  const found = await getManifest(client, route.from, source.digest ?? source.tag ?? "latest", signal);
  const root = await chosenImage(route, found, request.platforms, signal);
  const platforms = { kind: "all" } as const;
  await copyGraph(
    route,
    root,
    platforms,
    (documents, blobs) => {
      return publish(client, route.to, { documents, ...blobs, tag: destination.tag }, signal);
    },
    signal,
  );
  const referrers = request.withReferrers ? await copyReferrers(route, root.descriptor, new Set(), signal) : 0;
  return { descriptor: root.descriptor, movedBytes: meter.movedBytes, referrers };
}

interface Route {
  readonly client: RegistryClient;
  readonly from: RemoteRepository;
  readonly to: RemoteRepository;
  readonly meter: TransferMeter;
}

/** The index itself, or the image in it that was asked for. */
async function chosenImage(
  route: Route,
  found: RemoteDocument,
  choice: PlatformChoice,
  signal: AbortSignal,
): Promise<RemoteDocument> {
  if (choice.kind === "all") return found;
  const parsed = parseManifestOrIndex(found.bytes, `manifest ${found.descriptor.digest}`);
  if (parsed.kind === "manifest") return found;
  const [child] = chosenChildren(parsed.index.manifests, choice, route.from.what);
  if (child === undefined) return found;
  return await chosenImage(route, await getManifest(route.client, route.from, child.digest, signal), choice, signal);
}

type Put = (
  documents: readonly RemoteDocument[],
  blobs: { readonly blobs: readonly Descriptor[]; readonly seen: ReadonlySet<Descriptor["digest"]> },
) => Promise<void>;

async function copyGraph(
  route: Route,
  root: RemoteDocument,
  choice: PlatformChoice,
  put: Put,
  signal: AbortSignal,
): Promise<void> {
  const { client, from, meter } = route;
  const remote = fromRegistry(client, from);
  const graph = await collectImage(
    root.descriptor,
    choice,
    from.what,
    async (descriptor, inner) =>
      descriptor.digest === root.descriptor.digest ? root.bytes : await remote(descriptor, inner),
    signal,
  );
  const blobs = graph.blobs.filter((blob) => blob.urls === undefined || blob.urls.length === 0);
  for (const blob of blobs) meter.expect(blob.size);
  const largestFirst = blobs.toSorted((a, b) => b.size - a.size);
  const sent = await inParallel(largestFirst, blobsAtOnce, (blob, both) => copyBlob(route, blob, both), signal);
  const seen = new Set(sent.flatMap((blob) => (blob.how === "present" ? [blob.digest] : [])));
  await put(graph.documents, { blobs, seen });
}

async function copyBlob({ client, from, to, meter }: Route, blob: Descriptor, signal: AbortSignal): Promise<SentBlob> {
  let counted = 0;
  const onSent = (bytes: number): void => {
    counted += bytes;
    meter.moved(bytes);
    meter.done(bytes);
  };
  const sameRegistry = from.host === to.host && from.repository !== to.repository;
  const sent = await sendBlob(
    client,
    to,
    {
      expected: { digest: blob.digest, sizeBytes: blob.size },
      content: describedContent(blob, (offset, inner) => downloadBlob(client, from, blob, offset, inner)),
      mountFrom: sameRegistry ? [from.repository] : [],
      onSent,
    },
    signal,
  );
  meter.done(blob.size - counted);
  meter.finished();
  return sent;
}

/** Referrers may have referrers: a signature of an SBOM. Each is copied once. */
async function copyReferrers(
  route: Route,
  subject: Descriptor,
  done: Set<string>,
  signal: AbortSignal,
): Promise<number> {
  let copied = 0;
  for (const referrer of await listReferrers(route.client, route.from, subject.digest, undefined, signal)) {
    if (done.has(referrer.digest)) continue;
    done.add(referrer.digest);
    const document = await getManifest(route.client, route.from, referrer.digest, signal);
    await copyGraph(
      route,
      document,
      { kind: "all" },
      async (documents, blobs) => {
        await publish(route.client, route.to, { documents: documents.slice(0, -1), ...blobs, tag: undefined }, signal);
        await putReferrer(route.client, route.to, document, signal);
      },
      signal,
    );
    copied += 1 + (await copyReferrers(route, referrer, done, signal));
  }
  return copied;
}
