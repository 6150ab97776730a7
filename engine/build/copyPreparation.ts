import { type ByteString, bytesOfText } from "../byteString.ts";
import type { Definition } from "../cache/keys.ts";
import type { LayerShape } from "../layer/treeShape.ts";
import { type ContextSource, contextSources, placeSources, type TopSource } from "../plan/copyLayout.ts";
import { excludeRules } from "../plan/excludes.ts";
import { cleanPath } from "../plan/sources.ts";
import type { CopySource, CopyStep } from "../plan/steps.ts";
import { tarEntry } from "../tar/entry.ts";
import { type AppDetection, detectApp } from "./apps.ts";
import { type CopyAttributes, type CopyItem, copyMembers, itemFromContext, shapeOfMembers } from "./copyEntries.ts";
import { type CopyInputs, copyInputs } from "./copyStep.ts";
import { ownerIds } from "./owner.ts";
import type { StageState } from "./stageRun.ts";
import type { Workshop } from "./workshop.ts";

/** A COPY laid out: what its layer will hold. */
export interface PreparedCopy {
  readonly inputs: CopyInputs;
  readonly shape: LayerShape;
  readonly totalBytes: number;
  readonly detected: { readonly app: string; readonly detection: AppDetection } | undefined;
}

/** Lays out a COPY from the build context. Throws what finding and placing sources throws. */
export async function prepareCopy(shop: Workshop, step: CopyStep, state: StageState): Promise<PreparedCopy> {
  const shape = await state.shape();
  const path = shape.resolve(cleanPath(bytesOfText(step.destination)));
  const fromContext = await contextSources(
    shop.context,
    {
      instruction: step.place.keyword,
      sources: step.sources.flatMap((source) => (source.kind === "path" ? [source.pattern] : [])),
      parents: step.parents,
      excludes: excludeRules(step.excludes),
    },
    shop.signal,
  );
  const sources = [
    ...fromContext.map((source) => contextItems(shop, source)),
    ...step.sources.flatMap((source) => (source.kind === "inline" ? [inlineItem(source)] : [])),
  ];
  const layout = placeSources(sources, {
    instruction: step.place.keyword,
    path,
    intoDirectory: step.intoDirectory,
    exists: shape.isDirectory(path),
    sourceCount: step.sources.length,
  });
  const owner = await ownerIds(shop, step.owner, state);
  const attributes: CopyAttributes = { owner, mode: step.mode, sourceDateEpoch: shop.sourceDateEpoch };
  const members = copyMembers(layout, path, shape, attributes);
  return {
    inputs: copyInputs(definitionOf(shop, step), members),
    shape: shapeOfMembers(members),
    totalBytes: members.reduce((sum, { entry }) => sum + entry.size, 0),
    detected: detectionOf(shop, step, fromContext),
  };
}

function contextItems(shop: Workshop, source: ContextSource): TopSource<CopyItem> {
  const items = source.items.flatMap(({ inside, item }) => {
    const copied = itemFromContext(shop.context, item);
    return copied === undefined ? [] : [{ inside, item: copied }];
  });
  return { name: source.name, isDirectory: source.isDirectory, items };
}

/** A heredoc is a file of mode 0644 with the text as content. */
function inlineItem(source: Extract<CopySource, { kind: "inline" }>): TopSource<CopyItem> {
  const bytes = Buffer.from(source.content, "utf8");
  const name = bytesOfText(source.name);
  const entry = { ...tarEntry("file", name, { size: bytes.length }), content: { from: "bytes", bytes } as const };
  return {
    name,
    isDirectory: false,
    items: [{ inside: "" as ByteString, item: { entry, source: undefined, inode: undefined } }],
  };
}

function detectionOf(shop: Workshop, step: CopyStep, sources: readonly ContextSource[]): PreparedCopy["detected"] {
  if (step.app === undefined) return undefined;
  const urls = step.sources.flatMap((source) => (source.kind === "url" ? [source.url] : []));
  return { app: step.app, detection: detectApp(shop.context, step.app, sources, urls) };
}

function definitionOf(shop: Workshop, step: CopyStep): Definition {
  return {
    step: "copy",
    sources: step.sources.map((source) => ({ ...source })),
    destination: step.destination,
    intoDirectory: step.intoDirectory,
    owner: step.owner ?? null,
    mode: step.mode ?? null,
    link: step.link,
    parents: step.parents,
    excludes: step.excludes,
    unpack: step.unpack,
    sourceDateEpoch: shop.sourceDateEpoch ?? null,
  };
}
