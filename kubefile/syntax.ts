import type { Span } from "./span.ts";

/**
 * The syntax tree of a Kubefile: plain, read-only data. Every piece that a reader can point at has a `span` in the text;
 * every piece that a builder needs has its value. `parse.ts` makes it, and never fails to.
 */
export interface Kubefile {
  readonly text: string;
  /** Joins lines at their end and quotes inside words: `\`, or a backtick after `# escape=` says so. */
  readonly escape: Escape;
  /** The text cut into pieces that parse on their own. Together they cover every character once. */
  readonly items: readonly Item[];
  /** `starts[i]` is the offset of `items[i]` in `text`. */
  readonly starts: readonly number[];
  /** Parser directives at the head of the file, in order. */
  readonly directives: readonly Directive[];
  /** Every comment, those between continuation lines included, in order. */
  readonly comments: readonly Comment[];
  /** Every instruction, in order, with spans in `text`. */
  readonly instructions: readonly Instruction[];
  /** One for each FROM. Instructions before the first FROM belong to no stage. */
  readonly stages: readonly Stage[];
}

export type Escape = "\\" | "`";

/**
 * A piece of the text that parses on its own: one instruction with its continuation lines and heredocs, one comment line,
 * one parser directive, or a run of blank lines. An edit re-parses only the items it touches.
 *
 * The spans inside `node` count from where the item stood when it was parsed (`base`); the item may have moved since.
 * Read `kubefile.instructions`, or `instructionAt`, for spans in the text as it is now.
 */
export type Item = InstructionItem | CommentItem | DirectiveItem | BlankItem;

interface ItemBase {
  readonly length: number;
  readonly base: number;
  /** What was found out about the item by itself, kept with it because looking it up elsewhere costs more than finding it. */
  memo: unknown;
}
interface InstructionItem extends ItemBase {
  readonly kind: "instruction";
  readonly node: Instruction;
}
interface CommentItem extends ItemBase {
  readonly kind: "comment";
  readonly node: Comment;
}
interface DirectiveItem extends ItemBase {
  readonly kind: "directive";
  readonly node: Directive;
}
interface BlankItem extends ItemBase {
  readonly kind: "blank";
  readonly node: undefined;
}

/** `# text`, from the `#` to the end of its line. */
export interface Comment {
  readonly span: Span;
  readonly text: string;
}

/** `# name=value` at the head of the file: `escape`, `syntax` or `check`. */
export interface Directive {
  readonly span: Span;
  /** As written; case does not matter. */
  readonly name: Word;
  readonly value: Word;
}

/** A word of an instruction, or one string of a JSON array. */
export interface Word {
  /** Where it stands, quotes included. It may run over continuation lines. */
  readonly span: Span;
  /** As written, with line continuations taken out. */
  readonly text: string;
  /** Quotes and escapes taken away; variables are left as they are. For a JSON string, the decoded string. */
  readonly value: string;
}

/** `--name` or `--name=value` directly behind the instruction's name. */
export interface Flag {
  readonly span: Span;
  /** Without the dashes. */
  readonly name: Word;
  readonly value: Word | undefined;
}

/** `name=value` (or the old `name value`) of ENV, LABEL, ARG and APPENV. */
export interface Pair {
  readonly span: Span;
  readonly name: Word;
  /** Absent when there is no `=`: `ARG VERSION`. */
  readonly value: Word | undefined;
}

/** `$NAME`, `${NAME}`, `${NAME:-word}`; `$(NAME)` is sealos's form inside CMD. */
export interface VariableUse {
  readonly span: Span;
  readonly name: string;
  readonly nameSpan: Span;
  readonly form: "plain" | "braced" | "parenthesised";
  readonly modifier: VariableModifier | undefined;
  /** The closing brace is there. */
  readonly complete: boolean;
  /** True where a shell, not the builder, expands it: RUN, CMD, ENTRYPOINT, CMDS, heredoc bodies of RUN. */
  readonly shell: boolean;
}

