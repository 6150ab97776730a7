import { commands, l10n, type QuickPickItem, window } from "vscode";
import { pull } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import { shortReference } from "../references.ts";
import { registryOfReference } from "../registries.ts";
import type { Session } from "../session.ts";
import type { Command } from "./command.ts";
import { subjectsOf } from "./subjects.ts";
import { showTransfer } from "./transfer.ts";

/** What a caller that asks no questions passes as second argument. */
interface PullOptions {
  readonly platform?: string;
}

const lastKey = "lastPulled";

/** Brings an image from its registry: those of the rows anew, or one that is asked for. */
export const pullImage: Command = {
  id: "kubefile.pullImage",
  needsTrust: true,
  async run(session, ...args) {
    const fromRows = subjectsOf(args).flatMap(({ image }) => (image?.image.references.length ? [image] : []));
    if (fromRows.length > 0) {
      for (const { reference, image } of fromRows)
        await pullNow(session, reference, image.kind === "index" ? { platform: "all" } : {});
      return undefined;
    }
    const [named, options] = args;
    if (typeof named === "string") return await pullNow(session, named, (options ?? {}) as PullOptions);
    const reference = await askForReference(session);
    if (!reference) return undefined;
    const platform = await pickPlatform();
    return platform === undefined ? undefined : await pullNow(session, reference, platform);
  },
};

async function askForReference(session: Session): Promise<string | undefined> {
  const written = await window.showInputBox({
    title: l10n.t("Pull Cluster Image"),
    prompt: l10n.t("Name of the image, with its registry"),
    value: session.context.workspaceState.get<string>(lastKey) ?? "",
    placeHolder: "registry.example.com/shop/cluster:1.0",
    ignoreFocusOut: true,
  });
  const reference = written?.trim();
  if (reference) await session.context.workspaceState.update(lastKey, reference);
  return reference;
}

async function pickPlatform(): Promise<PullOptions | undefined> {
  const items: readonly (QuickPickItem & { readonly options: PullOptions })[] = [
    { label: l10n.t("This machine's platform"), options: {} },
    { label: l10n.t("All platforms"), description: l10n.t("every image of an index"), options: { platform: "all" } },
    { label: "linux/amd64", options: { platform: "linux/amd64" } },
    { label: "linux/arm64", options: { platform: "linux/arm64" } },
  ];
  const title = l10n.t("Pull Cluster Image");
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t("Choose a platform") }))?.options;
}

async function pullNow(session: Session, reference: string, options: PullOptions): Promise<unknown> {
  const { insecureRegistries } = session.settings();
  const name = shortReference(reference);
  const result = await showTransfer(session, {
    title: l10n.t("Pulling {0}", name),
    cancelled: l10n.t("Pulling {0} was cancelled; no name was changed.", name),
    registry: registryOfReference(reference),
    run: (watch, token) =>
      session.transfers.run(
        pull,
        (transferId) => ({ transferId, reference, insecureRegistries, ...options }),
        watch,
        token,
      ),
  });
  if (result === undefined) return undefined;
  const show = l10n.t("Show Image");
  const inspect = l10n.t("Inspect Image");
  const sentence =
    result.how === "present"
      ? l10n.t("{0} is up to date.", shortReference(result.reference))
      : l10n.t("Pulled {0}: {1} moved.", shortReference(result.reference), byteSize(result.movedBytes));
  void window.showInformationMessage(sentence, show, inspect).then((chosen) => {
    if (chosen === show) return commands.executeCommand("kubefile.images.focus");
    if (chosen === inspect) return commands.executeCommand("kubefile.inspectImage", result.reference);
    return undefined;
  });
  return result;
}
