/** The engine's command line. Reads arguments, environment and terminal, and hands the rest to one file per command. */
import { enableCompileCache } from "node:module";
import type { Command, CommandContext, OptionInfo } from "./commands/command.ts";

enableCompileCache();

/** Loaded when asked for: a command pays for itself only. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  build: () => import("./commands/build.ts"),
  plan: () => import("./commands/plan.ts"),
  discover: () => import("./commands/discover.ts"),
  lock: () => import("./commands/lock.ts"),
  template: () => import("./commands/template.ts"),
  images: () => import("./commands/images.ts"),
  inspect: () => import("./commands/inspect.ts"),
  history: () => import("./commands/history.ts"),
  save: () => import("./commands/save.ts"),
  load: () => import("./commands/load.ts"),
  inventory: () => import("./commands/inventory.ts"),
  sbom: () => import("./commands/sbom.ts"),
  tag: () => import("./commands/tag.ts"),
  rmi: () => import("./commands/rmi.ts"),
  check: () => import("./commands/check.ts"),
  format: () => import("./commands/format.ts"),
  builds: () => import("./commands/builds.ts"),
  du: () => import("./commands/du.ts"),
  prune: () => import("./commands/prune.ts"),
  verify: () => import("./commands/verify.ts"),
  pull: () => import("./commands/pull.ts"),
  push: () => import("./commands/push.ts"),
  copy: () => import("./commands/copy.ts"),
  search: () => import("./commands/search.ts"),
  login: () => import("./commands/login.ts"),
  logout: () => import("./commands/logout.ts"),
  manifest: () => import("./commands/manifest.ts"),
  diff: () => import("./commands/diff.ts"),
  merge: () => import("./commands/merge.ts"),
  sign: () => import("./commands/sign.ts"),
  "verify-signature": () => import("./commands/verifySignature.ts"),
  mount: () => import("./commands/mount.ts"),
  registry: () => import("./commands/registry.ts"),
  mirror: () => import("./commands/mirror.ts"),
};

/** Exit codes, as docs/cli.md lists them. */
const exitCodes = { done: 0, failed: 1, usage: 2, defect: 70, interrupted: 130 } as const;

const commonOptions: Readonly<Record<string, OptionInfo>> = {
  store: { type: "string", value: "DIR", help: "folder of the store (default: KUBEFILE_STORE, else below your home)" },
  json: { type: "boolean", help: "answer as JSON, errors too" },
  help: { type: "boolean", short: "h", help: "show this help" },
};

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());
// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? 0 : exitCodes.failed),
);

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "" || name === "--help" || name === "-h" || name === "help") return help(rest[0]);
  if (name === "--version" || name === "version") return printVersion();
  const load = commands[name];
  if (load === undefined) return await reportUsage(`there is no command "${name}"`, "", rest.includes("--json"));
  const { command } = await load();
  if (rest.includes("--help") || rest.includes("-h")) return help(name);
  return runCommand(name, command, rest);
}

async function runCommand(name: string, command: Command, args: readonly string[]): Promise<number> {
  const { parseArgs } = await import("node:util");
  let parsed: Pick<CommandContext, "values" | "positionals">;
  try {
    const options = { ...commonOptions, ...command.options };
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split(". ");
    return reportUsage(reason, name, args.includes("--json"));
  }
  const [least, most] = command.positionals;
  const count = parsed.positionals.length;
  const json = parsed.values["json"] === true;
  if (count < least || count > most) return reportUsage(`${name} takes ${command.usage || "no arguments"}`, name, json);
  try {
    return await command.run(contextOf(parsed, json));
  } catch (error) {
    return report(error, json);
  }
}

function contextOf(parsed: Pick<CommandContext, "values" | "positionals">, json: boolean): CommandContext {
  const { env } = process;
  return {
    ...parsed,
    async openEngine() {
      const { openEngine } = await import("./engine.ts");
      const written = parsed.values["store"] ?? env["KUBEFILE_STORE"];
      const storeDir = typeof written === "string" && written !== "" ? written : await defaultStore(env);
      return openEngine({
        storeDir,
        fetch,
        now: Date.now,
        log: (level, text) => process.stderr.write(`${level}: ${text}\n`),
        world: { environment: env, homeDir: (await import("node:os")).homedir() },
      });
    },
    print: (text) => process.stdout.write(`${text}\n`),
    say: (text) => process.stderr.write(`${text}\n`),
    json,
    cwd: process.cwd(),
    env,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    signal: interrupted.signal,
  };
}

async function defaultStore(env: NodeJS.ProcessEnv): Promise<string> {
  const [{ homedir }, path] = await Promise.all([import("node:os"), import("node:path")]);
  const data = env["XDG_DATA_HOME"];
  return path.join(
    data !== undefined && path.isAbsolute(data) ? data : path.join(homedir(), ".local", "share"),
    "kubefile",
  );
}

async function report(error: unknown, json: boolean): Promise<number> {
  const { protocolError } = await import("./operations/errorPlace.ts");
  const told = protocolError(error);
  if (json) process.stderr.write(`${JSON.stringify({ error: told })}\n`);
  else {
    const place = told.at === undefined ? "" : `${told.at.kubefile}:${told.at.line}: `;
    process.stderr.write(`kubefile: ${place}${told.message} [${told.code}]\n`);
  }
  if (told.code === "INTERNAL") {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return exitCodes.defect;
  }
  if (told.code === "CANCELLED") return exitCodes.interrupted;
  return told.code === "USAGE" ? exitCodes.usage : exitCodes.failed;
}

async function reportUsage(reason: string, command: string, json: boolean): Promise<number> {
  const { EngineError } = await import("./errors.ts");
  return report(new EngineError("USAGE", { reason, command }), json);
}

async function printVersion(): Promise<number> {
  const { version } = await import("./version.ts");
  process.stdout.write(`kubefile ${version}\n`);
  return exitCodes.done;
}

async function help(name: string | undefined): Promise<number> {
  const load = name === undefined ? undefined : commands[name];
  if (name !== undefined && load !== undefined) {
    const { command } = await load();
    const options = { ...command.options, ...commonOptions };
    process.stdout.write(
      `${command.summary}.\n\nUsage: kubefile ${name} ${command.usage}\n\nOptions:\n${optionLines(options)}\n`,
    );
    return exitCodes.done;
  }
  const loaded = await Promise.all(
    Object.entries(commands).map(async ([key, get]) => [key, (await get()).command.summary]),
  );
  const width = Math.max(...loaded.map(([key = ""]) => key.length));
  const lines = loaded.map(([key = "", summary = ""]) => `  ${key.padEnd(width)}  ${summary}`);
  process.stdout.write(
    `Cluster images: one file that brings a whole cluster up where there is no internet.\n\nUsage: kubefile COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n${lines.join("\n")}\n\nkubefile COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.\n`,
  );
  return exitCodes.done;
}

function optionLines(options: Readonly<Record<string, OptionInfo>>): string {
  const rows = Object.entries(options).map(([key, option]) => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    return [`  ${short}--${key}${option.value === undefined ? "" : ` ${option.value}`}`, option.help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join("\n");
}