/** What stands between the name and the closing brace. */
export interface VariableModifier {
  readonly span: Span;
  /** `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`, `%%`, `/`, `//`, or whatever else was written. */
  readonly operator: string;
  readonly word: string;
  readonly wordSpan: Span;
}

/** `<<MARKER` and the lines up to `MARKER`. */
export interface Heredoc {
  /** From the (optional) file descriptor to the end of the marker. */
  readonly span: Span;
  /** The marker where it opens, quotes included in the span; `value` is its name. */
  readonly marker: Word;
  /** `<<-`: leading tabs of the body and the end marker do not count. */
  readonly stripTabs: boolean;
  /** Variables in the body are expanded by the builder (COPY, ADD): the marker is not quoted. */
  readonly expand: boolean;
  /** The lines of the body with their line ends. */
  readonly body: Span;
  /** The body as the builder sees it: as written, leading tabs stripped where asked. */
  readonly content: string;
  /** The end marker, or absent when the file ends before it. */
  readonly end: Span | undefined;
}

/** The instruction with its continuation lines joined, and the way back to the text. */
export interface LogicalLine {
  /** From the first letter of the keyword to the end, continuations, comment lines and heredoc bodies taken out. */
  readonly text: string;
  /** Where `text` begins in the Kubefile. */
  readonly start: number;
  /**
   * Empty when the instruction stands on one line: then `text[n]` is at `start + n`. Otherwise ordered, and
   * `text[logical + n]` is at `source + n` for each segment up to the next one.
   */
  readonly segments: readonly { readonly logical: number; readonly source: number }[];
}

/** A command line: text for a shell, or the words of an exec form. */
export type Command =
  | { readonly form: "shell"; readonly span: Span; readonly text: string }
  | { readonly form: "exec"; readonly span: Span; readonly elements: readonly Word[] };

/** How the arguments are written: words between blanks, or a JSON array of strings. */
export type Form = "words" | "json";

export type JsonVerdict = "strings" | "not-strings" | "invalid" | "absent";

/** What every instruction has. */
export interface InstructionBase {
  readonly span: Span;
  /** The instruction's name as written. */
  readonly keyword: Word;
  readonly flags: readonly Flag[];
  /** All behind the name and the flags, or absent when there is nothing. */
  readonly rest: Word | undefined;
  /**
   * The words behind the flags, cut at blanks, or the strings of the JSON array. Empty where the arguments are something
   * else than a list: pairs, a command for the shell, or one text.
   */
  readonly words: readonly Word[];
  readonly form: Form;
  /** The arguments start like a JSON array: they are one, hold something else than strings, or break its grammar. */
  readonly json: JsonVerdict;
  readonly variables: readonly VariableUse[];
  readonly heredocs: readonly Heredoc[];
  /** Comment lines between continuation lines. */
  readonly comments: readonly Comment[];
  /** Blank lines between continuation lines (their whole line, line end included). */
  readonly blankLines: readonly Span[];
  readonly logical: LogicalLine;
}

