/** VS Code's own server on loopback, out of `tools/vscode`, with an extension and settings of one's choice. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { vscodeDir } from "../setup/editor.ts";

/** How to start the server; every field but the first has a sensible absence. */
export interface VscodeServerOptions {
  /** User settings on top of the quiet ones below. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Environment of the server, and so of the extension host. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Fixed port; absent takes a free one. */
  readonly port?: number;
  /** What a page has to present; absent lets every page of this machine in. */
  readonly token?: string;
  /** A folder to run as if it were an installed extension. */
  readonly linkedExtension?: string;
  /** A packed extension to install before the start. */
  readonly vsix?: string;
  /** Ask whether to trust a folder, as VS Code does for people; absent trusts all. */
  readonly workspaceTrust?: boolean;
}

/** A running server; leaving its scope ends its processes and removes its data. */
export interface VscodeServer extends AsyncDisposable {
  readonly port: number;
  /** Settings, logs and extensions. */
  readonly dataDir: string;
  readonly logFile: string;
}

const quietSettings = {
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "git.enabled": false,
  "telemetry.telemetryLevel": "off",
  "typescript.disableAutomaticTypeAcquisition": true,
  "update.mode": "none",
  "workbench.enableExperiments": false,
  "workbench.reduceMotion": "on",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
};

/** Starts the server and waits until it answers; throws with the path of its log when it does not within a minute. */
export async function startVscodeServer(options: VscodeServerOptions): Promise<VscodeServer> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "kubefile-vscode-"));
  const logFile = path.join(dataDir, "server.log");
  writeSettings(dataDir, options.settings ?? {});
  if (options.vsix !== undefined) installVsix(dataDir, options.vsix);
  if (options.linkedExtension !== undefined) linkExtension(dataDir, options.linkedExtension);
  const port = options.port ?? (await freePort());
  const child = spawnServer(dataDir, logFile, port, options);
  const close = async (): Promise<void> => {
    await endGroup(child);
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    await answers(port, child, logFile);
  } catch (error) {
    await endGroup(child);
    throw error;
  }
  return { port, dataDir, logFile, [Symbol.asyncDispose]: close };
}

function writeSettings(dataDir: string, settings: Readonly<Record<string, unknown>>): void {
  const userDir = path.join(dataDir, "data", "User");
  mkdirSync(userDir, { recursive: true });
  writeFileSync(path.join(userDir, "settings.json"), JSON.stringify({ ...quietSettings, ...settings }, null, 2));
}

const serverMain = path.join(vscodeDir, "out", "server-main.js");

function installVsix(dataDir: string, vsix: string): void {
  const args = [serverMain, "--server-data-dir", dataDir, "--install-extension", vsix];
  const result = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 120_000 });
  if (result.status !== 0) throw new Error(`VS Code did not install ${vsix}:\n${result.stdout}${result.stderr}`);
}

/** A folder linked where installed extensions lie is found at the start like one of them. */
function linkExtension(dataDir: string, extensionDir: string): void {
  const manifest: { publisher: string; name: string; version: string } = JSON.parse(
    readFileSync(path.join(extensionDir, "package.json"), "utf8"),
  );
  const extensionsDir = path.join(dataDir, "extensions");
  mkdirSync(extensionsDir, { recursive: true });
  const link = path.join(extensionsDir, `${manifest.publisher}.${manifest.name}-${manifest.version}`);
  symlinkSync(path.resolve(extensionDir), link, process.platform === "win32" ? "junction" : "dir");
}

function spawnServer(dataDir: string, logFile: string, port: number, options: VscodeServerOptions): ChildProcess {
  const log = openSync(logFile, "a");
  const tokenArgs = options.token ? ["--connection-token", options.token] : ["--without-connection-token"];
  const child = spawn(
    process.execPath,
    [
      serverMain,
      ...["--host", "127.0.0.1", "--port", String(port), "--server-data-dir", dataDir],
      ...["--accept-server-license-terms", "--telemetry-level", "off"],
      ...(options.workspaceTrust ? [] : ["--disable-workspace-trust"]),
      ...tokenArgs,
      ...(options.args ?? []),
    ],
    {
      stdio: ["ignore", log, log],
      // The empty gallery keeps it from asking a marketplace.
      env: { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...options.env },
      // A group of its own, so that extension host, language server and engine end with it.
      detached: process.platform !== "win32",
    },
  );
  process.once("exit", () => signalGroup(child, "SIGKILL"));
  return child;
}

async function answers(port: number, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`VS Code's server ended with ${child.exitCode}; see ${logFile}`);
    const response = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
    if (response?.ok) return;
    await delay(50);
  }
  throw new Error(`VS Code's server did not answer within a minute; see ${logFile}`);
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  signalGroup(child, "SIGTERM");
  await Promise.race([ended, delay(5000)]);
  signalGroup(child, "SIGKILL");
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // Already gone.
  }
}

/** A port of loopback that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new Error("loopback gave no port"));
      });
    });
  });
}
