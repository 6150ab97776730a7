import { randomUUID } from "node:crypto";
import { isDigest } from "../oci/digest.ts";
import { type Answer, empty, refuse } from "./answer.ts";
import { parseContentRange } from "./byteRange.ts";
import type { RepositoryName, Upload, WritableContent } from "./content.ts";
import type { RegistryRequest } from "./request.ts";
import { gatherBytes, writeBehind } from "./writeBehind.ts";

/** The uploads that are under way in one server; each belongs to one repository and is used by one request at a time. */
export interface UploadSessions extends AsyncDisposable {
  open(repository: string, upload: Upload): string;
  find(repository: string, session: string): Session | undefined;
  close(session: Session): Promise<void>;
  /** Bytes one blob may have. */
  readonly blobBytes: number;
}

export interface Session {
  readonly id: string;
  readonly repository: string;
  readonly upload: Upload;
  busy: boolean;
}

/**
 * Keeps uploads until they are finished, cancelled, or idle for too long.
 *
 * @param limits `sessions`: how many may be open; `idleMs`: how long one may wait for its next request; `blobBytes`: how
 *   large a blob may become
 */
export function createUploadSessions(limits: {
  readonly sessions: number;
  readonly idleMs: number;
  readonly blobBytes: number;
}): UploadSessions {
  const sessions = new Map<string, Session & { timer: NodeJS.Timeout }>();
  const end = async (session: Session): Promise<void> => {
    clearTimeout(sessions.get(session.id)?.timer);
    sessions.delete(session.id);
    await session.upload[Symbol.asyncDispose]();
  };
  const idle = (id: string): void => {
    const session = sessions.get(id);
    if (session !== undefined && !session.busy) void end(session);
    else session?.timer.refresh();
  };
  return {
    blobBytes: limits.blobBytes,
    open(repository, upload) {
      const id = randomUUID();
      const timer = setTimeout(idle, limits.idleMs, id);
      timer.unref();
      sessions.set(id, { id, repository, upload, busy: false, timer });
      const oldest =
        sessions.size > limits.sessions ? [...sessions.values()].find((session) => !session.busy) : undefined;
      if (oldest !== undefined) void end(oldest);
      return id;
    },
    find(repository, id) {
      const session = sessions.get(id);
      session?.timer.refresh();
      return session?.repository === repository ? session : undefined;
    },
    close: end,
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions.values()].map(end));
    },
  };
}

/**
 * `POST …/blobs/uploads/`: a mount, a whole blob at once, or a session for one that comes in pieces.
 *
 * @see OCI distribution-spec 1.1, "Pushing Blobs" and "Mounting a blob from another repository"
 */
export async function startUpload(
  content: WritableContent,
  sessions: UploadSessions,
  name: RepositoryName,
  request: RegistryRequest,
): Promise<Answer> {
  const mount = request.query.get("mount");
  if (mount !== null && isDigest(mount)) {
    if (await content.mountBlob(name, mount, request.query.get("from") ?? undefined, request.signal))
      return created(name, mount);
  }
  const digest = request.query.get("digest");
  if (digest !== null && !isDigest(digest)) return refuse("DIGEST_INVALID", `${digest} is not a digest.`);
  const asked = request.query.get("digest-algorithm");
  if (asked !== null && asked !== "sha256" && asked !== "sha512")
    return refuse("DIGEST_INVALID", `The digest algorithm ${asked} is not supported; use sha256 or sha512.`);
  const upload = content.startUpload();
  if (digest === null) return accepted(name, sessions.open(name.path, upload), upload);
  await using whole = upload;
  const refused = await takeBytes(whole, sessions.blobBytes, request);
  if (refused !== undefined) return refused;
  return (await whole.finish(name, digest, request.signal)) ? created(name, digest) : wrongDigest(digest);
}

/** `PATCH` of a session: the next bytes, in order when it says where they belong. */
export function continueUpload(
  sessions: UploadSessions,
  name: RepositoryName,
  id: string,
  request: RegistryRequest,
): Promise<Answer> {
  return withSession(sessions, name, id, async (session) => {
    const refused = await takeBody(sessions, session, name, request);
    return refused ?? accepted(name, id, session.upload);
  });
}

