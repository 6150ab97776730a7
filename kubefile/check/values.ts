import type { Add, Arg, Copy, Env, Expose, From, Instruction, Label, StopSignal, Word } from "../syntax.ts";
import type { DocumentView } from "./document.ts";
import { type Finding, finding, isVariable, replace, safeFix, suggestion } from "./finding.ts";
import { checkLabelValues } from "./labels.ts";

/** What can be said of the values of one instruction: images, ports, signals, names, commands. */
export function checkValues(node: Instruction): readonly Finding[] {
  switch (node.kind) {
    case "FROM":
      return checkFrom(node);
    case "EXPOSE":
      return checkPorts(node);
    case "STOPSIGNAL":
      return checkSignal(node);
    case "ENV":
      return joined(checkSecrets(node), joined(checkDuplicates(node), checkSelfReference(node)));
    case "ARG":
      return checkSecrets(node);
    case "LABEL":
      return joined(checkDuplicates(node), joined(checkLabels(node), checkLabelValues(node)));
    case "COPY":
    case "ADD":
      return checkCopy(node);
    case "ENTRYPOINT":
      return checkEntrypoint(node);
    case "RUN":
      return checkRun(node);
    case "MAINTAINER":
      return checkMaintainer(node);
    case "ONBUILD":
      return checkTrigger(node.trigger);
    default:
      return nothing;
  }
}

const nothing: readonly Finding[] = [];

/** Both lists; most often at least one is empty. */
function joined(one: readonly Finding[], other: readonly Finding[]): readonly Finding[] {
  if (one.length === 0) return other;
  return other.length === 0 ? one : [...one, ...other];
}

const domain =
  "(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?";
