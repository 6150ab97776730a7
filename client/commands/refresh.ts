import type { Command } from "./command.ts";

/** Asks the engine again for everything that is shown. */
export const refresh: Command = {
  id: "kubefile.refresh",
  needsTrust: false,
  run(session) {
    session.refresh();
  },
};
