import { showPlace } from "../failures.ts";
import type { Command } from "./command.ts";
import { subjectsOf } from "./subjects.ts";

/** Shows the instruction that made a layer or a step. */
export const goToInstruction: Command = {
  id: "kubefile.goToInstruction",
  needsTrust: false,
  async run(_session, ...args) {
    const place = subjectsOf(args).find((subject) => subject.place)?.place;
    if (place) await showPlace(place);
  },
};
