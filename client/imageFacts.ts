import { type BaseLanguageClient, NotificationType0, RequestType } from "vscode-languageclient";
import { type ImageDetails, images, inspectImage, storeChanged } from "../engine/protocol.ts";
import type { EngineProcess } from "./engineProcess.ts";

/** The questions of the language server that only the engine can answer; declared here as in `server/protocol.ts`. */
const imageFactsRequest = new RequestType<{ reference: string; platform?: string }, unknown, void>(
  "kubefile/imageFacts",
);
const localImagesRequest = new RequestType<Record<string, never>, unknown, void>("kubefile/localImages");
const imageTagsRequest = new RequestType<{ repository: string }, unknown, void>("kubefile/imageTags");
const imagesChanged = new NotificationType0("kubefile/imagesChanged");

/** Answers the server's questions about images from the local store, and tells it when that changed. */
export function answerImageQuestions(client: BaseLanguageClient, engine: EngineProcess): void {
  client.onRequest(imageFactsRequest, async ({ reference, platform }, token) => {
    const details = await engine.request(inspectImage, { reference }, token).catch(() => undefined);
    return details ? factsOf(details, reference, platform) : null;
  });
  client.onRequest(localImagesRequest, async (_, token) => {
    const all = await engine.ask(images, token).catch(() => undefined);
    if (all === undefined) return null;
    const named = all.flatMap(({ references, digest, sizeBytes }) =>
      references.map((reference) => ({ reference, digest, sizeBytes })),
    );
    return { images: named };
  });
  client.onRequest(imageTagsRequest, () => null);
  engine.onNotification(storeChanged, ({ what }) => {
    if (what === "images" && client.isRunning()) void client.sendNotification(imagesChanged);
  });
}

function factsOf(details: ImageDetails, reference: string, platform: string | undefined): unknown {
  const image = details.images.find((one) => one.platform === platform) ?? details.images[0];
  if (image === undefined) return null;
  return {
    reference,
    digest: details.digest,
    sizeBytes: image.sizeBytes,
    layers: image.layers.length,
    ...(image.created ? { createdAt: image.created } : {}),
    platforms: details.platforms,
    apps: (image.clusterImage?.applications ?? []).map(({ name, type, files, cmds }) => ({
      name,
      ...(type ? { type } : {}),
      files,
      ...(cmds.length > 0 ? { launch: cmds.join(" && ") } : {}),
    })),
    containerImages: image.containerImages.map(({ image: name }) => name),
  };
}
