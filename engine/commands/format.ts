import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { formatText } from "../../kubefile/format.ts";
import { type Command, flagOption } from "./command.ts";

export const command: Command = {
  summary: "Put Kubefiles into their usual form; nothing that is built changes",
  usage: "[OPTIONS] [FILE...]",
  positionals: [0, 1000],
  options: { check: { type: "boolean", help: "change nothing; exit with 1 when a file would change" } },
  async run(context) {
    const files = context.positionals.length === 0 ? ["Kubefile"] : context.positionals;
    const check = flagOption(context, "check");
    const changed: string[] = [];
    for (const file of files) {
      const place = path.resolve(context.cwd, file);
      const text = readFileSync(place, "utf8");
      const formatted = formatText(text);
      if (formatted === text) continue;
      changed.push(file);
      if (!check) writeFileSync(place, formatted);
    }
    if (context.json) context.print(JSON.stringify({ files, changed, written: !check }));
    else for (const file of changed) context.print(check ? `${file}: not formatted` : `${file}: formatted`);
    return check && changed.length > 0 ? 1 : 0;
  },
};
