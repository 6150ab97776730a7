import type { Command } from "./command.ts";
import { registryOptions, sharingChoices } from "./sharingOptions.ts";

export const command: Command = {
  summary: "Forget the login of a registry",
  usage: "[OPTIONS] REGISTRY",
  positionals: [1, 1],
  options: { authfile: registryOptions.authfile },
  async run(context) {
    const [registry = ""] = context.positionals;
    await using engine = await context.openEngine();
    await using sharing = await engine.sharing(sharingChoices(context, []));
    const known = await sharing.logout(registry, context.signal);
    if (context.json) context.print(JSON.stringify({ registry, known }));
    else context.print(known ? `${registry}: logged out` : `${registry}: there was no login`);
    return 0;
  },
};
