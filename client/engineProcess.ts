import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import {
  CancellationToken,
  createMessageConnection,
  type MessageConnection,
  type NotificationType,
  type RequestParam,
  type RequestType,
  type RequestType0,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import {
  type InitializeResult,
  initialize,
  log as logNotification,
  protocolVersion,
  shutdown,
} from "../engine/protocol.ts";

/** What the engine process is doing. */
export type EngineState =
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly engine: InitializeResult }
  /** It ended by itself and will be started again after the delay. */
  | { readonly kind: "waiting"; readonly reason: string; readonly delayMs: number }
  /** It cannot be started, or ended too often; only `restart` tries again. */
  | { readonly kind: "failed"; readonly reason: string };

export type LogLevel = "error" | "warn" | "info" | "debug";

/** How to run the engine. Nothing here says `vscode`: the process is the same under any client. */
export interface EngineProcessOptions {
  /** The program that runs JavaScript: the extension host's own. */
  readonly nodeFile: string;
  /** `dist/engine/host.js`. */
  readonly hostFile: string;
  /** Asked at each start, so that a changed setting holds after a restart. */
  readonly storeDir: () => string;
  /** Who asks, for the engine's log. */
  readonly client: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (level: LogLevel, text: string) => void;
  /** Waits before each new start after a crash; when they are used up within `calmMs`, the engine is left alone. */
  readonly restartDelaysMs: readonly number[];
  /** A process that lived this long has earned its restarts back. */
  readonly calmMs: number;
}

/** Waits and patience for a real editor. */
export const patience: Pick<EngineProcessOptions, "restartDelaysMs" | "calmMs"> = {
  restartDelaysMs: [100, 1000, 4000, 15000],
  calmMs: 180_000,
};

/** The engine cannot be reached; the message is for people. */
export class EngineUnavailable extends Error {
  override readonly name = "EngineUnavailable";
}

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly connection: MessageConnection;
  readonly startedAt: number;
}

type Handler = (params: unknown) => void;
type Answerer = (params: unknown) => Promise<unknown>;

/**
 * The engine in its own process: started when first asked, started again when it ends by itself, and never the cause of
 * an error in the editor but for the requests that were under way.
 */
export class EngineProcess implements Disposable {
  readonly #options: EngineProcessOptions;
  readonly #stateListeners = new Set<(state: EngineState) => void>();
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #answerers = new Map<string, Answerer>();
  #state: EngineState = { kind: "stopped" };
  #starting: Promise<Running> | undefined;
  #crashes = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Calls back at every change of state; the answer ends that. */
  onState(listener: (state: EngineState) => void): Disposable {
    this.#stateListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#stateListeners.delete(listener) };
  }

  /** Calls back for every notification of that type, whichever process sent it; the answer ends that. */
  onNotification<Params>(type: NotificationType<Params>, handler: (params: Params) => void): Disposable {
    const handlers = this.#handlers.get(type.method) ?? new Set<Handler>();
    this.#handlers.set(type.method, handlers);
    const untyped: Handler = (params) => handler(params as Params);
    handlers.add(untyped);
    return { [Symbol.dispose]: () => void handlers.delete(untyped) };
  }

  /** Answers what the engine asks, whichever process it is. */
  onRequest<Params, Result, Failure>(
    type: RequestType<Params, Result, Failure>,
    answer: (params: Params) => Promise<Result>,
  ): void {
    this.#answerers.set(type.method, (params) => answer(params as Params));
  }

  /**
   * Asks the engine, starting it first when it is not running.
   * Rejects with the engine's `ResponseError` (its `data` a `ProtocolError`), or with `EngineUnavailable`.
   */
  async request<Params, Result, Failure>(
    type: RequestType<Params, Result, Failure>,
    params: Params,
    token?: CancellationToken,
  ): Promise<Result> {
    const { connection } = await this.#running();
    // `RequestParam` only widens null, which no message of the protocol has.
    const sent = connection.sendRequest(type, params as RequestParam<Params>, token ?? CancellationToken.None);
    return this.#untilItEnds(connection, type.method, sent);
  }

  /** `request` for a question without parameters. */
  async ask<Result, Failure>(type: RequestType0<Result, Failure>, token?: CancellationToken): Promise<Result> {
    const { connection } = await this.#running();
    const sent = connection.sendRequest(type, token ?? CancellationToken.None);
    return this.#untilItEnds(connection, type.method, sent);
  }

  /** Ends the process when there is one and starts a new one, whatever happened before. */
  async restart(): Promise<void> {
    await this.#end();
    this.#crashes = 0;
    await this.#running();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    void this.#end();
  }

