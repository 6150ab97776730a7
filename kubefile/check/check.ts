import { inBatches } from "../batches.ts";
import type { Dialect } from "../instructions.ts";
import { moveSpan } from "../parse.ts";
import { type Fix, type Problem, ruleOf, type Severity } from "../problems.ts";
import type { Escape, Instruction, Item, Kubefile } from "../syntax.ts";
import { checkDescriptions, checkRelativeCopies, checkRuns, checkShellCommands, checkWorkdirs } from "./advice.ts";
import type { CheckContext } from "./context.ts";
import { checkDialect, detect } from "./dialect.ts";
import { type DocumentView, place, viewDocument } from "./document.ts";
import { add, type Finding, type FindingDetails, finding, moveFinding } from "./finding.ts";
import { checkComment, checkDirectives, checkGrammar } from "./grammar.ts";
import { checkLaunch } from "./launch.ts";
import { checkNames } from "./names.ts";
import { checkRegistries } from "./registries.ts";
import { checkSealer } from "./sealer.ts";
import { checkSealerFile } from "./sealerFile.ts";
import { checkStages } from "./stages.ts";
import { readSuppressions } from "./suppress.ts";
import { checkValues } from "./values.ts";
import { checkWorld } from "./world.ts";

export interface CheckOptions {
  /** `auto` tells from the file itself. What one dialect refuses is a warning then. */
  readonly dialect: "auto" | Dialect;
  /** Severities that settings give to rules, by code. */
  readonly severities: Readonly<Record<string, Severity | "off">>;
  /**
   * Registries that images may come from: `registry.example.org:5000`, `*.example.org` for all below it, `docker.io` for
   * names without a host. None given: every registry.
   */
  readonly allowedRegistries: readonly string[];
  /** Facts about files and images; without them, rules that need them are silent. */
  readonly context: CheckContext | undefined;
  /** How many problems to give at most; the worst are kept. Editors show no more than 1,000 for a file. */
  readonly limit: number;
}

const defaultOptions: CheckOptions = {
  dialect: "auto",
  severities: {},
  allowedRegistries: [],
  context: undefined,
  limit: Number.MAX_SAFE_INTEGER,
};

/** Everything that is wrong in a Kubefile, in the order of the text. */
export function check(kubefile: Kubefile, options: Partial<CheckOptions> = {}): Problem[] {
  const { dialect, severities, context, limit, allowedRegistries }: CheckOptions = { ...defaultOptions, ...options };
  const walked = viewDocument(kubefile);
  const detected = dialect === "auto" ? detect(walked).dialect : dialect;
  const judge: Judge = { effective: detected, auto: dialect === "auto", severities };
  const suppressed = readSuppressions(walked);
  const candidates: Candidate[] = [];
  const found: Tally = { error: 0, warning: 0, information: 0, hint: 0 };
  const judgeOne = (one: Finding, delta: number): void => {
    const severity = severityOf(one, judge);
    if (severity === undefined) return;
    if (suppressed?.({ code: one.code, span: moveSpan(one.span, delta) }) === true) return;
    candidates.push({ found: one, delta, severity });
  };
  const { items, starts } = kubefile;
  inBatches(items.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const item = items[index];
      if (item === undefined || item.kind === "blank") continue;
      const local = localFindings(item, kubefile.escape);
      if (local.length === 0) continue;
      const delta = (starts[index] ?? 0) - item.base;
      for (const one of local) judgeOne(one, delta);
    }
  });
  for (const { severity } of candidates) found[severity]++;
  const wants: DocumentView["wants"] = (code, details = noDetails) => {
    const severity = severityOf({ code, ...withoutDetails, ...details }, judge);
    if (severity === undefined) return false;
    // What is suppressed takes no place, and is only known by where it stands.
    if (suppressed !== undefined) return true;
    if (asGrave(found, severity) >= limit) return false;
    found[severity]++;
    return true;
  };
  const view: DocumentView = { ...walked, dialect: detected, wants };
  for (const one of documentFindings(view, context)) judgeOne(one, 0);
  for (const one of checkRegistries(view, allowedRegistries)) judgeOne(one, 0);
  const problems = worst(candidates, limit).map(({ found, delta, severity }) => makeProblem(found, severity, delta));
  return problems.sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end || compareText(a.code, b.code));
}

type Tally = Record<Severity, number>;

const noDetails: FindingDetails = {};
const withoutDetails = { verdict: "everyone", only: undefined, severity: undefined } as const;

/** How many of those found so far are at least as grave: they come first when not all can be shown. */
function asGrave(found: Tally, severity: Severity): number {
  let count = 0;
  for (const other of gravestFirst) {
    count += found[other];
    if (other === severity) break;
  }
  return count;
}

interface Candidate {
  readonly found: Finding;
  readonly delta: number;
  readonly severity: Severity;
}

