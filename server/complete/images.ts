import { formatBytes } from "../hover/image.ts";
import { parseImageName } from "../imageName.ts";
import type { World } from "../world.ts";
import type { CompletionOptions, Suggestion, Suggestions } from "./suggestion.ts";
import { suggestionKinds } from "./suggestion.ts";

const storePatienceMs = 400;
const registryPatienceMs = 800;
const mostTags = 200;

/** Images of the local store; behind `name:`, the tags its registry lists. Late answers come with the next letter. */
export async function imageSuggestions(prefix: string, world: World, options: CompletionOptions): Promise<Suggestions> {
  const colon = prefix.lastIndexOf(":");
  const tagged = colon > prefix.lastIndexOf("/") && colon > 0;
  const [local, tags] = await Promise.all([
    world.images.local(storePatienceMs),
    tagged && options.registryTags ? tagsOf(prefix.slice(0, colon), world) : undefined,
  ]);
  const items: Suggestion[] = local.map((image) => ({
    label: image.reference,
    kind: suggestionKinds.image,
    detail: formatBytes(image.sizeBytes),
    group: 2,
    help: `image:${image.reference}`,
  }));
  if (tags === undefined) return { items, incomplete: false };
  const names = new Set(items.map((item) => item.label));
  for (const tag of tags.slice(0, mostTags)) {
    const label = `${prefix.slice(0, colon)}:${tag}`;
    if (!names.has(label)) items.push({ label, kind: suggestionKinds.image, detail: "registry", group: 3 });
  }
  // An empty answer may only have come too late.
  return { items, incomplete: tags.length === 0 || tags.length > mostTags };
}

async function tagsOf(repository: string, world: World): Promise<readonly string[]> {
  const name = parseImageName(repository);
  if (name === undefined) return [];
  return world.images.tags(`${name.registry}/${name.repository}`, registryPatienceMs);
}
