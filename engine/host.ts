/**
 * The engine as a process of its own: JSON-RPC over standard input and output, in the words of `protocol.ts`.
 * Started by the client; ends when its input does.
 */
import { watch } from "node:fs";
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import path from "node:path";
import {
  type CancellationToken,
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  type NotificationType,
  type RequestParam,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { type Engine, openEngine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import { protocolError } from "./operations/errorPlace.ts";
import { progressFollower } from "./operations/follow.ts";
import type { OpenTrees } from "./operations/openTrees.ts";
import * as protocol from "./protocol.ts";
import { version } from "./version.ts";

enableCompileCache();
// Standard output belongs to the protocol.
console.log = console.error;

interface PasswordCredential {
  readonly kind: "password";
  readonly username: string;
  readonly password: string;
}

class Host {
  readonly #connection: MessageConnection;
  #engine: Engine | undefined;
  #trees: OpenTrees | undefined;
  #watch: Disposable | undefined;

  constructor(over: MessageConnection) {
    this.#connection = over;
  }

  listen(): void {
    const rpc = this.#connection;
    rpc.onRequest(protocol.initialize, (params) => answer(() => this.#initialize(params)));
    rpc.onRequest(protocol.build, (params, token) =>
      answer((signal) => {
        const follower = progressFollower(params.buildId, (progress) => this.#send(protocol.buildProgress, progress));
        const built = this.#open().build(params, follower, signal);
        return built.finally(() => this.#send(protocol.storeChanged, { what: "builds" }));
      }, token),
    );
    rpc.onRequest(protocol.plan, (params, token) => answer((signal) => this.#open().plan(params, signal), token));
    rpc.onRequest(protocol.discover, (params, token) =>
      answer((signal) => this.#open().discover(params, signal), token),
    );
    rpc.onRequest(protocol.lock, (params, token) => answer((signal) => this.#lock(params, signal), token));
    rpc.onRequest(protocol.images, (token) => answer(() => this.#open().images(), token));
    rpc.onRequest(protocol.inspectImage, ({ reference }) => answer(() => this.#open().inspect(reference)));
    rpc.onRequest(protocol.removeImage, ({ reference }) => answer(() => this.#open().removeImage(reference)));
    rpc.onRequest(protocol.tagImage, ({ reference, newReference }, token) =>
      answer((signal) => this.#open().tagImage(reference, newReference, signal), token),
    );
    rpc.onRequest(protocol.diskUsage, (token) => answer(() => this.#open().diskUsage(), token));
    rpc.onRequest(protocol.prune, (params, token) => answer((signal) => this.#open().prune(params, signal), token));
    rpc.onRequest(protocol.builds, ({ limit }) => answer(() => this.#open().builds(limit)));
    rpc.onRequest(protocol.saveImage, (params, token) => answer((signal) => this.#open().save(params, signal), token));
    rpc.onRequest(protocol.loadImage, (params, token) => answer((signal) => this.#open().load(params, signal), token));
    this.#listenForTransfers(rpc);
    this.#listenForFiles(rpc);
    rpc.onRequest(protocol.verify, (token) => answer((signal) => this.#open().verify(signal), token));
    rpc.onRequest(protocol.shutdown, () => answer(() => this.#shutdown()));
    rpc.onClose(() => void this.#shutdown().finally(() => process.exit(0)));
    rpc.listen();
  }

  /** Registries are rare beside builds: their code is loaded with the first transfer. */
  #listenForTransfers(rpc: MessageConnection): void {
    const tell = (progress: protocol.TransferProgress): void => this.#send(protocol.transferProgress, progress);
    rpc.onRequest(protocol.pull, (params, token) =>
      answer(async (signal) => (await transfers()).pullForClient(this.#open(), params, tell, signal), token),
    );
    rpc.onRequest(protocol.push, (params, token) =>
      answer(async (signal) => (await transfers()).pushForClient(this.#open(), params, tell, signal), token),
    );
    rpc.onRequest(protocol.load, (params, token) =>
      answer(async (signal) => (await transfers()).loadForClient(this.#open(), params, tell, signal), token),
    );
    rpc.onRequest(protocol.login, (params, token) =>
      answer(async (signal) => (await transfers()).tryLogin(this.#open(), params, signal), token),
    );
    rpc.onRequest(protocol.logout, ({ registry }, token) =>
      answer(async (signal) => {
        return { knownElsewhere: await (await transfers()).loginElsewhere(this.#open(), registry, signal) };
      }, token),
    );
  }

  /** The files of images, whose reading is loaded with the first question. */
  #listenForFiles(rpc: MessageConnection): void {
    rpc.onRequest(protocol.imageFolder, (params, token) =>
      answer(async (signal) => (await imageFiles()).listFolder(await this.#openTrees(), params, signal), token),
    );
    rpc.onRequest(protocol.imageEntry, (params, token) =>
      answer(async (signal) => (await imageFiles()).entryOf(await this.#openTrees(), params, signal), token),
    );
    rpc.onRequest(protocol.imageFile, (params, token) =>
      answer(async (signal) => {
        const trees = await this.#openTrees();
        return (await imageFiles()).readImageFile(this.#open().store, trees, params, signal);
      }, token),
    );
    rpc.onRequest(protocol.diffImageFiles, ({ before, after }, token) =>
      answer(async (signal) => (await imageFiles()).diffImageFiles(this.#open().store, before, after, signal), token),
    );
  }

  async #openTrees(): Promise<OpenTrees> {
    const { OpenTrees: Trees } = await import("./operations/openTrees.ts");
    this.#trees ??= new Trees(this.#open().store);
    return this.#trees;
  }

  /** The client's login for a registry. A client that cannot say is one that has none: files are asked next. */
  async #credentialOf(registry: string): Promise<PasswordCredential | undefined> {
    const found = await this.#connection.sendRequest(protocol.credentials, { registry }).catch(() => {
      this.#send(protocol.log, {
        level: "warn",
        text: `the editor could not say whether it has a login for ${registry}`,
      });
      return null;
    });
    return found === null ? undefined : { kind: "password", ...found };
  }

  #initialize(params: protocol.InitializeParams): protocol.InitializeResult {
    if (params.protocolVersion !== protocol.protocolVersion) {
      throw new EngineError("PROTOCOL_MISMATCH", { client: params.protocolVersion, engine: protocol.protocolVersion });
    }
    this.#engine ??= openEngine({
      storeDir: params.storeDir,
      fetch,
      now: Date.now,
      log: (level, text) => this.#send(protocol.log, { level, text }),
      world: {
        environment: process.env,
        homeDir: homedir(),
        credentials: { find: (registry) => this.#credentialOf(registry) },
      },
    });
    this.#watch ??= watchNames(this.#engine.store.dir, (what) => this.#send(protocol.storeChanged, { what }));
    return {
      protocolVersion: protocol.protocolVersion,
      engineVersion: version,
      storeDir: this.#engine.store.dir,
      nodeVersion: process.versions.node,
      processId: process.pid,
    };
  }

  #lock(params: protocol.LockParams, signal: AbortSignal): Promise<protocol.LockResult> {
    const { update, check, ...inputs } = params;
    const follower = progressFollower(params.buildId, (progress) => this.#send(protocol.buildProgress, progress));
    return this.#open().lock({ ...inputs, tags: [] }, { update, check }, follower, signal);
  }

  #open(): Engine {
    if (this.#engine === undefined) throw new EngineError("NOT_INITIALIZED", {});
    return this.#engine;
  }

  async #shutdown(): Promise<null> {
    const engine = this.#engine;
    this.#engine = undefined;
    this.#watch?.[Symbol.dispose]();
    await this.#trees?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
    return null;
  }

  #send<Params>(type: NotificationType<Params>, params: Params): void {
    // `RequestParam` only widens null, which no message of the protocol has. Nobody is left to hear it when the connection is gone.
    this.#connection.sendNotification(type, params as RequestParam<Params>).catch(() => undefined);
  }
}

function imageFiles(): Promise<typeof import("./operations/imageFiles.ts")> {
  return import("./operations/imageFiles.ts");
}

function transfers(): Promise<typeof import("./operations/transfers.ts")> {
  return import("./operations/transfers.ts");
}

/** Runs a request with a signal that fires when the client cancels; errors become the protocol's. */
async function answer<Result>(
  run: (signal: AbortSignal) => Result | Promise<Result>,
  token?: CancellationToken,
): Promise<Result | ResponseError<protocol.ProtocolError>> {
  const controller = new AbortController();
  if (token?.isCancellationRequested === true) controller.abort();
  const registration = token?.onCancellationRequested(() => controller.abort());
  try {
    return await run(controller.signal);
  } catch (error) {
    const data = protocolError(error);
    if (data.code === "INTERNAL") console.error(error);
    const code = data.code === "CANCELLED" ? -32800 : ErrorCodes.InternalError;
    return new ResponseError(code, data.message, data);
  } finally {
    registration?.dispose();
  }
}

/** Tells when names or builds change, whichever process changed them; several changes at once are told once. */
function watchNames(storeDir: string, changed: (what: "images" | "builds") => void): Disposable {
  const root = path.join(storeDir, "store-v1");
  const disposers: (() => void)[] = [];
  const follow = (folder: string, what: "images" | "builds"): void => {
    let timer: NodeJS.Timeout | undefined;
    try {
      const watcher = watch(path.join(root, folder), { persistent: false }, () => {
        timer ??= setTimeout(() => {
          timer = undefined;
          changed(what);
        }, 100);
      });
      watcher.on("error", () => watcher.close());
      disposers.push(() => {
        watcher.close();
        clearTimeout(timer);
      });
    } catch {
      // Where nothing can be watched, views are refreshed by hand.
    }
  };
  follow("names", "images");
  follow(path.join("records", "build"), "builds");
  return {
    [Symbol.dispose]: () => {
      for (const dispose of disposers) dispose();
    },
  };
}

new Host(
  createMessageConnection(new StreamMessageReader(process.stdin), new StreamMessageWriter(process.stdout)),
).listen();
