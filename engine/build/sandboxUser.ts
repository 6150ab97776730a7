import { readFileSync } from "node:fs";
import { type ByteString, fsPath } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import type { LowerStack } from "../layer/lowerStack.ts";
import { resolvePath } from "../layer/safePath.ts";

/** As whom a command runs. */
export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly home: string;
}

const maximumId = 2 ** 31 - 1;
/** Longest account file read; it is held in memory. */
const maximumFile = 16 * 1024 * 1024;

/**
 * Who `user` is in the tree: a name of its `/etc/passwd` or a number, and after a colon a group likewise. A number need not be listed.
 * Without a group it is the user's own, and the groups that list the user are supplementary ones; "" is root.
 * Throws `RUN_USER_UNKNOWN`.
 * @see Dockerfile reference, "USER"; moby/sys/user GetExecUser, which every builder uses
 */
export function resolveUser(user: string, tree: LowerStack): SandboxUser {
  const colon = user.indexOf(":");
  const userPart = colon < 0 ? user : user.slice(0, colon);
  const groupPart = colon < 0 ? "" : user.slice(colon + 1);
  const account = findAccount(userPart, readTable(tree, "etc/passwd"), user);
  const groups = readTable(tree, "etc/group");
  if (groupPart !== "") return { ...account, gid: findGroup(groupPart, groups, user), groups: [] };
  const supplementary = groups
    .filter((fields) => account.name !== undefined && (fields[3] ?? "").split(",").includes(account.name))
    .flatMap((fields) => idOf(fields[2]) ?? []);
  return { uid: account.uid, gid: account.gid, home: account.home, groups: [...new Set(supplementary)] };
}

interface Account {
  readonly name: string | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

function findAccount(name: string, table: readonly (readonly string[])[], user: string): Account {
  const wanted = name === "" ? "0" : name;
  const uid = idOf(wanted);
  const fields = table.find((row) => (uid === undefined ? row[0] === wanted : idOf(row[2]) === uid));
  if (fields !== undefined) {
    const listedUid = idOf(fields[2]);
    const gid = idOf(fields[3]);
    if (listedUid === undefined || gid === undefined)
      throw unknown(user, `the line of ${wanted} in /etc/passwd is damaged`);
    return {
      name: fields[0],
      uid: listedUid,
      gid,
      home: fields[5] === undefined || fields[5] === "" ? "/" : fields[5],
    };
  }
  if (uid === undefined) throw unknown(user, `no user ${wanted} in the image`);
  return { name: undefined, uid, gid: 0, home: uid === 0 ? "/root" : "/" };
}

function findGroup(name: string, table: readonly (readonly string[])[], user: string): number {
  const gid = idOf(name);
  if (gid !== undefined) return gid;
  const listed = idOf(table.find((row) => row[0] === name)?.[2]);
  if (listed === undefined) throw unknown(user, `no group ${name} in the image`);
  return listed;
}

function idOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= maximumId ? id : undefined;
}

/** Lines of an account file, cut at colons; none when the image has no such file. */
function readTable(tree: LowerStack, path: string): readonly (readonly string[])[] {
  const node = tree.node(resolvePath(tree, path, { followLast: true }) as ByteString);
  if (node === undefined || !node.stat.isFile() || node.stat.size > maximumFile) return [];
  return readFileSync(fsPath(node.diskPath), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

function unknown(user: string, reason: string): EngineError {
  return new EngineError("RUN_USER_UNKNOWN", { user, reason });
}
