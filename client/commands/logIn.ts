import { l10n, ProgressLocation, window } from "vscode";
import { login } from "../../engine/protocol.ts";
import { registryOf } from "../registries.ts";
import type { Session } from "../session.ts";
import type { Command } from "./command.ts";

/** Tries a login at its registry and keeps it in the editor's secret storage. Answers whether there is one now. */
export const logIn: Command = {
  id: "kubefile.logIn",
  needsTrust: true,
  async run(session, ...args) {
    const registry = typeof args[0] === "string" ? registryOf(args[0]) : await askForRegistry(session);
    if (registry === undefined) return false;
    const known = await session.credentials.find(registry);
    const username = await window.showInputBox({
      title: l10n.t("Log In to {0}", registry),
      prompt: l10n.t("User name"),
      value: known?.username ?? "",
      ignoreFocusOut: true,
    });
    if (!username) return false;
    const password = await window.showInputBox({
      title: l10n.t("Log In to {0}", registry),
      prompt: l10n.t("Password or access token of {0}; it is kept in the editor's secret storage", username),
      password: true,
      ignoreFocusOut: true,
    });
    if (!password) return false;
    const { verified } = await window.withProgress(
      { location: ProgressLocation.Notification, title: l10n.t("Logging in to {0}", registry), cancellable: true },
      (_, token) => {
        const { insecureRegistries } = session.settings();
        return session.engine.request(login, { registry, username, password, insecureRegistries }, token);
      },
    );
    await session.credentials.keep(registry, { username, password });
    void window.showInformationMessage(
      verified
        ? l10n.t("Logged in to {0} as {1}.", registry, username)
        : l10n.t("{0} asks nobody for a login, so this one could not be tried; it is kept.", registry),
    );
    return true;
  },
};

async function askForRegistry(session: Session): Promise<string | undefined> {
  const known = await session.credentials.registries();
  const written = await window.showInputBox({
    title: l10n.t("Log In to a Registry"),
    prompt:
      known.length === 0
        ? l10n.t("Host of the registry, docker.io for Docker Hub")
        : l10n.t("Host of the registry; there are logins for {0}", known.join(", ")),
    placeHolder: "registry.example.com:5000",
    ignoreFocusOut: true,
    validateInput: (text) =>
      text.trim() === "" || registryOf(text) !== undefined
        ? undefined
        : l10n.t("Write a host such as registry.example.com:5000."),
  });
  return written === undefined ? undefined : registryOf(written);
}
