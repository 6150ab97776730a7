import type { CancellationToken } from "vscode-jsonrpc";
import { type ImageDetails, images, inspectImage, storeChanged } from "../engine/protocol.ts";
import type { EngineProcess } from "./engineProcess.ts";

/** What the language server may ask about images; the values are those of `server/protocol.ts`. */
export interface ImageAnswers {
  /** What the local store knows of an image, or null. */
  facts(question: { reference: string; platform?: string }, token: CancellationToken): Promise<unknown>;
  /** The named images of the local store, or null when the engine cannot say. */
  localImages(token: CancellationToken): Promise<unknown>;
  /** Calls back when names of the store changed. */
  onChange(listener: () => void): Disposable;
}

/** Answers from the engine's store; an engine that is not there knows nothing. */
export function imageAnswers(engine: EngineProcess): ImageAnswers {
  return {
    async facts({ reference, platform }, token) {
      const details = await engine.request(inspectImage, { reference }, token).catch(() => undefined);
      return details ? factsOf(details, reference, platform) : null;
    },
    async localImages(token) {
      const all = await engine.ask(images, token).catch(() => undefined);
      if (all === undefined) return null;
      const named = all.flatMap(({ references, digest, sizeBytes }) =>
        references.map((reference) => ({ reference, digest, sizeBytes })),
      );
      return { images: named };
    },
    onChange: (listener) =>
      engine.onNotification(storeChanged, ({ what }) => {
        if (what === "images") listener();
      }),
  };
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
