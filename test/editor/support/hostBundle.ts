import { rmSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

const rootDir = path.resolve(import.meta.dirname, "../../..");

/** The file both VS Code's server and a desktop VS Code run as the suite. */
export const hostSuiteFile: string = path.join(rootDir, "out", "editor-host", "index.cjs");

/** Bundles `test/editor/host` for the extension host: CommonJS, each suite a file, `vscode` and mocha from outside. */
export async function bundleHostSuite(): Promise<void> {
  const outdir = path.dirname(hostSuiteFile);
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: rootDir,
    entryPoints: ["test/editor/host/index.ts", "test/editor/host/*.suite.ts"],
    outdir,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node22.15",
    format: "cjs",
    external: ["vscode", "mocha"],
    sourcemap: "inline",
    logLevel: "warning",
  });
}
