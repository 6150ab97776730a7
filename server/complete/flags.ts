import { type FlagInfo, instructionInfo } from "../../kubefile/instructions.ts";
import type { FlagNameCursor, FlagValueCursor } from "../cursor.ts";
import type { OpenKubefile } from "../documents.ts";
import { touches } from "../ranges.ts";
import type { World } from "../world.ts";
import { imageSuggestions } from "./images.ts";
import { stageSuggestions } from "./names.ts";
import { type CompletionOptions, type Suggestion, type Suggestions, suggestionKinds } from "./suggestion.ts";

/** Flags of the instruction, but for those already written that may stand only once. */
export function flagNames(cursor: FlagNameCursor, options: CompletionOptions): Suggestion[] {
  const info = instructionInfo(cursor.instruction.keyword.text);
  const others = cursor.instruction.flags.filter(
    (flag) => !touches(flag.span, cursor.span.start + cursor.prefix.length),
  );
  const written = new Set(others.map((flag) => flag.name.value));
  const hasValue = cursor.instruction.flags.some(
    (flag) => flag.value !== undefined && flag.span.start <= cursor.span.start && flag.span.end > cursor.span.end,
  );
  return (info?.flags ?? [])
    .filter((flag) => flag.repeatable || !written.has(flag.name))
    .filter((flag) => options.dialect === undefined || flag.dialects.includes(options.dialect))
    .map((flag) => flagSuggestion(info?.name ?? "", flag, hasValue));
}

function flagSuggestion(instruction: string, flag: FlagInfo, hasValue: boolean): Suggestion {
  const name = `--${flag.name}`;
  const needsValue = flag.value === "required" && !hasValue;
  return {
    label: name,
    kind: suggestionKinds.flag,
    text: needsValue ? `${name}=` : name,
    group: 1,
    again: needsValue,
    help: `flag:${instruction}:${flag.name}`,
  };
}

const mountKeys: Readonly<Record<string, readonly string[]>> = {
  bind: ["target=", "source=", "from=", "rw"],
  cache: [
    "target=",
    "id=",
    "sharing=shared",
    "sharing=private",
    "sharing=locked",
    "from=",
    "source=",
    "mode=0755",
    "uid=",
    "gid=",
    "ro",
  ],
  tmpfs: ["target=", "size="],
  secret: ["id=", "target=", "env=", "required=true", "mode=0400", "uid=", "gid="],
  ssh: ["id=", "target=", "required=true", "mode=0600", "uid=", "gid="],
};

/** Values of a flag: those of the table, stages and images for `--from`, keys and their values for `--mount`. */
export function flagValues(
  document: OpenKubefile,
  cursor: FlagValueCursor,
  world: World,
  options: CompletionOptions,
): Suggestions | Promise<Suggestions> {
  const info = instructionInfo(cursor.instruction.keyword.text);
  const flag = info?.flags.find((candidate) => candidate.name === cursor.name);
  if (info === undefined || flag === undefined) return { items: [], incomplete: false };
  if (flag.name === "from") return fromValues(document, cursor, world, options);
  if (flag.name === "mount") return { items: mountValues(document, cursor), incomplete: false };
  const help = `flag:${info.name}:${flag.name}`;
  const items = flag.values.map((value) => ({ label: value, kind: suggestionKinds.value, group: 1, help }));
  return { items, incomplete: false };
}

async function fromValues(
  document: OpenKubefile,
  cursor: FlagValueCursor,
  world: World,
  options: CompletionOptions,
): Promise<Suggestions> {
  const stages = stageSuggestions(document.tree, cursor.instruction);
  const images = await imageSuggestions(cursor.prefix, world, options);
  return { items: [...stages, ...images.items], incomplete: images.incomplete };
}

function mountValues(document: OpenKubefile, cursor: FlagValueCursor): Suggestion[] {
  const parts = cursor.prefix.split(",");
  const last = parts.pop() ?? "";
  const span = {
    start: cursor.span.start + cursor.prefix.length - last.length,
    end: cursor.span.start + cursor.prefix.length,
  };
  const key = last.slice(0, last.indexOf("="));
  const written = new Set(parts.map((part) => part.split("=")[0]));
  if (key === "from") {
    const at = { start: span.start + "from=".length, end: span.end };
    return stageSuggestions(document.tree, cursor.instruction).map((stage) => ({ ...stage, span: at }));
  }
  const type = parts.find((part) => part.startsWith("type="))?.slice("type=".length);
  const offered =
    type === undefined && parts.length === 0
      ? Object.keys(mountKeys).map((name) => `type=${name}`)
      : (mountKeys[type ?? "bind"] ?? []);
  return offered
    .filter((text) => !written.has(text.split("=")[0]))
    .map((text) => ({
      label: text,
      kind: suggestionKinds.value,
      span,
      group: 1,
      again: text.endsWith("="),
      help: "flag:RUN:mount",
    }));
}
