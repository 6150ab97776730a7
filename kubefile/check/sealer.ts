import type { AppCmds, AppEnv, Cmd, Cmds, Copy, Env, Instruction, KubeVersion, Word } from "../syntax.ts";
import { type Finding, finding, isVariable, replace, suggestion } from "./finding.ts";

/** What sealer does with one instruction that its writer may not expect. */
export function checkSealer(node: Instruction): readonly Finding[] {
  switch (node.kind) {
    case "FROM":
      return node.variables
        .filter(
          (use) =>
            node.image !== undefined && use.span.end <= node.image.span.end && use.span.start >= node.image.span.start,
        )
        .map((use) =>
          finding("KF117", use.span, "sealer does not expand variables in FROM: write the image.", {
            verdict: "sealer",
          }),
        );
    case "COPY":
      return checkCopy(node);
    case "ADD":
      return node.variables
        .filter((use) => use.name === "ARCH")
        .map((use) => finding("KF118", use.span, "sealer knows ARCH in COPY only, not in ADD.", { only: "sealer" }));
    case "ENV":
      return checkEnv(node);
    case "APP":
    case "CNI":
    case "CSI":
      return checkApp(node);
    case "APPENV":
      return checkAppEnv(node);
    case "APPCMDS":
      return checkAppCmds(node);
    case "CMDS":
      return checkCmds(node);
    case "CMD":
      return checkCmd(node);
    case "KUBEVERSION":
      return checkVersion(node);
    default:
      return nothing;
  }
}

const nothing: readonly Finding[] = [];

function checkCopy(node: Copy): readonly Finding[] {
  if (node.sources.length < 2 && node.flags.length === 0 && node.variables.length === 0) return nothing;
  const found: Finding[] = [];
  const [first, ...others] = node.sources;
  for (const flag of node.flags) {
    found.push(finding("KF113", flag.span, `sealer drops --${flag.name.value}.`, { only: "sealer" }));
  }
  const last = others.at(-1);
  const second = others[0];
  if (first !== undefined && second !== undefined && last !== undefined && node.heredocs.length === 0) {
    const span = { start: second.span.start, end: node.destination?.span.end ?? last.span.end };
    const lines = node.sources.map((source) => `${node.keyword.text} ${source.text} ${node.destination?.text ?? ""}`);
    const fixes =
      node.form === "words" && node.flags.length === 0
        ? [
            suggestion(
              "Write one COPY for each source",
              replace({ start: node.keyword.span.start, end: node.span.end }, lines.join("\n")),
            ),
          ]
        : [];
    found.push(
      finding("KF112", span, `sealer copies ${first.value} to ${second.value} and drops the rest.`, {
        only: "sealer",
        fixes,
      }),
    );
  }
  for (const use of node.variables) {
    const inSource = node.sources.some((word) => word.span.start <= use.span.start && use.span.end <= word.span.end);
    if (!inSource || use.name === "ARCH") continue;
    found.push(
      finding("KF118", use.span, `In a source sealer knows ARCH only: ${use.name} is read as nothing.`, {
        only: "sealer",
      }),
    );
  }
  return found;
}

function checkEnv(node: Env): readonly Finding[] {
  if (node.legacy) {
    const [pair] = node.pairs;
    if (pair === undefined) return [];
    return [
      finding("KF115", pair.span, `Without = sealer does not hand ${pair.name.text} to scripts and templates.`, {
        only: "sealer",
      }),
    ];
  }
  if (node.pairs.every(({ value }) => value === undefined || !/[ \t]/.test(value.text))) return nothing;
  return node.pairs.flatMap(({ value }) =>
    value === undefined || !/[ \t]/.test(value.text)
      ? []
      : [
          finding("KF114", value.span, "For scripts and templates sealer cuts this value at its first blank.", {
            only: "sealer",
          }),
        ],
  );
}

/** A DNS label: what a helm release and a label's suffix take. */
const appName = /^[a-z0-9](?:[a-z0-9.-]{0,51}[a-z0-9])?$/;
const schemes: ReadonlySet<string> = new Set(["local", "http", "https"]);

