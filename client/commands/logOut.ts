import { l10n, window } from "vscode";
import { logout } from "../../engine/protocol.ts";
import { registryOf } from "../registries.ts";
import type { Session } from "../session.ts";
import type { Command } from "./command.ts";

/** Forgets the editor's login for a registry, and says when another tool's still counts. */
export const logOut: Command = {
  id: "kubefile.logOut",
  needsTrust: true,
  async run(session, ...args) {
    const registry = typeof args[0] === "string" ? registryOf(args[0]) : await pickRegistry(session);
    if (registry === undefined) return;
    await session.credentials.forget(registry);
    const { knownElsewhere } = await session.engine.request(logout, { registry });
    void window.showInformationMessage(
      knownElsewhere
        ? l10n.t(
            "Logged out of {0} here. Docker's configuration has a login too, which still counts until kubefile logout removes it.",
            registry,
          )
        : l10n.t("Logged out of {0}.", registry),
    );
  },
};

async function pickRegistry(session: Session): Promise<string | undefined> {
  const known = await session.credentials.registries();
  if (known.length === 0) {
    void window.showInformationMessage(l10n.t("The editor keeps no login for a registry."));
    return undefined;
  }
  return await window.showQuickPick([...known], { title: l10n.t("Log Out of a Registry") });
}
