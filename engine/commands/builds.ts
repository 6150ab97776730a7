import { type Command, textOption } from "./command.ts";
import { ageText, durationText, table } from "./text.ts";

export const command: Command = {
  summary: "List past builds, newest first",
  usage: "[OPTIONS]",
  positionals: [0, 0],
  options: { limit: { type: "string", value: "N", help: "at most this many (default: 20)" } },
  async run(context) {
    await using engine = await context.openEngine();
    const builds = engine.builds(Math.max(1, Number(textOption(context, "limit") ?? 20) || 20));
    if (context.json) {
      context.print(JSON.stringify(builds));
      return 0;
    }
    const now = Date.now();
    const rows = builds.map((build) => {
      const layers = build.steps.filter(({ outcome }) => outcome === "cached" || outcome === "built");
      const cached = layers.filter(({ outcome }) => outcome === "cached").length;
      const place = build.error?.at === undefined ? "" : `line ${build.error.at.line}: `;
      return [
        ageText(now - build.startedAt),
        build.outcome,
        durationText(build.durationMs),
        `${cached}/${layers.length} cached`,
        build.references.join(","),
        build.error === undefined ? "" : `${place}${build.error.message}`,
      ];
    });
    context.print(table([["STARTED", "OUTCOME", "TOOK", "CACHE", "IMAGE", "ERROR"], ...rows]));
    return 0;
  },
};
