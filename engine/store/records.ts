import { randomBytes } from "node:crypto";
import {
  closeSync,
  fstatSync,
  futimesSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  utimesSync,
} from "node:fs";
import path from "node:path";
import { EngineError } from "../errors.ts";
import { canonicalJson, compareBytewise } from "../oci/canonicalJson.ts";
import { asCount, asList, asText, decodeJson, optional, required } from "../oci/checkedJson.ts";
import { readDigest } from "../oci/descriptor.ts";
import { type Digest, digestHex, digestOf } from "../oci/digest.ts";
import type { NewRecord, RecordEntry, StoreRecord } from "./contract.ts";
import { writeAllSync } from "./flush.ts";
import { entriesOf, type Layout, makeFolder, removeFile } from "./layout.ts";
import { ownIdentity } from "./liveness.ts";
import { errnoOf, writingSync } from "./storeErrors.ts";

/**
 * A record's file: one line of JSON, then the payload. The line carries the payload's size and digest, so a file that power loss cut
 * off is seen for what it is. The time of last use is the file's modification time.
 */
interface Head {
  readonly key: string;
  readonly refs: readonly Digest[];
  readonly keptWith?: Digest;
  readonly payloadBytes: number;
  readonly payloadDigest: Digest;
}

const newline = 0x0a;
const longestHeadBytes = 64 * 1024 * 1024;

export function readRecord(layout: Layout, kind: string, key: string): StoreRecord | undefined {
  const file = recordPath(layout, kind, key);
  return absentAsUndefined(() => {
    const { mtimeMs } = statSync(file);
    const bytes = readFileSync(file);
    const lineEnd = bytes.indexOf(newline);
    const head = parseHead(bytes.subarray(0, Math.max(lineEnd, 0)), file);
    const payload = bytes.subarray(lineEnd + 1);
    if (head === undefined || !isPayload(head, payload) || head.key !== key) return undefined;
    return { ...entryOf(kind, head, mtimeMs, bytes.byteLength), payload };
  });
}

export function writeRecord(layout: Layout, record: NewRecord, nowMs: number): void {
  const place = recordPath(layout, record.kind, record.key);
  const born = path.join(layout.tmp, `${ownIdentity()}_${randomBytes(8).toString("hex")}_record`);
  const head = canonicalJson({
    key: record.key,
    refs: record.refs,
    keptWith: record.keptWith,
    payloadBytes: record.payload.byteLength,
    payloadDigest: digestOf(record.payload),
  });
  writingSync(layout.dir, () => {
    makeFolder(path.dirname(place));
    try {
      const fd = openSync(born, "wx");
      try {
        writeAllSync(fd, Buffer.from(`${head}\n`, "utf8"));
        writeAllSync(fd, record.payload);
        futimesSync(fd, nowMs / 1000, nowMs / 1000);
      } finally {
        closeSync(fd);
      }
      renameSync(born, place);
    } finally {
      removeFile(born);
    }
  });
}

export function touchRecord(layout: Layout, kind: string, key: string, nowMs: number): void {
  try {
    utimesSync(recordPath(layout, kind, key), nowMs / 1000, nowMs / 1000);
  } catch (error) {
    // Gone by a prune, or a store we only read: neither stops a build.
    const code = errnoOf(error);
    if (code !== "ENOENT" && code !== "EROFS" && code !== "EACCES" && code !== "EPERM") throw error;
  }
}

/** Removes a record unless it was used after `unlessUsedAfterMs`; false when it stays or was not there. */
export function removeRecord(
  layout: Layout,
  kind: string,
  key: string,
  unlessUsedAfterMs: number = Number.POSITIVE_INFINITY,
): boolean {
  const file = recordPath(layout, kind, key);
  return writingSync(layout.dir, () => {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined || Math.round(stat.mtimeMs) > unlessUsedAfterMs) return false;
    removeFile(file);
    return true;
  });
}

/** Entries of one kind or of all, most recently used first, then by kind and key. Damaged ones are left out. */
export function listRecords(layout: Layout, kind?: string): readonly RecordEntry[] {
  const kinds = kind === undefined ? entriesOf(layout.records) : [kind];
  return kinds
    .flatMap((each) => entriesOf(path.join(layout.records, each)).map((name) => readEntry(layout, each, name)))
    .filter((entry) => entry !== undefined)
    .sort(
      (a, b) => b.lastUsedAtMs - a.lastUsedAtMs || compareBytewise(a.kind, b.kind) || compareBytewise(a.key, b.key),
    );
}

/** Files that are no readable record: what power loss left. */
export function damagedRecords(layout: Layout): readonly string[] {
  return entriesOf(layout.records).flatMap((kind) =>
    entriesOf(path.join(layout.records, kind))
      .filter((name) => {
        const entry = readEntry(layout, kind, name);
        const present = statSync(path.join(layout.records, kind, name), { throwIfNoEntry: false }) !== undefined;
        return present && (entry === undefined || readRecord(layout, kind, entry.key) === undefined);
      })
      .map((name) => path.join(layout.records, kind, name)),
  );
}

function recordPath(layout: Layout, kind: string, key: string): string {
  if (!/^[a-z0-9-]+$/.test(kind)) throw new TypeError(`"${kind}" is not a kind of record: use a-z, 0-9 and "-"`);
  return path.join(layout.records, kind, digestHex(digestOf(key)));
}

/** Reads as much of the file as its first line takes. */
function readEntry(layout: Layout, kind: string, name: string): RecordEntry | undefined {
  const file = path.join(layout.records, kind, name);
  return absentAsUndefined(() => {
    const fd = openSync(file, "r");
    try {
      const { mtimeMs, size } = fstatSync(fd);
      for (let wanted = 4096; ; wanted *= 8) {
        const start = Buffer.allocUnsafe(Math.min(wanted, size));
        const got = readSync(fd, start, 0, start.byteLength, 0);
        const lineEnd = start.subarray(0, got).indexOf(newline);
        if (lineEnd === -1 && wanted < Math.min(size, longestHeadBytes)) continue;
        const head = parseHead(start.subarray(0, Math.max(lineEnd, 0)), file);
        return head === undefined ? undefined : entryOf(kind, head, mtimeMs, size);
      }
    } finally {
      closeSync(fd);
    }
  });
}

function parseHead(line: Uint8Array, file: string): Head | undefined {
  try {
    const at = decodeJson(line, `the record ${file}`);
    return {
      key: asText(required(at, "key")),
      refs: asList(required(at, "refs")).map(readDigest),
      ...optional(at, "keptWith", readDigest),
      payloadBytes: asCount(required(at, "payloadBytes")),
      payloadDigest: readDigest(required(at, "payloadDigest")),
    };
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

function isPayload(head: Head, payload: Uint8Array): boolean {
  return payload.byteLength === head.payloadBytes && digestOf(payload) === head.payloadDigest;
}

function entryOf(kind: string, head: Head, mtimeMs: number, sizeBytes: number): RecordEntry {
  const { key, refs, keptWith } = head;
  return {
    kind,
    key,
    refs,
    ...(keptWith === undefined ? {} : { keptWith }),
    lastUsedAtMs: Math.round(mtimeMs),
    sizeBytes,
  };
}

function absentAsUndefined<T>(act: () => T | undefined): T | undefined {
  try {
    return act();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
