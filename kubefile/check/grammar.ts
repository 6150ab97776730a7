import { directives, type FlagInfo, type InstructionInfo, instructionInfo, instructions } from "../instructions.ts";
import type { Severity } from "../problems.ts";
import type { Span } from "../span.ts";
import type { Comment, Directive, Escape, Flag, Instruction, VariableUse, Word } from "../syntax.ts";
import { closingQuote, trimEnd } from "../words.ts";
import { add, type Finding, finding, isVariable, replace, safeFix, suggestion } from "./finding.ts";
import { checkRecent } from "./recent.ts";
import { similar } from "./similar.ts";

const names: readonly string[] = instructions.map((row) => row.name);

/** What can be said of one instruction from its own text: its name, its flags, its arguments, quotes and variables. */
export function checkGrammar(node: Instruction, escapeMark: Escape, found: Finding[]): void {
  const info = instructionInfo(node.keyword.text);
  if (info === undefined || node.kind === "UNKNOWN") {
    found.push(unknownInstruction(node));
    return;
  }
  add(found, checkKeyword(node, info));
  add(found, checkArguments(node, info));
  if (node.flags.length > 0) add(found, checkFlags(node, info));
  if (node.json !== "absent") add(found, checkJson(node, info));
  // An ONBUILD shares lines, heredocs and variables with what it keeps, which is looked at by itself.
  if (node.kind === "ONBUILD" && node.trigger !== undefined) return;
  add(found, checkLines(node, escapeMark));
  add(found, checkRecent(node));
  if (info.expands) add(found, checkQuotes(node, escapeMark));
  if (node.variables.length > 0) for (const use of node.variables) add(found, checkVariable(use));
}

function checkFlags(node: Instruction, info: InstructionInfo): readonly Finding[] {
  return node.flags.flatMap((flag, index) => checkFlag(flag, index, node, info));
}

function unknownInstruction(node: Instruction): Finding {
  const { text, span } = node.keyword;
  const meant = similar(text, names);
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
  const fixes = meant === undefined ? [] : [suggestion(`Change to ${meant}`, replace(span, meant))];
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return finding("KF001", span, `${shown} is no instruction.${hint}`, { fixes });
}

/** Lower-case words whose handlers in sealer look for the upper-case text. */
const caseSensitive: ReadonlySet<string> = new Set(["ENV", "CMD", "APPCMDS"]);

function checkKeyword(node: Instruction, info: InstructionInfo): readonly Finding[] {
  const { span, text } = node.keyword;
  if (text === info.name) return nothing;
  const fixes = [safeFix(`Change to ${info.name}`, replace(span, info.name))];
  const found = [finding("KF023", span, `Write ${info.name} in upper case.`, { fixes })];
  if (caseSensitive.has(info.name)) {
    found.push(finding("KF116", span, `sealer refuses ${text}: write ${info.name}.`, { verdict: "sealer", fixes }));
  }
  return found;
}

/** Instructions whose bare name sealer's parser accepts or for which the builder is content. */
const mayBeBare: ReadonlySet<string> = new Set(["RUN", "ENTRYPOINT", "LAUNCH", "CMDS"]);

function checkArguments(node: Instruction, info: InstructionInfo): readonly Finding[] {
  if (node.rest === undefined && node.heredocs.length === 0) return bare(node, info);
  switch (node.kind) {
    case "FROM":
      return checkFromWords(node.words);
    case "ENV":
    case "LABEL":
      return checkPairs(node);
    case "STOPSIGNAL":
      return oneWord(node, node.signal, "a signal");
    case "HEALTHCHECK":
      return checkHealthcheck(node);
    case "COPY":
    case "ADD":
    case "SHELL":
      return checkDockerLists(node);
    case "VOLUME":
      return checkVolume(node);
    case "APP":
    case "CNI":
    case "CSI":
    case "APPENV":
    case "APPCMDS":
      return checkAppArguments(node);
    default:
      return nothing;
  }
}

const nothing: readonly Finding[] = [];

function checkVolume(node: Extract<Instruction, { kind: "VOLUME" }>): readonly Finding[] {
  const empty = node.paths.find((word) => word.value === "");
  if (node.paths.length > 0 && empty === undefined) return nothing;
  const span = empty?.span ?? node.rest?.span ?? node.keyword.span;
  return [finding("KF002", span, "VOLUME needs a path.", { verdict: "docker" })];
}

