import { env, l10n, window } from "vscode";
import { push } from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import { shortReference } from "../references.ts";
import { registryOfReference, suggestedDestination } from "../registries.ts";
import type { NamedImage, Session } from "../session.ts";
import type { Command } from "./command.ts";
import { imagesFor } from "./subjects.ts";
import { showTransfer } from "./transfer.ts";

/** What a caller that asks no questions passes as second argument. */
interface PushOptions {
  readonly destination: string;
}

const lastKey = "lastPushed";

/** Sends images to a registry, one after the other. */
export const pushImage: Command = {
  id: "kubefile.pushImage",
  needsTrust: true,
  async run(session, ...args) {
    const chosen = (await imagesFor(session, args, l10n.t("Push Cluster Image"))) ?? [];
    const results: unknown[] = [];
    for (const image of chosen) {
      const destination = optionsOf(args[1])?.destination ?? (await askForDestination(session, image));
      if (!destination) return results;
      results.push(await pushNow(session, image, destination));
    }
    return results;
  },
};

function optionsOf(value: unknown): PushOptions | undefined {
  // From a menu the second argument is the list of selected rows.
  return typeof value === "object" && value !== null && "destination" in value ? (value as PushOptions) : undefined;
}

async function askForDestination(session: Session, { reference }: NamedImage): Promise<string | undefined> {
  const last = session.context.workspaceState.get<string>(lastKey);
  const written = await window.showInputBox({
    title: l10n.t("Push {0}", shortReference(reference)),
    prompt: l10n.t("Where it goes: registry, repository and tag"),
    value: suggestedDestination(reference, last, await session.credentials.registries()),
    placeHolder: "registry.example.com/shop/cluster:1.0",
    ignoreFocusOut: true,
  });
  const destination = written?.trim();
  if (destination) await session.context.workspaceState.update(lastKey, destination);
  return destination;
}

async function pushNow(session: Session, { reference }: NamedImage, destination: string): Promise<unknown> {
  const { insecureRegistries } = session.settings();
  const name = shortReference(destination);
  const result = await showTransfer(session, {
    title: l10n.t("Pushing {0}", name),
    cancelled: l10n.t("Pushing {0} was cancelled; its tag at the registry was not moved.", name),
    registry: registryOfReference(destination),
    run: (watch, token) =>
      session.transfers.run(
        push,
        (transferId) => ({ transferId, image: reference, destination, insecureRegistries }),
        watch,
        token,
      ),
  });
  if (result === undefined) return undefined;
  const { present, mounted, uploaded } = result.blobs;
  const sentence = l10n.t(
    "Pushed {0}: {1} sent, {2} of {3} blobs were there already.",
    shortReference(result.reference),
    byteSize(result.movedBytes),
    present + mounted,
    present + mounted + uploaded,
  );
  const copyReference = l10n.t("Copy Reference");
  const copyDigest = l10n.t("Copy Digest");
  void window.showInformationMessage(sentence, copyReference, copyDigest).then((chosen) => {
    if (chosen === copyReference) return env.clipboard.writeText(result.reference);
    if (chosen === copyDigest) return env.clipboard.writeText(result.digest);
    return undefined;
  });
  return result;
}
