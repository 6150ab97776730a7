import type { Span } from "./span.ts";

export type Severity = "error" | "warning" | "information" | "hint";

/** What is wrong in a Kubefile, where, and what can be done about it. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly span: Span;
  /** One sentence or two: what was found, and what to do next. */
  readonly message: string;
  /** Other places that explain it, such as the first LAUNCH of two. */
  readonly related: readonly RelatedPlace[];
  readonly tags: readonly ProblemTag[];
  readonly fixes: readonly Fix[];
}

export interface RelatedPlace {
  readonly span: Span;
  readonly message: string;
}

/** `unnecessary`: shown faded. `deprecated`: shown struck through. */
export type ProblemTag = "unnecessary" | "deprecated";

/** Replace the text of `span` by `text`. */
export interface TextEdit {
  readonly span: Span;
  readonly text: string;
}

/** Edits that only make sense together: all are applied, or none. They do not overlap and are in order. */
export interface Fix {
  readonly title: string;
  /** A safe fix never changes what is built; fix-all applies only these. Others are suggestions. */
  readonly safe: boolean;
  readonly edits: readonly TextEdit[];
}

/** `KF` and three digits; each has a row in `rules` and a page `docs/problems/<code>.md`. */
export type ProblemCode = `KF${string}`;

/** One rule. Its page is `docs/problems/<code>.md`. */
export interface Rule {
  readonly code: ProblemCode;
  /** Short name, as people say it: `launch-not-last`. */
  readonly name: string;
  /** `off`: only reported when a setting asks for it. */
  readonly severity: Severity | "off";
  /** One line for lists of rules and settings. */
  readonly summary: string;
  /** The same rule in other tools: BuildKit's build checks, hadolint. `# check=skip=` knows the former. */
  readonly aliases: readonly string[];
}

function rule(
  code: ProblemCode,
  name: string,
  severity: Rule["severity"],
  summary: string,
  ...aliases: string[]
): Rule {
  return { code, name, severity, summary, aliases };
}

