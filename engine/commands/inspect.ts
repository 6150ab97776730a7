import type { PlatformImageDetails } from "../protocol.ts";
import type { Command } from "./command.ts";
import { shortText, sizeText, table } from "./text.ts";

export const command: Command = {
  summary: "Show what an image holds: layers, applications, labels",
  usage: "IMAGE",
  positionals: [1, 1],
  options: {},
  async run(context) {
    await using engine = await context.openEngine();
    const details = engine.inspect(context.positionals[0] ?? "");
    if (context.json) context.print(JSON.stringify(details));
    else {
      context.print(`${details.references.join(", ") || "(no name)"}\n${details.digest}`);
      for (const image of details.images) context.print(`\n${imageText(image)}`);
    }
    return 0;
  },
};

/** Each container image with its size, and below it every place that asks for it. */
function containerImageLines({ containerImages }: PlatformImageDetails): readonly string[] {
  const rows = containerImages.map(({ image, digest, sizeBytes, appName }) => [
    `  ${image}`,
    sizeBytes === undefined ? "" : sizeText(sizeBytes),
    digest === undefined ? "" : shortText(digest),
    appName ?? "",
  ]);
  const heads = table(rows).split("\n");
  return containerImages.flatMap(({ found }, index) => [heads[index] ?? "", ...found.map((place) => `    ${place}`)]);
}

function imageText(image: PlatformImageDetails): string {
  const { clusterImage } = image;
  const lines = [`${image.platform}, ${sizeText(image.sizeBytes)}, ${image.layers.length} layers`];
  const layers = image.layers.map((layer) => [
    `  ${shortText(layer.diffId)}`,
    sizeText(layer.sizeBytes),
    layer.createdBy,
  ]);
  if (layers.length > 0) lines.push(table(layers));
  if (clusterImage !== undefined) {
    lines.push(`type ${clusterImage.type}`);
    const apps = clusterImage.applications.map((app) => [`  ${app.name}`, app.type ?? "commands", app.files.join(" ")]);
    if (apps.length > 0) lines.push("applications", table(apps));
    const launch = [...clusterImage.launchApps, ...clusterImage.launchCmds];
    if (launch.length > 0) lines.push("launch", ...launch.map((item) => `  ${item}`));
  }
  const labels = Object.entries(image.labels).map(([name, value]) => `  ${name}=${value}`);
  if (labels.length > 0) lines.push("labels", ...labels);
  const env = image.env.map((pair) => `  ${pair}`);
  if (env.length > 0) lines.push("environment", ...env);
  if (image.containerImages.length > 0) lines.push("container images", ...containerImageLines(image));
  return lines.join("\n");
}