function checkApp(node: Extract<Instruction, { kind: "APP" | "CNI" | "CSI" }>): readonly Finding[] {
  const found: Finding[] = [];
  if (node.app !== undefined && !isVariable(node.app.text) && !appName.test(node.app.value)) {
    found.push(
      finding(
        "KF122",
        node.app.span,
        `${node.app.value} becomes a folder and a helm release: use lower-case letters, digits, - and .`,
      ),
    );
  }
  for (const source of node.sources) {
    if (source.scheme !== undefined && schemes.has(source.scheme)) {
      const { path } = source;
      if (path.value === "")
        found.push(finding("KF106", source.word.span, `A path is missing behind ${source.scheme}://.`));
      continue;
    }
    found.push(wrongScheme(source.word, source.scheme));
  }
  return found;
}

function wrongScheme(word: Word, scheme: string | undefined): Finding {
  const simple = word.text === word.value;
  if (scheme !== undefined) {
    return finding("KF106", word.span, `sealer takes local://, http:// and https://, not ${scheme}://.`);
  }
  const start = { start: word.span.start, end: word.span.start };
  const fixes = simple ? [suggestion("Add local://", replace(start, "local://"))] : [];
  return finding("KF106", word.span, `A scheme is missing: local://${word.value} for a file of the build context.`, {
    fixes,
  });
}

function checkAppEnv(node: AppEnv): readonly Finding[] {
  return node.pairs.flatMap(({ span, name, value }) => {
    if (value === undefined) return [finding("KF121", span, `${name.text} has no =, so sealer ignores it.`)];
    return /["']/.test(value.text)
      ? [finding("KF121", value.span, "APPENV knows no quotes: they become part of the value, and a blank ends it.")]
      : [];
  });
}

function checkAppCmds(node: AppCmds): Finding[] {
  if (
    node.keyword.text === "APPCMDS" &&
    node.app !== undefined &&
    node.logical.text.startsWith(`APPCMDS ${node.app.text}`)
  )
    return [];
  if (node.keyword.text !== "APPCMDS" || node.app === undefined) return [];
  return [
    finding("KF011", node.app.span, "sealer wants one blank between APPCMDS and the name.", { severity: "warning" }),
  ];
}

function checkCmds(node: Cmds): Finding[] {
  if (node.form === "json" || node.rest === undefined || node.json !== "absent" || node.commands.length < 2) return [];
  const simple = node.rest.span.end - node.rest.span.start === node.rest.text.length;
  const fixes = simple
    ? [suggestion("Write as one command", replace(node.rest.span, `[${JSON.stringify(node.rest.text)}]`))]
    : [];
  return [finding("KF120", node.rest.span, "Each word is a command of its own here: write a JSON array.", { fixes })];
}

function checkCmd({ rest }: Cmd): readonly Finding[] {
  if (rest === undefined || !rest.text.includes("CMD ")) return nothing;
  return [finding("KF124", rest.span, 'sealer cuts a command at "CMD " inside of it.', { only: "sealer" })];
}

const number = "(?:\\d+|[xX*])";
const version = `v?${number}(?:\\.${number}){0,2}(?:-[0-9A-Za-z.-]+)?(?:\\+[0-9A-Za-z.-]+)?`;
const term = `(?:=|==|!=|>|<|>=|=>|<=|=<|~|~>|\\^)?\\s*${version}`;
const range = `(?:${version}\\s+-\\s+${version}|${term})`;
const constraint = new RegExp(`^${range}(?:(?:\\s*,\\s*|\\s+|\\s*\\|\\|\\s*)${range})*$`);

function checkVersion(node: KubeVersion): Finding[] {
  const word = node.constraint;
  if (word === undefined) return [];
  const text = word.value.trim();
  if (text.length <= 200 && constraint.test(text)) return [];
  return [
    finding("KF111", word.span, `${text} is no constraint on versions: write >=1.22.0 <1.30.0, ~1.28 or v1.22.15.`),
  ];
}
