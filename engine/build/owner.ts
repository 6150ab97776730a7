import { type ByteString, bytesOfText } from "../byteString.ts";
import { EngineError } from "../errors.ts";
import { memberPath } from "../layer/safePath.ts";
import { readTar } from "../tar/read.ts";
import type { StageState } from "./stageRun.ts";
import type { StageLayer, Workshop } from "./workshop.ts";

/** Longest account file read; it is held in memory. */
const longestFile = 16 * 1024 * 1024;

/**
 * The numbers of `--chown=user[:group]`. Without the flag everything is root's. A number alone is user and group, as Docker has it.
 * Names other than root are looked up in the image below. Throws `OWNER_UNKNOWN`.
 */
export async function ownerIds(
  shop: Workshop,
  owner: string | undefined,
  state: StageState,
): Promise<{ readonly uid: number; readonly gid: number }> {
  if (owner === undefined) return { uid: 0, gid: 0 };
  const [user = "", group] = owner.split(":");
  const uid = numberOf(user);
  const account = uid === undefined ? await accountOf(shop, owner, user, state) : undefined;
  if (group === undefined) return { uid: uid ?? account?.uid ?? 0, gid: uid ?? account?.gid ?? 0 };
  const gid = numberOf(group) ?? (await groupOf(shop, owner, group, state));
  return { uid: uid ?? account?.uid ?? 0, gid };
}

function numberOf(name: string): number | undefined {
  if (name === "root" || name === "") return 0;
  return /^\d{1,10}$/.test(name) ? Number(name) : undefined;
}

async function accountOf(
  shop: Workshop,
  owner: string,
  name: string,
  state: StageState,
): Promise<{ readonly uid: number; readonly gid: number }> {
  const file = "/etc/passwd";
  const fields = (await readLines(shop, file, state)).map((line) => line.split(":")).find(([user]) => user === name);
  const uid = numberOf(fields?.[2] ?? "x");
  const gid = numberOf(fields?.[3] ?? "x");
  if (uid === undefined || gid === undefined) throw new EngineError("OWNER_UNKNOWN", { owner, name, file });
  return { uid, gid };
}

async function groupOf(shop: Workshop, owner: string, name: string, state: StageState): Promise<number> {
  const file = "/etc/group";
  const fields = (await readLines(shop, file, state)).map((line) => line.split(":")).find(([group]) => group === name);
  const gid = numberOf(fields?.[2] ?? "x");
  if (gid === undefined) throw new EngineError("OWNER_UNKNOWN", { owner, name, file });
  return gid;
}

/** Lines of a file of the image below; none when it has no such file. The topmost layer that has it decides. */
async function readLines(shop: Workshop, file: string, state: StageState): Promise<readonly string[]> {
  if (!state.complete) return [];
  const wanted = (await state.shape()).resolve(bytesOfText(file.slice(1)));
  for (const layer of [...state.layers].reverse()) {
    const text = await readFile(shop, layer, wanted);
    if (text !== undefined) return text.split("\n");
  }
  return [];
}

async function readFile(shop: Workshop, layer: StageLayer, wanted: ByteString): Promise<string | undefined> {
  const { decompress } = await import("../layer/decompress.ts");
  const blob = shop.store.read(layer.descriptor.digest, {}, shop.signal);
  let found: Buffer | undefined;
  for await (const member of readTar(decompress(blob))) {
    if (member.entry.kind !== "file" || memberPath(member.entry.path, layer.diffId) !== wanted) continue;
    if (member.entry.size > longestFile) continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of member.content()) chunks.push(Uint8Array.from(chunk));
    found = Buffer.concat(chunks);
  }
  return found?.toString("utf8");
}