  /** Asks the engine to end, and makes it after two seconds. */
  async #end(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const starting = this.#starting;
    this.#starting = undefined;
    const running = await starting?.catch(() => undefined);
    this.#setState({ kind: "stopped" });
    if (running === undefined || running.child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => running.child.once("close", () => resolve()));
    const kill = setTimeout(() => running.child.kill("SIGKILL"), 2000);
    running.connection.sendRequest(shutdown).catch(() => {});
    running.child.stdin.end();
    await ended;
    clearTimeout(kill);
    running.connection.dispose();
  }

  #running(): Promise<Running> {
    if (this.#disposed) return Promise.reject(new EngineUnavailable("The engine was shut down with the extension."));
    if (this.#state.kind === "failed") return Promise.reject(new EngineUnavailable(this.#state.reason));
    if (this.#starting === undefined) {
      clearTimeout(this.#restartTimer);
      const starting = this.#start();
      this.#starting = starting;
      // A failed start is told to whoever asked; here it only must not count as unhandled.
      starting.catch(() => {});
    }
    return this.#starting;
  }

  async #start(): Promise<Running> {
    const { nodeFile, hostFile, env, log } = this.#options;
    this.#setState({ kind: "starting" });
    const startedAt = Date.now();
    const child = spawn(nodeFile, [hostFile], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...env, ELECTRON_RUN_AS_NODE: "1" },
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => log("warn", text.trimEnd()));
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const running: Running = { child, connection, startedAt };
    connection.onError(([error]) => log("error", `engine connection: ${error.message}`));
    connection.onNotification((method, params) => this.#dispatch(method, params));
    for (const [method, answer] of this.#answerers) {
      connection.onRequest(method, (params: unknown) => answer(Array.isArray(params) ? params[0] : params));
    }
    connection.onNotification(logNotification, ({ level, text }) => log(level, text));
    child.stdin.on("error", () => {});
    const ended = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(`The engine could not be started: ${error.message}.`));
      child.once("close", (code, signal) =>
        resolve(`The engine ended unexpectedly (${signal ?? `exit code ${code}`}).`),
      );
    });
    void ended.then((reason) => this.#ended(running, reason));
    connection.listen();
    const result = await this.#untilItEnds(
      connection,
      "initialize",
      connection.sendRequest(initialize, {
        protocolVersion,
        storeDir: this.#options.storeDir(),
        client: this.#options.client,
      }),
      ended,
    ).catch((error: unknown) => {
      child.kill();
      this.#giveUp(running, messageOf(error));
      throw error;
    });
    log("info", `engine ${result.engineVersion} runs as process ${result.processId}, store ${result.storeDir}`);
    this.#setState({ kind: "ready", engine: result });
    return running;
  }

  /** An answer, or the reason why there will be none once the process is gone. */
  async #untilItEnds<Result>(
    connection: MessageConnection,
    method: string,
    answer: Promise<Result>,
    ended?: Promise<string>,
  ): Promise<Result> {
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const close = connection.onClose(() => {
      reject(new EngineUnavailable(`The engine ended while it was asked to ${method}. It is started again by itself.`));
    });
    void ended?.then((reason) => reject(new EngineUnavailable(reason)));
    try {
      return await Promise.race([answer, gone]);
    } finally {
      close.dispose();
    }
  }

  #dispatch(method: string, params: unknown): void {
    // Positional parameters arrive as an array, named ones as the object itself.
    const value = Array.isArray(params) ? params[0] : params;
    for (const handler of this.#handlers.get(method) ?? []) handler(value);
  }

  /** A refused or broken start: asking again at once would only repeat it. */
  #giveUp(running: Running, reason: string): void {
    running.connection.dispose();
    if (this.#starting === undefined) return;
    this.#starting = undefined;
    this.#setState({ kind: "failed", reason });
    this.#options.log("error", reason);
  }

  #ended(running: Running, reason: string): void {
    // A start that broke is dealt with by `#giveUp`, an end that was asked for by `#end`.
    if (this.#starting === undefined || this.#state.kind !== "ready") return;
    running.connection.dispose();
    this.#starting = undefined;
    if (Date.now() - running.startedAt >= this.#options.calmMs) this.#crashes = 0;
    const delayMs = this.#options.restartDelaysMs[this.#crashes];
    this.#crashes += 1;
    this.#options.log("error", reason);
    if (delayMs === undefined) {
      this.#setState({ kind: "failed", reason: `${reason} It was started ${this.#crashes} times in a row.` });
      return;
    }
    this.#setState({ kind: "waiting", reason, delayMs });
    this.#restartTimer = setTimeout(() => void this.#running().catch(() => {}), delayMs);
  }

  #setState(state: EngineState): void {
    this.#state = state;
    if (this.#disposed) return;
    for (const listener of this.#stateListeners) listener(state);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
