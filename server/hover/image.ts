import type { Instruction, Word } from "../../kubefile/syntax.ts";
import type { OpenKubefile } from "../documents.ts";
import { namesOf } from "../names.ts";
import type { ImageFacts } from "../protocol.ts";
import { touches } from "../ranges.ts";
import type { World } from "../world.ts";
import type { HoverText } from "./hoverText.ts";

/** How long a hover waits for the store. */
const patienceMs = 1500;
const mostListed = 12;

/** The image word of an instruction that the cursor stands on: FROM's image, or the value of `--from=`. */
export function imageWordAt(instruction: Instruction, offset: number): Word | undefined {
  if (instruction.kind === "FROM")
    return instruction.image !== undefined && touches(instruction.image.span, offset) ? instruction.image : undefined;
  if (instruction.kind !== "COPY" && instruction.kind !== "ADD") return undefined;
  const from = instruction.flags.find((flag) => flag.name.value === "from")?.value;
  return from !== undefined && touches(from.span, offset) ? from : undefined;
}

/** What the local store knows of the image under the cursor, or which stage it is. */
export async function imageHover(
  document: OpenKubefile,
  instruction: Instruction,
  offset: number,
  world: World,
): Promise<HoverText | undefined> {
  const word = imageWordAt(instruction, offset);
  if (word === undefined || word.value === "") return undefined;
  const { span } = word;
  const stage = namesOf(document.tree).at(offset);
  if (stage?.named.kind === "stage")
    return { span, markdown: `Build stage ${stage.named.stage}: \`${stage.named.name}\`` };
  if (word.value === "scratch") return { span, markdown: "The empty image: no files, no layers." };
  if (word.value.includes("$")) return undefined;
  const facts = await world.images.facts(word.value, patienceMs);
  return facts === undefined ? undefined : { span, markdown: imageMarkdown(facts) };
}

/** Facts of an image as Markdown. */
export function imageMarkdown(facts: ImageFacts): string {
  const lines = [`**${facts.reference}**`, "", `- Digest: \`${facts.digest}\``];
  lines.push(`- Size: ${formatBytes(facts.sizeBytes)} in ${facts.layers} layer${facts.layers === 1 ? "" : "s"}`);
  if (facts.createdAt !== undefined) lines.push(`- Created: ${facts.createdAt.slice(0, 10)}`);
  if (facts.platforms.length > 0) lines.push(`- Platforms: ${facts.platforms.join(", ")}`);
  if (facts.kubernetesVersion !== undefined) lines.push(`- Kubernetes: ${facts.kubernetesVersion}`);
  if (facts.apps.length > 0)
    lines.push(`- Applications: ${listed(facts.apps.map((app) => appLabel(app.name, app.type)))}`);
  if (facts.containerImages.length > 0)
    lines.push(
      `- Container images (${facts.containerImages.length}): ${listed(facts.containerImages.map((name) => `\`${name}\``))}`,
    );
  return lines.join("\n");
}

function appLabel(name: string, type: string | undefined): string {
  return type === undefined ? `\`${name}\`` : `\`${name}\` (${type})`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostListed).join(", ");
  return names.length > mostListed ? `${shown} and ${names.length - mostListed} more` : shown;
}

const units = ["B", "kB", "MB", "GB", "TB"];

/** `12.3 MB`, in decimal units as registries show them. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
