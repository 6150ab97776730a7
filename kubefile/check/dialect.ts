import { type Dialect, instructionInfo, instructions } from "../instructions.ts";
import type { Instruction, InstructionKind, Kubefile } from "../syntax.ts";
import { type DocumentView, type Entry, ofKind, place, viewDocument, type WalkedDocument } from "./document.ts";
import { type Finding, finding } from "./finding.ts";

/** The dialect a file is written in, and what gives it away. */
export interface DetectedDialect {
  /** `undefined`: nothing in the file belongs to one dialect only. */
  readonly dialect: Dialect | undefined;
  readonly reason: string;
}

const sealerImage = /(?:^|[/-])sealer(?:io|-io|-apps)?\//;
const sealosImage = /(?:^|\/)(?:labring|sealos)\b/;

/**
 * Tells from a file's own instructions and base images which builder it is for: sealer's instructions decide, then base
 * images, then what only sealos has.
 */
export function detectDialect(kubefile: Kubefile): DetectedDialect {
  return detect(viewDocument(kubefile));
}

export function detect(view: WalkedDocument): DetectedDialect {
  let other: DetectedDialect | undefined;
  for (const [kind, entries] of view.kinds) {
    const dialects = instructionInfo(kind)?.dialects ?? [];
    const dialect = dialects.length === 1 ? dialects[0] : undefined;
    if (dialect === "sealer") return { dialect, reason: `${kind} is an instruction of sealer.` };
    if (dialect === "sealos" && entries.length > 0)
      other ??= { dialect, reason: `${kind} is no instruction of sealer.` };
  }
  return byImage(view) ?? other ?? byShape(view) ?? { dialect: undefined, reason: "Both builders read this file." };
}

function byImage(view: WalkedDocument): DetectedDialect | undefined {
  for (const { node } of view.kinds.get("FROM") ?? []) {
    const image = node.kind === "FROM" ? (node.image?.value ?? "") : "";
    if (sealerImage.test(image)) return { dialect: "sealer", reason: `${image} is an image of sealer.` };
    if (sealosImage.test(image)) return { dialect: "sealos", reason: `${image} is an image of sealos.` };
  }
  return undefined;
}

function byShape(view: WalkedDocument): DetectedDialect | undefined {
  const marks = [
    [
      "COPY",
      (node: Instruction) => node.flags.length > 0 || node.heredocs.length > 0,
      "COPY has flags, which sealer drops.",
    ],
    ["RUN", (node: Instruction) => node.heredocs.length > 0, "sealer has no heredocs."],
    [
      "CMD",
      (node: Instruction) => node.variables.some((use) => use.form === "parenthesised" && node.form === "json"),
      "$(NAME) in CMD is read by sealos.",
    ],
  ] as const;
  for (const [kind, shows, reason] of marks) {
    if (view.kinds.get(kind)?.some(({ node }) => shows(node)) === true) return { dialect: "sealos", reason };
  }
  return undefined;
}

interface Foreign {
  readonly verdict: Dialect;
  readonly message: string;
}

/** Instructions that one of the dialects does not have, and what to say of them there. */
const foreign: ReadonlyMap<string, Foreign> = new Map(
  instructions.flatMap((row) =>
    (["sealer", "sealos"] as const)
      .filter((dialect) => !row.dialects.includes(dialect))
      .map((dialect) => [row.name, { verdict: dialect, message: `${dialect} has no ${row.name}.` }] as const),
  ),
);

/** Instructions that the file's dialect does not have. */
export function checkDialect(view: DocumentView): readonly Finding[] {
  const found: Finding[] = [];
  for (const [kind, entries] of view.kinds) addForeign(view, kind, entries, found);
  for (const entry of ofKind(view, "ONBUILD")) {
    const { trigger } = entry.node;
    if (trigger !== undefined) addForeign(view, trigger.kind, [{ ...entry, node: trigger }], found);
  }
  return found;
}

function addForeign(view: DocumentView, kind: InstructionKind, entries: readonly Entry[], found: Finding[]): void {
  const missing = foreign.get(kind);
  if (missing === undefined || missing.verdict !== view.dialect) return;
  for (const entry of entries) {
    if (!view.wants("KF008", missing)) continue;
    found.push(finding("KF008", place(entry, entry.node.keyword.span), missing.message, missing));
  }
}
