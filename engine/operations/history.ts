import { randomBytes } from "node:crypto";
import type { BuildRecord } from "../protocol.ts";
import type { Store } from "../store/contract.ts";

/** Kind of the records of past builds. */
export const buildRecordKind = "build";
const mostRecords = 200;

/** Keeps the record of a build that ended, and lets the oldest go. */
export function rememberBuild(store: Store, record: BuildRecord): void {
  const key = `${String(record.startedAt).padStart(15, "0")}-${randomBytes(4).toString("hex")}`;
  store.writeRecord({ kind: buildRecordKind, key, refs: [], payload: Buffer.from(JSON.stringify(record), "utf8") });
  // Looking through the records takes as long as a small build: one build in sixteen does it for the others.
  if (record.startedAt % 16 !== 0) return;
  const keys = keysNewestFirst(store);
  for (const old of keys.slice(mostRecords)) store.removeRecord(buildRecordKind, old);
}

/** Past builds, newest first. */
export function pastBuilds(store: Store, limit: number): readonly BuildRecord[] {
  return keysNewestFirst(store)
    .slice(0, limit)
    .flatMap((key): BuildRecord[] => {
      const record = store.readRecord(buildRecordKind, key);
      return record === undefined ? [] : [JSON.parse(Buffer.from(record.payload).toString("utf8")) as BuildRecord];
    });
}

function keysNewestFirst(store: Store): readonly string[] {
  return store
    .listRecords(buildRecordKind)
    .map(({ key }) => key)
    .sort()
    .reverse();
}