function bare(node: Instruction, info: InstructionInfo): readonly Finding[] {
  const message = `Nothing follows ${info.name}: write ${info.usage[0] ?? info.name}`;
  const { span } = node.keyword;
  // sealer crashes on a bare CMD; for others it only says nothing.
  if (info.name === "CMD") {
    const mild = finding("KF002", span, message, { severity: "warning", only: "sealos" });
    return [finding("KF002", span, message, { verdict: "sealer" }), mild];
  }
  if (mayBeBare.has(info.name)) return [finding("KF002", span, message, { severity: "warning" })];
  const everyone = info.name === "FROM" || info.name === "COPY" || !info.dialects.includes("sealos");
  return [finding("KF002", span, message, { verdict: everyone ? "everyone" : "docker" })];
}

function checkDockerLists(node: Extract<Instruction, { kind: "COPY" | "ADD" | "SHELL" }>): readonly Finding[] {
  if (node.kind === "SHELL") {
    if (node.form === "json" && node.words.length > 0) return nothing;
    const span = node.rest?.span ?? node.keyword.span;
    return [finding("KF011", span, 'SHELL needs a JSON array: ["/bin/bash", "-c"].', { verdict: "docker" })];
  }
  if (node.words.length > 1 || node.heredocs.length > 1) return nothing;
  const span = node.words[0]?.span ?? node.keyword.span;
  const verdict = node.kind === "COPY" ? "everyone" : "docker";
  return [finding("KF002", span, `${node.kind} needs a source and a destination.`, { verdict })];
}

function checkAppArguments(
  node: Extract<Instruction, { kind: "APP" | "CNI" | "CSI" | "APPENV" | "APPCMDS" }>,
): readonly Finding[] {
  const { span } = node.keyword;
  if (node.kind === "APPENV") {
    if (node.pairs.length > 0) return nothing;
    return [finding("KF002", span, "APPENV needs KEY=VALUE behind the name.", { severity: "warning" })];
  }
  if (node.kind === "APPCMDS") {
    if (node.commands !== undefined) return nothing;
    return [finding("KF011", node.rest?.span ?? span, 'APPCMDS needs a JSON array: APPCMDS NAME ["COMMAND"].')];
  }
  if (node.words.length > 1) return nothing;
  return [finding("KF002", span, `${node.kind} needs at least one source: local://PATH.`, { severity: "warning" })];
}

function checkFromWords(words: readonly Word[]): readonly Finding[] {
  const [, second, third, fourth] = words;
  if (second === undefined) return nothing;
  const named = second.text.toLowerCase() === "as";
  if (named && third === undefined) {
    return [finding("KF002", second.span, "FROM ... AS needs a name for the stage.", { verdict: "docker" })];
  }
  if (!named) {
    const fixes =
      third !== undefined && fourth === undefined
        ? [suggestion("Change to AS", replace(second.span, "AS"))]
        : [suggestion("Remove", replace(spanOver(words.slice(1)), ""))];
    return [
      finding("KF003", spanOver(words.slice(1)), "FROM takes one image, then AS and a name.", {
        verdict: "docker",
        fixes,
      }),
    ];
  }
  if (fourth === undefined) return [];
  const span = spanOver(words.slice(3));
  const fixes = [suggestion("Remove", replace(span, ""))];
  return [finding("KF003", span, "Nothing may follow the stage's name.", { verdict: "docker", fixes })];
}

function spanOver(words: readonly Word[]): Span {
  return { start: words[0]?.span.start ?? 0, end: words.at(-1)?.span.end ?? 0 };
}

function oneWord(node: Instruction, word: Word | undefined, what: string): Finding[] {
  if (word === undefined || !/\s/.test(word.text)) return [];
  return [finding("KF003", word.span, `${node.kind} takes ${what} and nothing else.`, { verdict: "docker" })];
}