/** `PUT` of a session: the last bytes, if any, and the digest of all. */
export function finishUpload(
  sessions: UploadSessions,
  name: RepositoryName,
  id: string,
  request: RegistryRequest,
): Promise<Answer> {
  return withSession(sessions, name, id, async (session) => {
    const digest = request.query.get("digest") ?? "";
    if (!isDigest(digest)) return refuse("DIGEST_INVALID", `${digest} is not a digest.`);
    const refused = await takeBody(sessions, session, name, request);
    if (refused !== undefined) return refused;
    const finished = await session.upload.finish(name, digest, request.signal);
    await sessions.close(session);
    return finished ? created(name, digest) : wrongDigest(digest);
  });
}

/** `GET` of a session: how far it is, so that a client can go on after a break. */
export function uploadStatus(sessions: UploadSessions, name: RepositoryName, id: string): Promise<Answer> {
  return withSession(sessions, name, id, async ({ upload }) => ({ ...accepted(name, id, upload), status: 204 }));
}

/** `DELETE` of a session. */
export function cancelUpload(sessions: UploadSessions, name: RepositoryName, id: string): Promise<Answer> {
  return withSession(sessions, name, id, async (session) => {
    await sessions.close(session);
    return empty(204);
  });
}

/** One request at a time: two writers of one session would mix their bytes. */
async function withSession(
  sessions: UploadSessions,
  name: RepositoryName,
  id: string,
  act: (session: Session) => Promise<Answer>,
): Promise<Answer> {
  const session = sessions.find(name.path, id);
  if (session === undefined) return refuse("BLOB_UPLOAD_UNKNOWN", "There is no such upload: start a new one.");
  if (session.busy) return refuse("BLOB_UPLOAD_INVALID", "Another request is writing to this upload.", { status: 409 });
  session.busy = true;
  try {
    return await act(session);
  } finally {
    session.busy = false;
  }
}

async function takeBody(
  sessions: UploadSessions,
  session: Session,
  name: RepositoryName,
  request: RegistryRequest,
): Promise<Answer | undefined> {
  const header = request.headers["content-range"];
  const range = header === undefined ? undefined : parseContentRange(header);
  if (header !== undefined && range === undefined)
    return refuse("BLOB_UPLOAD_INVALID", `The Content-Range ${header} is not first-last.`);
  if (range !== undefined && range.start !== session.upload.receivedBytes) {
    const { headers } = accepted(name, session.id, session.upload);
    return refuse("BLOB_UPLOAD_INVALID", `The next byte is ${session.upload.receivedBytes}, not ${range.start}.`, {
      status: 416,
      headers: { Location: headers["Location"] ?? "", Range: headers["Range"] ?? "" },
    });
  }
  return takeBytes(session.upload, sessions.blobBytes, request);
}

async function takeBytes(upload: Upload, mostBytes: number, request: RegistryRequest): Promise<Answer | undefined> {
  const tooLarge = (): Answer => refuse("SIZE_INVALID", `A blob may have ${mostBytes} bytes at most.`, { status: 413 });
  const before = upload.receivedBytes;
  if (before + Number(request.headers["content-length"] ?? 0) > mostBytes) return tooLarge();
  const whole = await writeBehind(
    request.body,
    (bytes) => upload.write(bytes),
    (taken) => before + taken <= mostBytes,
    gatherBytes,
  );
  return whole ? undefined : tooLarge();
}

function accepted(name: RepositoryName, session: string, upload: Upload): Answer {
  return empty(202, {
    Location: `/v2/${name.path}/blobs/uploads/${session}`,
    // The habit for an empty upload is 0-0, which says the same as for one byte; clients know it.
    Range: `0-${Math.max(0, upload.receivedBytes - 1)}`,
    "Docker-Upload-UUID": session,
  });
}

function created(name: RepositoryName, digest: string): Answer {
  return empty(201, { Location: `/v2/${name.path}/blobs/${digest}`, "Docker-Content-Digest": digest });
}

function wrongDigest(digest: string): Answer {
  return refuse("DIGEST_INVALID", `The bytes that were sent do not have the digest ${digest}.`);
}
