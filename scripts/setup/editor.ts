/** Brings VS Code's server and workbench from npm, for the editor tests and for `npm start` without a desktop VS Code. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { rootDir } from "../say.ts";
import { ensureDependencies } from "./dependencies.mjs";

const editorDir = path.join(rootDir, "tools", "vscode");

/** The folder of VS Code inside the npm package that carries it; absent until `ensureEditor`. */
export const vscodeDir: string = path.join(editorDir, "node_modules", "code-server", "lib", "vscode");

/** Installs the editor where it is missing or old, and answers its folder. Throws when npm cannot bring it. */
export async function ensureEditor(): Promise<string> {
  await ensureDependencies(editorDir, "VS Code (server and workbench, about 350 MB)");
  if (!existsSync(path.join(vscodeDir, ".set-up"))) {
    const result = spawnSync(process.execPath, [path.join(editorDir, "setup.mjs")], { stdio: "inherit" });
    if (result.status !== 0) throw new Error(`${path.join(editorDir, "setup.mjs")} ended with ${result.status}`);
  }
  return vscodeDir;
}
