/**
 * Bundles the three processes of the extension into `dist/`: `npm run build [-- --production] [-- --watch]`.
 *
 * | bundle | for | form |
 * |---|---|---|
 * | client.cjs, client.browser.js | the extension host, in Node and in a web worker | one CommonJS file each, `vscode` stays outside |
 * | languageClient.cjs | the LSP client, loaded after activation | CommonJS |
 * | server.cjs, server.browser.js | the language server as a process, and as a web worker | one file each |
 * | clusterfile.cjs | what the server checks Clusterfiles with, loaded with the first of them | CommonJS |
 * | engine/*.js | the engine's host, command line and workers | ES modules that share chunks |
 */
import { existsSync, globSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type BuildOptions, type BuildResult, context, type Plugin } from "esbuild";
import { elapsed, rootDir, say } from "./say.ts";

const { values: flags } = parseArgs({
  options: { production: { type: "boolean", default: false }, watch: { type: "boolean", default: false } },
});

const distDir = path.join(rootDir, "dist");
if (flags.production) rmSync(distDir, { recursive: true, force: true });

const startedAt = performance.now();
const contexts = await Promise.all(bundles().map((options) => context(options)));
// esbuild has printed what is wrong and where; its exception adds nothing.
const built = await Promise.allSettled(contexts.map((bundle) => bundle.rebuild()));
const failures = built.filter(({ status }) => status === "rejected").length;
dropStaleChunks(built.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
if (failures === 0) say(`built ${sizes()} in ${elapsed(startedAt)}`);
else say(`${failures} of ${built.length} bundles could not be built`);

if (flags.watch) {
  await Promise.all(contexts.map((bundle) => bundle.watch()));
  say("watching; Ctrl-C ends it");
} else {
  await Promise.all(contexts.map((bundle) => bundle.dispose()));
  process.exitCode = failures === 0 ? 0 : 1;
}

/** Chunks carry a hash in their name; those of earlier builds are of no use to anybody. */
function dropStaleChunks(results: readonly BuildResult[]): void {
  const written = new Set(results.flatMap(({ metafile }) => Object.keys(metafile?.outputs ?? {})));
  if (![...written].some((name) => name.startsWith("dist/engine/"))) return;
  for (const name of globSync("dist/engine/chunks/*", { cwd: rootDir })) {
    if (!written.has(name.split(path.sep).join("/"))) rmSync(path.join(rootDir, name));
  }
}

function bundles(): BuildOptions[] {
  const common: BuildOptions = {
    absWorkingDir: rootDir,
    bundle: true,
    charset: "utf8",
    logLevel: "warning",
    metafile: true,
    minify: flags.production,
    sourcemap: flags.production ? false : "linked",
    sourcesContent: false,
    legalComments: "none",
  };
  const forNode: BuildOptions = { ...common, platform: "node", target: "node22.15" };
  const forBrowser: BuildOptions = { ...common, platform: "browser", target: "es2023" };
  return [
    {
      ...forNode,
      ...single("client/extension.ts", "client.cjs"),
      format: "cjs",
      external: ["vscode"],
      // `import()` becomes `require`, which the extension host watches to hand out `vscode`.
      supported: { "dynamic-import": false },
      plugins: [besideBundle("client/languageClient.ts", "./languageClient.cjs")],
    },
    { ...forNode, ...single("client/languageClient.ts", "languageClient.cjs"), format: "cjs", external: ["vscode"] },
    { ...forBrowser, ...single("client/browser.ts", "client.browser.js"), format: "cjs", external: ["vscode"] },
    {
      ...forNode,
      ...single("server/main.ts", "server.cjs"),
      format: "cjs",
      // Only Clusterfiles need a YAML parser, and many sessions never open one.
      plugins: [besideBundle("server/clusterfile/check.ts", "./clusterfile.cjs")],
    },
    { ...forNode, ...single("server/clusterfile/check.ts", "clusterfile.cjs"), format: "cjs" },
    { ...forBrowser, ...single("server/browser.ts", "server.browser.js"), format: "iife" },
    {
      ...forNode,
      entryPoints: engineEntries(),
      outdir: "dist/engine",
      format: "esm",
      splitting: true,
      chunkNames: "chunks/[name]-[hash]",
      // Bundled CommonJS packages ask for Node's modules through `require`, which an ES module does not have.
      banner: {
        js: 'import { createRequire as createRequireForBundle } from "node:module"; const require = createRequireForBundle(import.meta.url);',
      },
    },
  ];
}

function single(entry: string, output: string): BuildOptions {
  return { entryPoints: [entry], outfile: path.join("dist", output) };
}

/** Leaves a file out of a bundle and asks for its own bundle at run time: CommonJS bundles cannot share chunks. */
function besideBundle(file: string, bundle: string): Plugin {
  return {
    name: "beside-bundle",
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ path: specifier, resolveDir }) =>
        path.resolve(resolveDir, specifier) === path.join(rootDir, file) ? { path: bundle, external: true } : undefined,
      );
    },
  };
}

/** The engine's two faces and each of its worker threads, every one a file of its own name in `dist/engine/`. */
function engineEntries(): Record<string, string> {
  const files = ["engine/cli.ts", "engine/host.ts", ...globSync("engine/**/*Worker.ts", { cwd: rootDir }).sort()];
  return Object.fromEntries(files.map((file) => [path.basename(file, ".ts"), file]));
}

function sizes(): string {
  const files = ["client.cjs", "languageClient.cjs", "server.cjs"].map((name): [string, number] => [
    name,
    size(path.join(distDir, name)),
  ]);
  const engineDir = path.join(distDir, "engine");
  const engineFiles = existsSync(engineDir) ? readdirSync(engineDir, { recursive: true, encoding: "utf8" }) : [];
  const engineBytes = engineFiles
    .filter((name) => name.endsWith(".js"))
    .reduce((sum, name) => sum + size(path.join(engineDir, name)), 0);
  return [...files, ["engine/", engineBytes] as const]
    .map(([name, bytes]) => `${name} ${Math.round(bytes / 1000)} kB`)
    .join(", ");
}

function size(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
