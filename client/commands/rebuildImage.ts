import { l10n, Uri } from "vscode";
import { buildKubefile } from "./buildImage.ts";
import type { Command } from "./command.ts";
import { kubefileFor, lastNameKey } from "./kubefiles.ts";
import { subjectsOf } from "./subjects.ts";

/** Builds without taking anything from the cache; on a past build's row, builds that one again with it. */
export const rebuildImage: Command = {
  id: "kubefile.rebuildImage",
  needsTrust: true,
  async run(session, ...args) {
    const past = subjectsOf(args).find((subject) => subject.build)?.build;
    if (past) return buildKubefile(session, Uri.file(past.kubefile), { tags: past.references });
    const kubefile = await kubefileFor(args, l10n.t("Build Without Cache"));
    if (kubefile === undefined) return undefined;
    const last = session.context.workspaceState.get<string>(lastNameKey(kubefile));
    return buildKubefile(session, kubefile, { tags: last ? [last] : [], noCache: true });
  },
};