const path = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const reference = new RegExp(
  `^(?:${domain}/)?${path}(?:/${path})*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);
const stageName = /^[a-z][a-z0-9._-]*$/i;
const reserved: ReadonlySet<string> = new Set(["context", "scratch"]);

function checkFrom(node: From): Finding[] {
  const found: Finding[] = [];
  const platform = node.flags.find((flag) => flag.name.value === "platform");
  if (platform?.value !== undefined) {
    const value = platform.value.text;
    if (value === "$TARGETPLATFORM" || value === "${TARGETPLATFORM}") {
      const edit = replace(
        { start: platform.span.start, end: Math.max(platform.span.end, node.image?.span.start ?? 0) },
        "",
      );
      found.push(
        finding("KF060", platform.span, "This is the default platform already.", {
          tags: ["unnecessary"],
          fixes: [safeFix("Remove the flag", edit)],
        }),
      );
    } else if (!isVariable(value)) {
      found.push(finding("KF061", platform.span, `This stage is for ${value} whatever the image is built for.`));
    }
  }
  if (node.as !== undefined) {
    // A FROM that is not in upper case is another rule's.
    if (node.keyword.text === "FROM" && node.as.text !== "AS") {
      const fixes = [safeFix("Change to AS", replace(node.as.span, "AS"))];
      found.push(finding("KF053", node.as.span, "Write AS in upper case, like FROM.", { fixes }));
    }
  }
  if (node.stageName !== undefined) found.push(...checkStageName(node.stageName));
  return found;
}

function checkStageName(word: Word): Finding[] {
  const { text, span } = word;
  if (!stageName.test(text)) {
    return [finding("KF031", span, `${text}: a stage name starts with a letter and holds letters, digits, . _ and -.`)];
  }
  if (reserved.has(text.toLowerCase())) {
    return [finding("KF051", span, `${text} means something else: choose another name.`)];
  }
  if (text === text.toLowerCase()) return [];
  return [
    finding("KF052", span, `Write the stage name in lower case: ${text.toLowerCase()}.`, {
      fixes: [suggestion(`Change to ${text.toLowerCase()}`, replace(span, text.toLowerCase()))],
    }),
  ];
}

/** The image of a FROM that names no stage: its form and its tag. */
export function checkImage(view: Pick<DocumentView, "wants">, image: Word): readonly Finding[] {
  const name = image.value;
  if (isVariable(name) || name === "scratch") return [];
  // A name of an image has at most 255 characters.
  const match = name.length > 400 ? null : reference.exec(name);
  if (match === null) {
    const lower = name.toLowerCase();
    const hint = reference.test(lower) ? " Names are lower case." : "";
    if (!view.wants("KF030", { verdict: "docker" })) return [];
    return [finding("KF030", image.span, `${name} is no image name.${hint}`, { verdict: "docker" })];
  }
  const [, tag, digest] = match;
  if (digest !== undefined) return [];
  const code = tag === undefined || tag === ":latest" ? "KF071" : "KF072";
  if (!view.wants(code)) return [];
  if (tag === undefined) {
    return [finding("KF071", image.span, `${name} has no tag, so it is whatever latest is today: name one.`)];
  }
  if (tag === ":latest") {
    return [finding("KF071", image.span, "latest is another image tomorrow: name a version.")];
  }
  return [finding("KF072", image.span, `${name} may change: add @sha256:... to pin it.`)];
}

const port = /^(\d+)(?:-(\d+))?(?:\/([A-Za-z]+))?$/;
const hostPort = /^(?:.*:)?(?:\d+(?:-\d+)?)?:(\d+(?:-\d+)?(?:\/[A-Za-z]+)?)$/;
const protocols: ReadonlySet<string> = new Set(["tcp", "udp", "sctp"]);

function checkPorts(node: Expose): Finding[] {
  return node.ports.flatMap((word) => {
    if (isVariable(word.text) || word.text.length > 200) return [];
    const plain = hostPort.exec(word.value)?.[1];
    const wrong = wrongPort(plain ?? word.value);
    if (wrong !== undefined) return [finding("KF032", word.span, wrong)];
    const found: Finding[] = [];
    if (plain !== undefined) {
      found.push(
        finding("KF034", word.span, `EXPOSE takes the port of the container only: ${plain}.`, {
          fixes: [suggestion(`Change to ${plain}`, replace(word.span, plain))],
        }),
      );
    }
    const lower = word.value.toLowerCase();
    if (lower !== word.value) {
      found.push(
        finding("KF033", word.span, `Write the protocol in lower case: ${lower}.`, {
          fixes: [safeFix(`Change to ${lower}`, replace(word.span, lower))],
        }),
      );
    }
    return found;
  });
}

function wrongPort(text: string): string | undefined {
  const match = port.exec(text);
  if (match === null) return `${text} is no port: write 8080, 8080/udp or 8000-8010.`;
  const [, first = "", last = first, protocol = "tcp"] = match;
  if (Number(first) > 65535 || Number(last) > 65535) return `${text}: ports end at 65535.`;
  if (Number(last) < Number(first)) return `${text}: the range runs backwards.`;
  return protocols.has(protocol.toLowerCase()) ? undefined : `${protocol} is no protocol: tcp, udp or sctp.`;
}

const signals: ReadonlySet<string> = new Set(
  "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX".split(
    " ",
  ),
);

function checkSignal(node: StopSignal): Finding[] {
  const word = node.signal;
  if (word === undefined || isVariable(word.text) || /\s/.test(word.text)) return [];
  const name = word.value.toUpperCase().replace(/^SIG/, "");
  if (signals.has(name) || /^RTM(?:IN\+(?:[1-9]|1[0-5])|AX-(?:[1-9]|1[0-4]))$/.test(name)) return [];
  if (/^\d+$/.test(name) && Number(name) > 0) return [];
  const negative = /^-\d+$/.test(name);
  return [
    finding("KF035", word.span, `${word.text} is no signal: write SIGTERM or a number.`, {
      ...(negative ? { severity: "warning" as const } : { verdict: "docker" as const }),
    }),
  ];
}

const secretName = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const publicName = /(?:^|_)public(?:_|$)/i;

function checkSecrets(node: Env | Arg): readonly Finding[] {
  if (!node.pairs.some(({ name }) => secretName.test(name.text))) return nothing;
  return node.pairs
    .filter(({ name }) => secretName.test(name.text) && !publicName.test(name.text))
    .map(({ name }) =>
      finding(
        "KF070",
        name.span,
        `${name.text} looks like a secret. ${node.kind} is kept in the image, where everyone can read it.`,
      ),
    );
}

function checkDuplicates(node: Env | Label): readonly Finding[] {
  if (node.pairs.length < 2 || (node.pairs.length === 2 && node.pairs[0]?.name.value !== node.pairs[1]?.name.value))
    return nothing;
  const first = new Map<string, Word>();
  return node.pairs.flatMap(({ name }) => {
    const earlier = first.get(name.value);
    if (earlier === undefined) {
      first.set(name.value, name);
      return [];
    }
    const related = [{ span: earlier.span, message: "set here first" }];
    return [finding("KF080", name.span, `${name.value} is set twice; the last value counts.`, { related })];
  });
}

function checkSelfReference(node: Env): readonly Finding[] {
  if (node.variables.length === 0 || node.pairs.length < 2) return nothing;
  const set = new Map(node.pairs.map((pair) => [pair.name.value, pair]));
  return node.variables.flatMap((use) => {
    const pair = set.get(use.name);
    const own = pair !== undefined && pair.span.start <= use.span.start && use.span.end <= pair.span.end;
    if (pair === undefined || own) return [];
    const related = [{ span: pair.name.span, message: "set in the same instruction" }];
    return [
      finding("KF063", use.span, `${use.name} still has its old value here: set it in an ENV above.`, { related }),
    ];
  });
}

const labelKey = /^[a-z0-9](?:[a-z0-9]|[./_-](?=[a-z0-9]))*$/;

function checkLabels(node: Label): readonly Finding[] {
  if (node.pairs.every(({ name }) => labelKey.test(name.value))) return nothing;
  return node.pairs
    .filter(({ name }) => name.value !== "" && !isVariable(name.text) && !labelKey.test(name.value))
    .map(({ name }) =>
      finding(
        "KF079",
        name.span,
        `${name.value}: label keys are lower case, of letters and digits joined by . - _ and /.`,
      ),
    );
}

function checkCopy(node: Copy | Add): readonly Finding[] {
  const { destination } = node;
  if (node.kind === "COPY" && node.sources.length === 1 && !node.sources[0]?.value.startsWith("..")) return nothing;
  const found: Finding[] = [];
  for (const source of node.sources) {
    if (/^(?:\.\.\/|\.\.$)/.test(source.value) && !node.flags.some((flag) => flag.name.value === "from")) {
      found.push(
        finding(
          "KF081",
          source.span,
          `${source.value} is above the build context, where nothing is read: / of the context is taken.`,
        ),
      );
    }
  }
  const many = node.sources.length > 1;
  if (
    many &&
    destination !== undefined &&
    !isVariable(destination.text) &&
    !/(?:[/\\]|^\.{1,2}|\/\.{1,2})$/.test(destination.value)
  ) {
    found.push(
      finding(
        "KF075",
        destination.span,
        `With more than one source the destination must be a folder: ${destination.value}/.`,
        {
          fixes: isSimple(destination)
            ? [suggestion("Add /", replace({ start: destination.span.end, end: destination.span.end }, "/"))]
            : [],
        },
      ),
    );
  }
  if (node.kind === "ADD") found.push(...checkAdd(node));
  return found;
}

function isSimple(word: Word): boolean {
  return word.text === word.value;
}

const fetched = /^(?:https?|ftp|git|ssh):\/\/|^git@|\.git(?:#|$)/i;
const archive = /\.(?:tar|tgz|tbz2?|txz|tzst|tar\.[a-z0-9]+)$/i;

function checkAdd(node: Add): Finding[] {
  const plain = node.sources.every(
    (source) =>
      !isVariable(source.text) &&
      !fetched.test(source.value) &&
      !archive.test(source.value) &&
      !/[*?[]/.test(source.value),
  );
  const special = node.flags.some((flag) => !["chown", "chmod", "link", "exclude"].includes(flag.name.value));
  if (!plain || special || node.sources.length === 0 || node.heredocs.length > 0) return [];
  const fixes = [suggestion("Change to COPY", replace(node.keyword.span, "COPY"))];
  return [finding("KF076", node.keyword.span, "COPY does this; ADD is for URLs and archives.", { fixes })];
}

function checkEntrypoint(node: Extract<Instruction, { kind: "ENTRYPOINT" }>): readonly Finding[] {
  if (node.command?.form !== "shell") return [];
  return [finding("KF074", node.command.span, "A shell gets the signals meant for this command: write a JSON array.")];
}

function checkRun(node: Extract<Instruction, { kind: "RUN" }>): Finding[] {
  if (node.command?.form !== "shell") return [];
  const { text, span } = node.command;
  const found: Finding[] = [];
  if (/(?:^|[;&|]\s*)sudo\s/.test(text)) found.push(finding("KF084", span, "RUN is root already: sudo is not needed."));
  if (/[^|]\|[^|&]/.test(unquoted(text)) && !text.includes("pipefail")) {
    found.push(finding("KF078", span, "Only the last command of a pipe counts: start with set -o pipefail."));
  }
  if (/^cd\s+[^;&|]+$/.test(text))
    found.push(finding("KF085", span, "The folder is forgotten when RUN ends: use WORKDIR, or go on with &&."));
  return found;
}

/** A command with what stands in quotes taken out. */
function unquoted(text: string): string {
  return text.includes("|") && text.length < 20_000 ? text.replace(/'[^']*'|"(?:[^"\\]|\\.)*"/g, "") : "";
}

function checkMaintainer(node: Extract<Instruction, { kind: "MAINTAINER" }>): Finding[] {
  const { rest } = node;
  const value = rest?.value.replaceAll('"', '\\"');
  const fixes =
    rest === undefined || value === undefined
      ? []
      : [
          safeFix(
            "Change to LABEL",
            replace(
              { start: node.keyword.span.start, end: rest.span.end },
              `LABEL org.opencontainers.image.authors="${value}"`,
            ),
          ),
        ];
  return [
    finding("KF038", node.keyword.span, "MAINTAINER is deprecated: use LABEL org.opencontainers.image.authors.", {
      tags: ["deprecated"],
      fixes: fixes.map((fix) => ({ ...fix, safe: false })),
    }),
  ];
}

function checkTrigger(trigger: Instruction | undefined): Finding[] {
  if (trigger === undefined) return [];
  const { kind, keyword } = trigger;
  if (kind === "ONBUILD")
    return [finding("KF022", keyword.span, "ONBUILD cannot keep an ONBUILD.", { verdict: "docker" })];
  if (kind !== "FROM" && kind !== "MAINTAINER") return [];
  return [finding("KF022", keyword.span, `ONBUILD cannot keep ${kind}.`, { verdict: "docker" })];
}