function checkPairs(node: Extract<Instruction, { kind: "ENV" | "LABEL" }>): readonly Finding[] {
  if (node.legacy) {
    const [pair] = node.pairs;
    if (pair === undefined) return [];
    if (pair.value === undefined) {
      return [finding("KF002", pair.span, `${node.kind} ${pair.name.text} needs a value: ${pair.name.text}=VALUE.`)];
    }
    const simple = /^[^\s"'\\`$]+$/.test(pair.value.text);
    const gap = { start: pair.name.span.end, end: pair.value.span.start };
    const fixes = simple ? [safeFix("Write with =", replace(gap, "="))] : [];
    return [finding("KF039", pair.span, `Write ${pair.name.text}=VALUE instead of the old form.`, { fixes })];
  }
  if (node.pairs.every(({ name, value }) => value !== undefined && name.text !== "")) return nothing;
  return node.pairs.flatMap((pair) => {
    if (pair.value === undefined) {
      return [finding("KF009", pair.span, `${pair.name.text} has no =. Put quotes around values with blanks.`)];
    }
    if (pair.name.text !== "") return [];
    return [finding("KF009", pair.span, "A name is missing in front of =.", { verdict: "docker" })];
  });
}

function checkHealthcheck(node: Extract<Instruction, { kind: "HEALTHCHECK" }>): Finding[] {
  const { mode, command } = node;
  if (mode === undefined) return [];
  const name = mode.text.toUpperCase();
  if (name === "NONE") {
    if (command === undefined) return [];
    return [finding("KF003", command.span, "HEALTHCHECK NONE takes nothing else.", { verdict: "docker" })];
  }
  if (name !== "CMD") {
    return [finding("KF036", mode.span, `HEALTHCHECK takes CMD or NONE, not ${mode.text}.`, { verdict: "docker" })];
  }
  if (command !== undefined && (command.form === "shell" || command.elements.length > 0)) return [];
  return [finding("KF002", mode.span, "HEALTHCHECK CMD needs a command.", { verdict: "docker" })];
}

function checkFlag(flag: Flag, index: number, node: Instruction, info: InstructionInfo): Finding[] {
  const name = flag.name.value;
  const known = info.flags.find((row) => row.name === name);
  if (known === undefined) return [unknownFlag(flag, info)];
  if (!known.repeatable && node.flags.findIndex((other) => other.name.value === name) < index) {
    return [finding("KF006", flag.span, `--${name} is given twice: keep one. BuildKit refuses this.`)];
  }
  const { value } = flag;
  if (value === undefined) {
    if (known.value === "optional") return [];
    return [finding("KF005", flag.span, `--${name} needs a value: --${name}=VALUE.`, { verdict: "docker" })];
  }
  if (value.value === "") {
    const message = `--${name}= says nothing: write a value, or leave the flag out.`;
    return [finding("KF005", flag.span, message, { severity: "warning" })];
  }
  const wrong = isVariable(value.text) ? undefined : wrongFlagValue(known, value);
  if (wrong === undefined) return [];
  const { message, severity } = wrong;
  return [finding("KF007", value.span, message, severity === undefined ? { verdict: "docker" } : { severity })];
}

function unknownFlag(flag: Flag, info: InstructionInfo): Finding {
  const name = flag.name.value;
  const meant = similar(
    name,
    info.flags.map((row) => row.name),
  );
  const hint = meant === undefined ? "" : ` Did you mean --${meant}?`;
  const fixes = meant === undefined ? [] : [suggestion(`Change to --${meant}`, replace(flag.name.span, meant))];
  // Where an instruction has no flags at all, sealer and buildah drop them without a word; BuildKit refuses them.
  const dropped = info.flags.length === 0 && info.name !== "STOPSIGNAL" && info.name !== "SHELL";
  return finding("KF004", flag.span, `${info.name} has no flag --${name}.${hint}`, {
    ...(dropped ? { severity: "warning" as const } : {}),
    verdict: info.name === "FROM" || dropped ? "everyone" : "docker",
    fixes,
  });
}

const duration = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const durationFlags: ReadonlySet<string> = new Set(["interval", "timeout", "start-period", "start-interval"]);
const mountTypes: readonly string[] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const mountKeys: ReadonlySet<string> = new Set(
  "type source src from target dst destination readonly ro readwrite rw id sharing required size mode uid gid env relabel z".split(
    " ",
  ),
);

interface WrongValue {
  readonly message: string;
  /** Given when only some builders refuse it. */
  readonly severity?: Severity;
}

function refused(message: string | undefined): WrongValue | undefined {
  return message === undefined ? undefined : { message };
}

function wrongFlagValue(known: FlagInfo, value: Word): WrongValue | undefined {
  const text = value.value;
  if (known.value === "optional") {
    return refused(
      /^(?:true|false|1|0|t|f)$/i.test(text) ? undefined : `--${known.name} takes true or false, not ${text}.`,
    );
  }
  if (durationFlags.has(known.name)) return wrongDuration(known.name, text);
  if (known.name === "retries") return wrongRetries(text);
  if (known.name === "network" || known.name === "security") {
    const message = `--${known.name} takes ${known.values.join(", ")}, not ${text}.`;
    return refused(known.values.includes(text) ? undefined : message);
  }
  return known.name === "mount" ? refused(wrongMount(text)) : undefined;
}

function wrongRetries(text: string): WrongValue | undefined {
  if (!/^\+?\d+$/.test(text)) return refused(`--retries takes a whole number, not ${text}.`);
  if (Number(text) > 0) return undefined;
  return {
    message: "--retries=0 is refused by buildah and means 3 for BuildKit: write how many failures count.",
    severity: "warning",
  };
}

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
};

