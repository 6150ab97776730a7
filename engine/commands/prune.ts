import { EngineError } from "../errors.ts";
import { type Command, flagOption, textOption } from "./command.ts";
import { sizeText, table } from "./text.ts";

export const command: Command = {
  summary: "Free what nothing needs; images with a name stay",
  usage: "[OPTIONS]",
  positionals: [0, 0],
  options: {
    "dry-run": { type: "boolean", short: "n", help: "only tell what would be freed" },
    all: { type: "boolean", short: "a", help: "take the whole build cache, however new" },
    "keep-time": { type: "string", value: "DURATION", help: "keep cache used within this time: 30m, 12h, 7d" },
    "keep-size": { type: "string", value: "SIZE", help: "keep the newest cache up to this size: 500M, 10G" },
  },
  async run(context) {
    const keepMs = measure(textOption(context, "keep-time"), times, "--keep-time takes a duration such as 12h or 7d");
    const keepBytes = measure(textOption(context, "keep-size"), sizes, "--keep-size takes a size such as 500M or 10G");
    await using engine = await context.openEngine();
    const result = await engine.prune(
      {
        dryRun: flagOption(context, "dry-run"),
        all: flagOption(context, "all"),
        ...(keepMs === undefined ? {} : { keepMs }),
        ...(keepBytes === undefined ? {} : { keepBytes }),
      },
      context.signal,
    );
    if (context.json) {
      context.print(JSON.stringify(result));
      return 0;
    }
    const rows = result.removed.map((item) => [item.kind, item.name, sizeText(item.sizeBytes)]);
    if (rows.length > 0) context.print(table(rows));
    context.print(`${result.dryRun ? "would free" : "freed"} ${sizeText(result.freedBytes)}`);
    return 0;
  },
};

const times: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizes: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

function measure(
  text: string | undefined,
  units: Readonly<Record<string, number>>,
  reason: string,
): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z])?(?:i?b)?$/i.exec(text);
  const unit = units[(match?.[2] ?? "").toLowerCase()];
  if (match === null || unit === undefined) throw new EngineError("USAGE", { reason, command: "prune" });
  return Number(match[1]) * unit;
}
