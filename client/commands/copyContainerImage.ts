import { env } from "vscode";
import type { Command } from "./command.ts";
import { subjectsOf } from "./subjects.ts";

/** Puts the names of container images on the clipboard, one a line. */
export const copyContainerImage: Command = {
  id: "kubefile.copyContainerImage",
  needsTrust: true,
  async run(_session, ...args) {
    const names = subjectsOf(args).flatMap(({ containerImage }) => containerImage ?? []);
    if (names.length > 0) await env.clipboard.writeText(names.join("\n"));
  },
};
