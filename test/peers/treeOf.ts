import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A file tree as text, one line a path: kind, mode, owner, link target or content. What two builders must agree on. */
export function treeLines(root: string): readonly string[] {
  const lines: string[] = [];
  const inodes = new Map<number, string>();
  const visit = (directory: Buffer, prefix: string): void => {
    for (const name of readdirSync(directory, "latin1").sort()) {
      const at = Buffer.concat([directory, Buffer.from(`/${name}`, "latin1")]);
      const stat = lstatSync(at);
      const shown = `${prefix}${name}`;
      const facts = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
      if (stat.isDirectory()) {
        lines.push(`${shown}/ ${facts}`);
        visit(at, `${shown}/`);
      } else if (stat.isSymbolicLink()) lines.push(`${shown} -> ${readlinkSync(at, "latin1")} ${stat.uid}:${stat.gid}`);
      else if (stat.isFile()) {
        const first = inodes.get(stat.ino);
        inodes.set(stat.ino, first ?? shown);
        const content = createHash("sha256").update(readFileSync(at)).digest("hex").slice(0, 12);
        lines.push(`${shown} ${facts} ${content}${first === undefined || stat.nlink < 2 ? "" : ` = ${first}`}`);
      } else lines.push(`${shown} special ${facts}`);
    }
  };
  visit(Buffer.from(root), "");
  return lines;
}