/** Every rule, by code: grammar from 001, values from 030, stages and variables from 050, advice from 070, sealer's from 100. */
export const rules: readonly Rule[] = [
  rule("KF001", "unknown-instruction", "error", "A word that is no instruction.", "DL1000"),
  rule("KF002", "missing-argument", "error", "An instruction without what it needs."),
  rule("KF003", "extra-argument", "error", "An instruction with more than it takes."),
  rule("KF004", "unknown-flag", "error", "A flag the instruction does not have."),
  rule("KF005", "flag-without-value", "error", "A flag that needs a value and has none."),
  rule("KF006", "duplicate-flag", "warning", "A flag given twice."),
  rule("KF007", "invalid-flag-value", "error", "A flag with a value it does not take."),
  rule("KF008", "instruction-not-in-dialect", "error", "An instruction the other builder has."),
  rule("KF009", "missing-equals", "error", "ENV or LABEL without `=` between name and value."),
  rule("KF010", "unclosed-quote", "error", "A quote without its partner."),
  rule("KF011", "invalid-json-array", "error", "A JSON array that must hold strings only."),
  rule(
    "KF012",
    "broken-json-array",
    "warning",
    "Brackets that look like a JSON array and are read as plain words.",
    "DL3025",
  ),
  rule("KF013", "empty-continuation-line", "warning", "A blank line inside an instruction.", "NoEmptyContinuation"),
  rule("KF014", "unterminated-heredoc", "error", "A heredoc whose end marker is missing."),
  rule("KF015", "heredoc-in-sealer", "error", "A heredoc, which sealer does not know."),
  rule("KF016", "invalid-directive", "error", "A parser directive with a wrong value, or given twice."),
  rule("KF017", "directive-casing", "warning", "A parser directive not in lower case."),
  rule("KF018", "directive-not-first", "warning", "A parser directive that comes too late to count."),
  rule("KF019", "invalid-variable", "error", "A variable with an unknown modifier or without its closing brace."),
  rule("KF020", "instruction-before-from", "error", "An instruction before the first FROM.", "DL3061"),
  rule("KF021", "no-from", "error", "A file without FROM."),
  rule("KF022", "onbuild-trigger", "error", "An instruction that ONBUILD cannot keep."),
  rule("KF023", "instruction-casing", "warning", "An instruction not in upper case.", "ConsistentInstructionCasing"),
  rule("KF024", "ignored-after-array", "warning", "Text behind a JSON array, which no builder reads."),
  rule(
    "KF025",
    "doubled-escape",
    "warning",
    "A line that ends with two escape characters, which builders read in two ways.",
  ),
  rule("KF026", "recent-syntax", "information", "Something that buildah 1.28 and older refuse."),
  rule("KF030", "invalid-image", "error", "A name that is no image reference."),
  rule("KF031", "invalid-stage-name", "warning", "A stage name with characters that are not allowed."),
  rule("KF032", "invalid-port", "warning", "A port that is no number from 0 to 65535, or of an unknown protocol."),
  rule("KF033", "port-protocol-casing", "warning", "A port's protocol not in lower case.", "ExposeProtoCasing"),
  rule(
    "KF034",
    "port-with-host",
    "warning",
    "A port with an address or a host port, which EXPOSE ignores.",
    "ExposeInvalidFormat",
  ),
  rule("KF035", "invalid-signal", "error", "A signal that does not exist."),
  rule("KF036", "invalid-healthcheck", "error", "HEALTHCHECK with something else than CMD or NONE."),
  rule(
    "KF037",
    "relative-workdir",
    "warning",
    "A WORKDIR that depends on the one of the base image.",
    "WorkdirRelativePath",
    "DL3000",
  ),
  rule(
    "KF038",
    "maintainer-deprecated",
    "warning",
    "MAINTAINER, which LABEL has replaced.",
    "MaintainerDeprecated",
    "DL4000",
  ),
  rule("KF039", "legacy-pair", "warning", "`ENV name value` without `=`.", "LegacyKeyValueFormat"),
  rule("KF050", "duplicate-stage-name", "warning", "Two stages with one name.", "DuplicateStageName", "DL3024"),
  rule(
    "KF051",
    "reserved-stage-name",
    "warning",
    "A stage with a name that means something else.",
    "ReservedStageName",
    "DL3063",
  ),
  rule("KF052", "stage-name-casing", "warning", "A stage name not in lower case.", "StageNameCasing"),
  rule("KF053", "from-as-casing", "warning", "FROM and AS in different case.", "FromAsCasing"),
  rule("KF054", "unknown-stage", "error", "A number or name that is no stage.", "DL3022"),
  rule("KF055", "circular-stage", "error", "Stages that need each other.", "DL3023"),
  rule("KF056", "unreachable-stage", "information", "A stage that nothing uses."),
  rule("KF057", "undefined-variable", "warning", "A variable that nothing sets.", "UndefinedVar"),
  rule(
    "KF058",
    "undefined-arg-in-from",
    "warning",
    "FROM with a variable that no ARG above declares.",
    "UndefinedArgInFrom",
  ),
  rule(
    "KF059",
    "empty-arg-in-from",
    "warning",
    "FROM that is no image name while an ARG has no value.",
    "InvalidDefaultArgInFrom",
  ),
  rule(
    "KF060",
    "redundant-target-platform",
    "warning",
    "`--platform=$TARGETPLATFORM`, which is the default.",
    "RedundantTargetPlatform",
  ),
  rule(
    "KF061",
    "constant-platform",
    "information",
    "A base image for one fixed platform.",
    "FromPlatformFlagConstDisallowed",
    "DL3029",
  ),
  rule(
    "KF062",
    "platform-mismatch",
    "warning",
    "A base image that does not exist for the platform.",
    "InvalidBaseImagePlatform",
  ),
  rule("KF063", "self-reference", "warning", "ENV that reads what it sets in the same instruction.", "DL3044"),
  rule(
    "KF064",
    "definition-description",
    "off",
    "A comment above ARG or a stage that does not begin with its name.",
    "InvalidDefinitionDescription",
  ),
  rule(
    "KF070",
    "secret-in-variable",
    "warning",
    "A secret in ARG or ENV, which everyone can read.",
    "SecretsUsedInArgOrEnv",
    "DL3064",
  ),
  rule("KF071", "image-not-pinned", "warning", "A base image without tag, or with `latest`.", "DL3006", "DL3007"),
  rule("KF072", "image-without-digest", "off", "A base image whose tag may move."),
  rule(
    "KF073",
    "replaced-instruction",
    "warning",
    "Two CMD, ENTRYPOINT or HEALTHCHECK, of which the last counts.",
    "MultipleInstructionsDisallowed",
    "DL4003",
    "DL4004",
  ),
  rule(
    "KF074",
    "entrypoint-shell-form",
    "information",
    "ENTRYPOINT through a shell, which gets the signals, or CMD through one behind an ENTRYPOINT without.",
    "JSONArgsRecommended",
  ),
  rule("KF075", "copy-many-to-file", "warning", "Several sources copied to something that is no folder.", "DL3021"),
  rule("KF076", "add-plain-file", "information", "ADD where COPY does.", "DL3020"),
  rule("KF077", "consecutive-run", "off", "RUN after RUN, each a layer of its own.", "DL3059"),
  rule("KF078", "pipe-without-pipefail", "information", "A pipe whose first commands may fail unseen.", "DL4006"),
  rule("KF079", "invalid-label-key", "information", "A label key that is not in reverse-DNS form.", "DL3048"),
  rule("KF080", "duplicate-name", "warning", "A name set twice in one instruction."),
  rule("KF081", "source-outside-context", "warning", "A source above the build context."),
  rule("KF082", "source-missing", "error", "A source that does not exist in the build context."),
  rule("KF083", "source-ignored", "warning", "A source that the ignore file leaves out.", "CopyIgnoredFile"),
  rule("KF084", "sudo-in-run", "information", "sudo in RUN, which runs as root already.", "DL3004"),
  rule("KF085", "cd-in-run", "off", "RUN that only changes the folder.", "DL3003"),
  rule("KF086", "registry-not-allowed", "error", "An image from a registry that the settings do not allow.", "DL3026"),
  rule("KF087", "empty-label", "information", "A label without a value.", "DL3051"),
  rule(
    "KF088",
    "invalid-label-value",
    "information",
    "A well-known label with a value of another kind than it holds.",
    "DL3052",
    "DL3053",
    "DL3054",
    "DL3055",
    "DL3056",
  ),
  rule("KF089", "relative-destination", "off", "COPY to a relative path in a stage without WORKDIR.", "DL3045"),
  rule("KF101", "not-last", "error", "LAUNCH or CMDS that is not the last instruction."),
  rule("KF102", "second-launch", "error", "A second LAUNCH or CMDS."),
  rule("KF103", "launch-and-commands", "error", "LAUNCH together with CMD or CMDS."),
  rule("KF104", "app-not-declared", "error", "An application that is neither declared nor inherited."),
  rule("KF105", "app-declared-later", "error", "APPENV or APPCMDS above the APP it belongs to."),
  rule("KF106", "app-scheme", "error", "A source of APP without local://, http:// or https://."),
  rule("KF107", "app-without-type", "error", "An application with files of no one type and without APPCMDS."),
  rule("KF108", "app-declared-twice", "warning", "An application declared twice."),
  rule("KF109", "second-network-or-storage", "warning", "More than one CNI, or the same CSI twice."),
  rule("KF110", "cmd-deprecated", "warning", "CMD in sealer, which CMDS and LAUNCH have replaced."),
  rule("KF111", "invalid-version-constraint", "warning", "KUBEVERSION that is no constraint on versions."),
  rule("KF112", "copy-drops-sources", "warning", "COPY with more than one source, of which sealer takes the first."),
  rule("KF113", "copy-drops-flags", "warning", "COPY with flags, which sealer drops."),
  rule("KF114", "env-cut", "warning", "An ENV value with blanks, which sealer cuts."),
  rule(
    "KF115",
    "env-without-equals",
    "warning",
    "`ENV name value`, which sealer does not keep for scripts and templates.",
  ),
  rule("KF116", "lower-case-handler", "error", "env, cmd or appcmds in lower case, which sealer refuses."),
  rule("KF117", "variable-in-from", "error", "FROM with a variable, which sealer does not expand."),
  rule("KF118", "variable-in-source", "warning", "A variable in a source that sealer reads as nothing."),
  rule("KF119", "manifest-not-scanned", "information", "Manifests where sealer does not look for container images."),
  rule("KF120", "commands-as-words", "warning", "CMDS without a JSON array: each word is a command."),
  rule("KF121", "appenv-word-ignored", "warning", "A word of APPENV without `=`, or quotes that are kept."),
  rule("KF122", "app-name", "warning", "An application name that is no good folder or release name."),
  rule("KF123", "line-too-long", "warning", "A line above 64 KiB, at which sealer stops reading."),
  rule("KF124", "cmd-cut", "warning", "CMD with the word CMD in it, where sealer cuts."),
];

const ruleByCode: ReadonlyMap<string, Rule> = new Map(rules.map((row) => [row.code, row]));

/** The row of a code, if there is one. */
export function ruleOf(code: string): Rule | undefined {
  return ruleByCode.get(code);
}