function wrongDuration(name: string, text: string): WrongValue | undefined {
  const zero = /^[+-]?0$/.test(text);
  if (!zero && !duration.test(text)) return refused(`--${name} takes a time such as 30s or 1m30s, not ${text}.`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (nanoseconds[unit ?? ""] ?? 0);
  }
  if (total === 0) {
    const message = `--${name}=${text} is refused by buildah and is the default for BuildKit: leave the flag out.`;
    return { message, severity: "warning" };
  }
  if (text.startsWith("-")) return refused(`--${name} takes no negative time.`);
  return total < 1e6 ? { message: `--${name} takes at least 1ms.`, severity: "warning" } : undefined;
}

function wrongMount(text: string): string | undefined {
  for (const part of text.split(",")) {
    const key = part.split("=", 1)[0] ?? "";
    if (!mountKeys.has(key.toLowerCase())) return `--mount has no option ${key === "" ? "without a name" : key}.`;
    const value = part.slice(key.length + 1);
    if (key.toLowerCase() === "type" && !mountTypes.includes(value.toLowerCase())) {
      return `--mount takes type ${mountTypes.join(", ")}, not ${value}.`;
    }
  }
  return undefined;
}

/** Longer texts are not looked at by expressions that may look back. */
const longest = 20_000;

const brokenStrings = /^\[\s*["'].*["']\s*,?\s*\]$/s;
/** Where a list of paths stands, no shell can make sense of brackets: `[a-c]*` is a pattern, `["a", "b"` and `[a, b]` are slips. */
const brokenPaths = /^\[(?:\s*["']|.*,.*\]$)/s;
const pathLists: ReadonlySet<string> = new Set(["COPY", "ADD", "VOLUME"]);

function checkJson(node: Instruction, info: InstructionInfo): readonly Finding[] {
  const { rest } = node;
  if (rest === undefined || node.kind === "SHELL" || node.kind === "APPCMDS") return nothing;
  if (node.json === "not-strings") {
    return [
      finding("KF011", rest.span, "A JSON array here must hold strings only: put each element in double quotes."),
    ];
  }
  if (node.form === "json") return ignoredBehindArray(node, rest);
  if (
    !info.json ||
    node.json !== "invalid" ||
    rest.text.length > longest ||
    !(pathLists.has(node.kind) ? brokenPaths : brokenStrings).test(rest.text)
  )
    return [];
  const single = /'/.test(rest.text) && !rest.text.includes('"') && !rest.text.includes("\\");
  const fixes = single ? [suggestion("Use double quotes", replace(rest.span, rest.text.replaceAll("'", '"')))] : [];
  const reason = single ? "JSON needs double quotes" : "this is no valid JSON";
  return [
    finding("KF012", rest.span, `${reason}, so it is read as plain text.`, {
      fixes: rest.text.length === rest.span.end - rest.span.start ? fixes : [],
    }),
  ];
}

function ignoredBehindArray(node: Instruction, rest: Word): readonly Finding[] {
  const last = node.words.at(-1);
  const simple = rest.text.length === rest.span.end - rest.span.start;
  if (last === undefined || !simple || rest.text.endsWith("]")) return nothing;
  const tail = rest.text.slice(last.span.end - rest.span.start);
  const close = tail.indexOf("]") + 1;
  if (close === tail.length) return [];
  const start = last.span.end + close;
  return [
    finding("KF024", { start, end: rest.span.end }, "Nothing reads what follows the array.", { tags: ["unnecessary"] }),
  ];
}

/** A line that ends with two escape characters: one of them may be escaped, or not. */
function endsDoubled(text: string, escapeMark: Escape): boolean {
  const end = trimEnd(text, 0, text.length);
  return end > 1 && text[end - 1] === escapeMark && text[end - 2] === escapeMark;
}

function checkLines(node: Instruction, escapeMark: Escape): readonly Finding[] {
  const { blankLines, heredocs, logical } = node;
  if (blankLines.length === 0 && heredocs.length === 0 && !endsDoubled(logical.text, escapeMark)) return nothing;
  const found: Finding[] = [];
  if (node.blankLines.length > 0) {
    const edits = node.blankLines.map((span) => replace(span, ""));
    const fixes = [safeFix("Remove blank lines", ...edits)];
    for (const span of node.blankLines) {
      found.push(finding("KF013", span, "A blank line inside an instruction: remove it, or write # in it.", { fixes }));
    }
  }
  if (endsDoubled(node.logical.text, escapeMark)) {
    const at = node.span.end;
    found.push(
      finding(
        "KF025",
        { start: Math.max(node.span.start, at - 2), end: at },
        `sealer and older buildah join the next line here, newer builders do not: end the line otherwise.`,
      ),
    );
  }
  for (const heredoc of node.heredocs) {
    found.push(finding("KF015", heredoc.span, "sealer has no heredocs.", { verdict: "sealer" }));
    if (heredoc.end === undefined) {
      const name = heredoc.marker.value;
      found.push(finding("KF014", heredoc.span, `No line ${name} ends this heredoc.`, { verdict: "docker" }));
    }
  }
  return found;
}

function checkQuotes(node: Instruction, escapeMark: Escape): readonly Finding[] {
  const { text } = node.logical;
  if (node.form === "json" || !(text.includes('"') || text.includes("'"))) return nothing;
  return quotableWords(node)
    .filter((word) => hasOpenQuote(word.text, escapeMark))
    .map((word) => finding("KF010", word.span, "A closing quote is missing.", { verdict: "docker" }));
}

function quotableWords(node: Instruction): readonly Word[] {
  if (node.kind === "ENV" || node.kind === "LABEL" || node.kind === "ARG") {
    return node.pairs.flatMap((pair) => (pair.value === undefined ? [pair.name] : [pair.name, pair.value]));
  }
  if (node.words.length > 0) return node.words;
  return node.rest === undefined ? [] : [node.rest];
}

function hasOpenQuote(text: string, escapeMark: Escape): boolean {
  if (!/["']/.test(text)) return false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === escapeMark) {
      at++;
    } else if (character === "'" || character === '"') {
      at = closingQuote(text, at, escapeMark);
      if (at < 0) return true;
    }
  }
  return false;
}

const modifiers: ReadonlySet<string> = new Set([":-", "-", ":+", "+", ":?", "?", "#", "##", "%", "%%", "/", "//"]);

function checkVariable(use: VariableUse): readonly Finding[] {
  if (use.shell) return nothing;
  if (!use.complete) {
    return [finding("KF019", use.span, `\${${use.name} has no closing }.`, { verdict: "docker" })];
  }
  const { modifier } = use;
  if (modifier === undefined || modifiers.has(modifier.operator)) return nothing;
  const shown = `${modifier.operator}${modifier.operator === ":" ? modifier.word.slice(0, 1) : ""}`;
  return [
    finding("KF019", modifier.span, `${shown} is no modifier of variables; :- gives a default.`, { verdict: "docker" }),
  ];
}

/** Parser directives, which must come first, be lower case, and stand once. */
export function checkDirectives(list: readonly Directive[]): Finding[] {
  return list.flatMap((directive, index) => {
    const found: Finding[] = [];
    const { name, value } = directive;
    const earlier = list.slice(0, index).find((other) => other.name.value === name.value);
    if (earlier !== undefined) {
      const related = [{ span: earlier.span, message: "given here first" }];
      const details = name.value === "escape" ? { related } : { related, severity: "warning" as const };
      found.push(finding("KF016", directive.span, `The directive ${name.value} may stand only once.`, details));
    }
    if (name.value === "escape" && value.text !== "\\" && value.text !== "`") {
      const fixes = ["\\", "`"].map((mark) => suggestion(`Change to ${mark}`, replace(value.span, mark)));
      const longer = /^[\\`]/.test(value.text) ? { severity: "warning" as const } : {};
      found.push(finding("KF016", value.span, `escape is \\ or \`, not ${value.text}.`, { fixes, ...longer }));
    }
    if (name.text !== name.value) {
      const fixes = [safeFix(`Change to ${name.value}`, replace(name.span, name.value))];
      found.push(finding("KF017", name.span, `Write ${name.value} in lower case.`, { fixes }));
    }
    return found;
  });
}

const directiveComment = /^#\s*([A-Za-z]+)\s*=\s*\S/;

/** A comment that would be a directive if it stood at the head of the file. */
export function checkComment(comment: Comment): Finding[] {
  const name = directiveComment.exec(comment.text)?.[1]?.toLowerCase();
  if (name === undefined || !directives.some((known) => known.name === name)) return [];
  return [
    finding("KF018", comment.span, `This is a comment: the directive ${name} counts only above everything else.`),
  ];
}
