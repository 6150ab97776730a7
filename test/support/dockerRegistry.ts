/** Debian's docker-registry (distribution 2.8) on loopback: the peer every push and pull is tried against. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

export interface DockerRegistryOptions {
  /** Path of an htpasswd file (bcrypt). */
  readonly htpasswd?: string;
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientCa?: string };
  /** Address of the one registry it fetches from; then nothing can be pushed. */
  readonly proxy?: string;
  /** Token authorization: where the token server is and the certificate its signatures are checked with. */
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly bundle: string;
  };
}

export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  /** Its storage. */
  readonly dir: string;
}

/** Starts a registry with an empty storage in a temporary folder; both go when it is disposed of. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const dir = await mkdtemp(path.join(tmpdir(), "kubefile-registry-"));
  const port = await freePort();
  const config = {
    version: 0.1,
    log: { accesslog: { disabled: true }, level: "error" },
    storage: { filesystem: { rootdirectory: path.join(dir, "data") }, delete: { enabled: true } },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: "test",
      ...(options.tls === undefined
        ? {}
        : {
            tls: {
              certificate: options.tls.certificate,
              key: options.tls.key,
              ...(options.tls.clientCa === undefined ? {} : { clientcas: [options.tls.clientCa] }),
            },
          }),
    },
    ...(options.proxy === undefined ? {} : { proxy: { remoteurl: options.proxy } }),
    ...(options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: "test", path: options.htpasswd } } }),
    ...(options.token === undefined
      ? {}
      : {
          auth: {
            token: {
              realm: options.token.realm,
              service: options.token.service,
              issuer: options.token.issuer,
              rootcertbundle: options.token.bundle,
            },
          },
        }),
  };
  const file = path.join(dir, "config.yml");
  await writeFile(file, JSON.stringify(config)); // JSON is YAML.
  const child = spawn("docker-registry", ["serve", file], { stdio: ["ignore", "ignore", "pipe"] });
  const output: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  await listening(port, child, output);
  return {
    host: `127.0.0.1:${port}`,
    port,
    dir: path.join(dir, "data"),
    async [Symbol.asyncDispose]() {
      await ended(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A port nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function listening(port: number, child: ChildProcess, output: readonly Buffer[]): Promise<void> {
  const { connect } = await import("node:net");
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended: ${Buffer.concat(output).toString("utf8")}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("docker-registry does not listen after 10 s");
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