const gravestFirst: readonly Severity[] = ["error", "warning", "information", "hint"];

/** At most `limit` candidates: errors before warnings, and then those found first. */
function worst(candidates: readonly Candidate[], limit: number): readonly Candidate[] {
  if (candidates.length <= limit) return candidates;
  const kept: Candidate[] = [];
  for (const severity of gravestFirst) {
    for (const candidate of candidates) {
      if (kept.length === limit) return kept;
      if (candidate.severity === severity) kept.push(candidate);
    }
  }
  return kept;
}

const noFixes: readonly Fix[] = [];

function makeProblem(found: Finding, severity: Severity, delta: number): Problem {
  const { code, message, tags } = found;
  const { span, related, fixes } = moveFinding(found, delta);
  return { code, severity, span, message, related, tags, fixes: fixes.length === 0 ? noFixes : fixes };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function documentFindings(view: DocumentView, context: CheckContext | undefined): Finding[] {
  return [
    ...checkDirectives(view.kubefile.directives),
    ...checkDialect(view),
    ...checkSealerFile(view),
    ...checkStages(view),
    ...checkNames(view),
    ...checkLaunch(view, context),
    ...checkWorkdirs(view),
    ...checkRuns(view),
    ...checkShellCommands(view),
    ...checkRelativeCopies(view),
    ...checkDescriptions(view),
    ...(context === undefined ? [] : checkWorld(view, context)),
    ...longLines(view),
  ];
}

/** Lines above 64 KiB: sealer's scanner stops there without a word. */
function longLines(view: DocumentView): Finding[] {
  const limit = 65536;
  if (view.kubefile.text.length <= limit / 3) return [];
  if (!view.entries.some(({ node }) => node.logical.text.length > limit / 3)) return [];
  return view.entries
    .filter(({ node }) => node.logical.segments.length === 0 && byteLength(node.logical.text) >= limit)
    .map((entry) =>
      finding(
        "KF123",
        place(entry, entry.node.keyword.span),
        "sealer stops reading at a line above 64 KiB: split it.",
        { only: "sealer" },
      ),
    );
}

/** How many bytes the text has in UTF-8. */
function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

const nothing: readonly Finding[] = [];

/** What an item says about itself. It is found once: items are kept as long as no edit touches them. */
function localFindings(item: Item, escapeMark: Escape): readonly Finding[] {
  if (item.kind === "comment") return item.node.text.includes("=") ? checkComment(item.node) : nothing;
  if (item.kind !== "instruction") return nothing;
  // Nobody else writes the memo; the escape character is part of what an item was read with.
  if (item.memo !== undefined) return item.memo as readonly Finding[];
  const found: Finding[] = [];
  checkAlone(item.node, escapeMark, found);
  if (item.node.kind === "ONBUILD" && item.node.trigger !== undefined) {
    const kept: Finding[] = [];
    checkAlone(item.node.trigger, escapeMark, kept);
    // Builders keep a trigger unread: it fails the builds that start from this image, not this one.
    for (const one of kept) found.push(usualSeverity(one) === "error" ? { ...one, severity: "warning" } : one);
  }
  const kept = found.length === 0 ? nothing : found;
  item.memo = kept;
  return kept;
}

function checkAlone(node: Instruction, escapeMark: Escape, found: Finding[]): void {
  checkGrammar(node, escapeMark, found);
  add(found, checkValues(node));
  add(found, checkSealer(node));
}

/** What of a finding says how much it matters. */
type Judged = Pick<Finding, "code" | "severity" | "verdict" | "only">;

interface Judge {
  readonly effective: Dialect | undefined;
  readonly auto: boolean;
  readonly severities: CheckOptions["severities"];
}

/** How much a finding matters in this dialect and with these settings; `undefined` when it does not. */
function severityOf(found: Judged, judge: Judge): Severity | undefined {
  const own = ownSeverity(found, judge);
  if (own === undefined) return undefined;
  const wanted = judge.severities[found.code];
  if (wanted === "off") return undefined;
  return wanted ?? (own === "off" ? undefined : own);
}

function usualSeverity(found: Judged): Severity | "off" {
  return found.severity ?? ruleOf(found.code)?.severity ?? "warning";
}

function ownSeverity(found: Judged, judge: Judge): Severity | "off" | undefined {
  const usual = usualSeverity(found);
  if (found.only !== undefined && found.only !== judge.effective) return undefined;
  switch (found.verdict) {
    case "everyone":
      return usual;
    case "docker":
      return judge.effective === "sealer" && usual === "error" ? "warning" : usual;
    case "sealer":
    case "sealos":
      if (found.verdict !== judge.effective) return undefined;
      return judge.auto && usual === "error" ? "warning" : usual;
    default:
      return found.verdict satisfies never;
  }
}
