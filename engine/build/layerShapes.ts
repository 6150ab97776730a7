import type { ByteString } from "../byteString.ts";
import { recordKinds } from "../cache/stepMemory.ts";
import type { LayerShape } from "../layer/treeShape.ts";
import { readWhiteout } from "../layer/whiteout.ts";
import { readTar } from "../tar/read.ts";
import type { StageLayer, Workshop } from "./workshop.ts";

/** The shape of a layer that was not packed from the context: read from its headers once, then remembered with the layer. */
export async function shapeOfLayer(shop: Workshop, layer: StageLayer): Promise<LayerShape> {
  const known = shop.store.readRecord(recordKinds.shape, layer.diffId);
  if (known !== undefined) return decodeShape(known.payload);
  const shape = await readShape(shop, layer);
  shop.store.writeRecord({
    kind: recordKinds.shape,
    key: layer.diffId,
    refs: [layer.descriptor.digest],
    keptWith: layer.descriptor.digest,
    payload: Buffer.from(JSON.stringify(shape), "latin1"),
  });
  return shape;
}

/** The names in a shape are bytes, one per character, and so is this text. */
function decodeShape(payload: Uint8Array): LayerShape {
  return JSON.parse(Buffer.from(payload).toString("latin1")) as LayerShape;
}

async function readShape(shop: Workshop, layer: StageLayer): Promise<LayerShape> {
  const directories: ByteString[] = [];
  const links: { path: ByteString; target: ByteString }[] = [];
  const others: ByteString[] = [];
  const deleted: ByteString[] = [];
  const opaque: ByteString[] = [];
  const { decompress } = await import("../layer/decompress.ts");
  const blob = shop.store.readBlob(layer.descriptor, shop.signal);
  for await (const { entry } of readTar(decompress(blob))) {
    const path = entry.path.replace(/^(?:\.?\/)+/, "") as ByteString;
    if (path === "" || path === ".") continue;
    const whiteout = readWhiteout(path);
    if (whiteout?.kind === "whiteout") deleted.push(whiteout.path);
    else if (whiteout?.kind === "opaque") opaque.push(whiteout.directory);
    else if (entry.kind === "directory") directories.push(path);
    else if (entry.kind === "symlink") links.push({ path, target: entry.linkTarget });
    else others.push(path);
  }
  return { directories, links, others, deleted, opaque };
}