export interface From extends InstructionBase {
  readonly kind: "FROM";
  readonly image: Word | undefined;
  /** The word `AS` as written, and the name behind it. */
  readonly as: Word | undefined;
  readonly stageName: Word | undefined;
}
interface CopyShape extends InstructionBase {
  /** Files, globs, URLs or heredoc openers (`<<EOF`). */
  readonly sources: readonly Word[];
  readonly destination: Word | undefined;
}
export interface Copy extends CopyShape {
  readonly kind: "COPY";
}
export interface Add extends CopyShape {
  readonly kind: "ADD";
}
interface PairsShape extends InstructionBase {
  readonly pairs: readonly Pair[];
  /** `ENV name value`: one pair without `=`. */
  readonly legacy: boolean;
}
export interface Env extends PairsShape {
  readonly kind: "ENV";
}
export interface Label extends PairsShape {
  readonly kind: "LABEL";
}
export interface Arg extends PairsShape {
  readonly kind: "ARG";
}
interface CommandShape extends InstructionBase {
  readonly command: Command | undefined;
}
export interface Run extends CommandShape {
  readonly kind: "RUN";
}
export interface Cmd extends CommandShape {
  readonly kind: "CMD";
}
export interface Entrypoint extends CommandShape {
  readonly kind: "ENTRYPOINT";
}
export interface Shell extends CommandShape {
  readonly kind: "SHELL";
}
export interface Healthcheck extends CommandShape {
  readonly kind: "HEALTHCHECK";
  /** `CMD` or `NONE` as written, or another word that stands there. */
  readonly mode: Word | undefined;
}
/** `scheme://path` behind APP, CNI or CSI. */
export interface AppSource {
  readonly word: Word;
  /** Lower-cased text before `://`, or absent. */
  readonly scheme: string | undefined;
  /** What stands behind the scheme: a path in the build context, or the rest of a URL. */
  readonly path: Word;
}
interface AppShape extends InstructionBase {
  readonly app: Word | undefined;
  readonly sources: readonly AppSource[];
}
export interface App extends AppShape {
  readonly kind: "APP";
}
export interface Cni extends AppShape {
  readonly kind: "CNI";
}
export interface Csi extends AppShape {
  readonly kind: "CSI";
}
export interface AppEnv extends InstructionBase {
  readonly kind: "APPENV";
  readonly app: Word | undefined;
  readonly pairs: readonly Pair[];
}
export interface AppCmds extends InstructionBase {
  readonly kind: "APPCMDS";
  readonly app: Word | undefined;
  /** The strings of the JSON array; absent when it is no such array. */
  readonly commands: readonly Word[] | undefined;
}
export interface Launch extends InstructionBase {
  readonly kind: "LAUNCH";
  readonly apps: readonly Word[];
}
export interface Cmds extends InstructionBase {
  readonly kind: "CMDS";
  readonly commands: readonly Word[];
}
export interface KubeVersion extends InstructionBase {
  readonly kind: "KUBEVERSION";
  readonly constraint: Word | undefined;
}
export interface Maintainer extends InstructionBase {
  readonly kind: "MAINTAINER";
}
export interface Workdir extends InstructionBase {
  readonly kind: "WORKDIR";
  readonly path: Word | undefined;
}
export interface User extends InstructionBase {
  readonly kind: "USER";
  readonly user: Word | undefined;
}
export interface StopSignal extends InstructionBase {
  readonly kind: "STOPSIGNAL";
  readonly signal: Word | undefined;
}
export interface Expose extends InstructionBase {
  readonly kind: "EXPOSE";
  readonly ports: readonly Word[];
}
export interface Volume extends InstructionBase {
  readonly kind: "VOLUME";
  readonly paths: readonly Word[];
}
export interface Onbuild extends InstructionBase {
  readonly kind: "ONBUILD";
  readonly trigger: Instruction | undefined;
}
/** A word that is no instruction. */
export interface Unknown extends InstructionBase {
  readonly kind: "UNKNOWN";
}

export type Instruction =
  | From
  | Copy
  | Add
  | Env
  | Label
  | Arg
  | Run
  | Cmd
  | Entrypoint
  | Shell
  | Healthcheck
  | App
  | Cni
  | Csi
  | AppEnv
  | AppCmds
  | Launch
  | Cmds
  | KubeVersion
  | Maintainer
  | Workdir
  | User
  | StopSignal
  | Expose
  | Volume
  | Onbuild
  | Unknown;

/** The instruction's name as the table writes it, or `UNKNOWN`. */
export type InstructionKind = Instruction["kind"];

/** FROM and all that follows it, up to the next FROM. */
export interface Stage {
  readonly index: number;
  readonly name: Word | undefined;
  readonly from: From;
  /** FROM first. */
  readonly instructions: readonly Instruction[];
  readonly span: Span;
}
