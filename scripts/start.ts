/**
 * The product in one command: `npm start [-- --no-open] [-- --web] [-- --port N]`.
 * Builds `examples/hello-cluster` twice with the embedded engine, then opens VS Code on it with the extension loaded.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { rootDir, say } from "./say.ts";
import { ensureEditor } from "./setup/editor.ts";

const { values: flags } = parseArgs({
  options: {
    "no-open": { type: "boolean", default: false },
    /** VS Code in the browser, even where a desktop one is installed. */
    web: { type: "boolean", default: false },
    port: { type: "string" },
  },
});

const example = path.join(rootDir, "examples", "hello-cluster");
const reference = "hello-cluster:latest";

run("build.ts", [path.join(import.meta.dirname, "build.ts")]);
// What bin/kubefile runs, under the Node this runs on.
const kubefile = path.join(rootDir, "dist", "engine", "cli.js");
// The example builds without a network; its container images would have to be pulled.
const build = ["build", "--build-mode", "lite", "--tag", reference];
say(`kubefile ${build.join(" ")} examples/hello-cluster`);
run("the first build", [kubefile, ...build, example]);
say("the same again: nothing changed, so everything comes from the cache");
run("the second build", [kubefile, ...build, example]);
run("the list of images", [kubefile, "images"]);

if (!flags["no-open"]) {
  const desktop = flags.web ? undefined : desktopCode();
  if (desktop) openDesktop(desktop);
  else await openInBrowser();
}

/** Runs a script under this Node and ends with its exit code when it fails. */
function run(what: string, args: readonly string[]): void {
  const result = spawnSync(process.execPath, args, { cwd: rootDir, stdio: "inherit" });
  if (result.status === 0) return;
  say(`${what} ended with ${result.status ?? result.signal}`);
  process.exit(result.status ?? 1);
}

/** The first desktop VS Code, or kin, that answers. */
function desktopCode(): string | undefined {
  const candidates = [process.env["VSCODE_CLI"], "code", "code-insiders", "codium"];
  return candidates.find(
    (command) =>
      command !== undefined &&
      spawnSync(command, ["--version"], { stdio: "ignore", shell: process.platform === "win32", timeout: 20_000 })
        .status === 0,
  );
}

function openDesktop(code: string): void {
  say(`opening ${example} with ${code}`);
  const args = [`--extensionDevelopmentPath=${rootDir}`, "--new-window", example, path.join(example, "Kubefile")];
  const result = spawnSync(code, args, { stdio: "inherit", shell: process.platform === "win32" });
  process.exitCode = result.status ?? 1;
}

/** VS Code's server on loopback; its address holds a token, so that other users and pages of this machine stay out. */
async function openInBrowser(): Promise<void> {
  await ensureEditor();
  const { startVscodeServer } = await import("./editor/vscodeServer.ts");
  const { workbenchUrl } = await import("./editor/workbenchUrl.ts");
  const token = randomBytes(16).toString("hex");
  await using server = await startVscodeServer({
    token,
    linkedExtension: rootDir,
    ...(flags.port ? { port: Number(flags.port) } : {}),
  });
  const url = workbenchUrl(server.port, { folder: example, file: path.join(example, "Kubefile"), token });
  say("no desktop VS Code here; open this address in a browser on this machine. Ctrl-C ends it.");
  console.log(`\n  ${url}\n`);
  openBrowser(url);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

/** Shows the page where the machine has a way to; the printed address is there either way. */
function openBrowser(url: string): ChildProcess | undefined {
  const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
    darwin: ["open", url],
    win32: ["rundll32", "url.dll,FileProtocolHandler", url],
    linux: ["xdg-open", url],
  };
  const opener = openers[process.platform];
  if (
    opener === undefined ||
    (process.platform === "linux" && !process.env["DISPLAY"] && !process.env["WAYLAND_DISPLAY"])
  ) {
    return undefined;
  }
  const [program, ...args] = opener;
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
  return child;
}
