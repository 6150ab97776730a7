import { randomUUID } from "node:crypto";

/** A name for a build whose caller gave none. */
export function newBuildId(): string {
  return randomUUID();
}
