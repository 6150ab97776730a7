/** Everything that can be said about the sources without running them: `npm run check`. Runs all, then fails if one did. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { elapsed, rootDir, say } from "./say.ts";

const bin = (name: string): string => path.join(rootDir, "node_modules", ".bin", name);

const checks: readonly { readonly name: string; readonly command: readonly [string, ...string[]] }[] = [
  { name: "format and lint (biome)", command: [bin("biome"), "check", "--error-on-warnings"] },
  { name: "types (tsc -b)", command: [bin("tsc"), "-b"] },
  { name: "unused files, exports and packages (knip)", command: [bin("knip"), "--no-progress"] },
  { name: "who imports whom (rooms)", command: [process.execPath, "--test", "test/rooms.test.ts"] },
];

const failed = checks.filter(({ name, command: [program, ...args] }) => {
  const startedAt = performance.now();
  const result = spawnSync(program, args, {
    cwd: rootDir,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  say(`${result.status === 0 ? "ok" : "FAILED"}: ${name} (${elapsed(startedAt)})`);
  return result.status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
