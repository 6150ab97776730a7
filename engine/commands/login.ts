import { EngineError } from "../errors.ts";
import { type Command, type CommandContext, flagOption, textOption } from "./command.ts";
import { readSecret } from "./readSecret.ts";
import { registryOptions, sharingChoices } from "./sharingOptions.ts";

export const command: Command = {
  summary: "Log in to a registry; the password is tried there before it is kept",
  usage: "[OPTIONS] REGISTRY",
  positionals: [1, 1],
  options: {
    username: { type: "string", short: "u", value: "NAME", help: "user name" },
    "password-stdin": { type: "boolean", help: "read the password from standard input" },
    passwd: { type: "string", short: "p", value: "PASSWORD", help: "sealer's way; others on this machine can see it" },
    ...registryOptions,
  },
  async run(context) {
    const [registry = ""] = context.positionals;
    const username = textOption(context, "username");
    if (username === undefined)
      throw new EngineError("USAGE", { reason: "name the user with --username", command: "login" });
    const password = await passwordOf(context, registry);
    await using engine = await context.openEngine();
    await using sharing = await engine.sharing(sharingChoices(context, [registry]));
    const { keptIn, verified } = await sharing.login(
      registry,
      { kind: "password", username, password },
      context.signal,
    );
    if (!verified) context.say(`warning: ${registry} asks nobody for a login, so this one could not be tried.`);
    context.print(
      context.json ? JSON.stringify({ registry, keptIn, verified }) : `${registry}: logged in, kept in ${keptIn}`,
    );
    return 0;
  },
};

async function passwordOf(context: CommandContext, registry: string): Promise<string> {
  const written = textOption(context, "passwd");
  if (written !== undefined) {
    context.say("warning: a password in an argument is seen by everybody on this machine; use --password-stdin.");
    return written;
  }
  const fromInput = flagOption(context, "password-stdin");
  const password = await readSecret(fromInput ? undefined : `Password for ${registry}: `, context.signal);
  if (password === undefined || password === "") {
    throw new EngineError("USAGE", {
      reason: "give the password on standard input with --password-stdin",
      command: "login",
    });
  }
  return password;
}
