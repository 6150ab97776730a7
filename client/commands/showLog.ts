import type { Command } from "./command.ts";

/** Shows the log of client and engine. */
export const showLog: Command = {
  id: "kubefile.showLog",
  needsTrust: false,
  run(session) {
    session.log.show();
  },
};
