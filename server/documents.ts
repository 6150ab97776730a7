import type { TextDocumentContentChangeEvent } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse, reparse } from "../kubefile/parse.ts";
import type { Kubefile } from "../kubefile/syntax.ts";
import { ignoreFileNames } from "./buildContext.ts";

/** The three kinds of text the server reads. */
export type OpenDocument = OpenKubefile | OpenClusterfile | OpenIgnoreFile;

interface OpenBase {
  readonly uri: string;
  readonly version: number;
  /** The text by lines and columns. It changes in place with each edit. */
  readonly lines: TextDocument;
  update(changes: readonly TextDocumentContentChangeEvent[], version: number): void;
}

/** Opens a document as the kind its language and name say. */
export function openDocument(uri: string, languageId: string, version: number, text: string): OpenDocument {
  const lines = TextDocument.create(uri, languageId, version, text);
  const name = uri.slice(uri.lastIndexOf("/") + 1);
  if (languageId === "ignore" || ignoreFileNames.includes(name)) return new OpenIgnoreFile(lines);
  if (languageId === "yaml" || languageId === "clusterfile") return new OpenClusterfile(lines);
  return new OpenKubefile(lines);
}

/** The part of the text that changed since it was last parsed: `[start, oldEnd)` became `[start, newEnd)`. */
interface PendingEdit {
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
}

/**
 * A Kubefile in the editor. Its tree always belongs to its text: edits are gathered, and the next reader of `tree` parses
 * what they touched, once for each version.
 */
export class OpenKubefile implements OpenBase {
  readonly kind = "kubefile";
  readonly lines: TextDocument;
  #tree: Kubefile;
  #pending: PendingEdit | undefined;

  constructor(lines: TextDocument) {
    this.lines = lines;
    this.#tree = parse(lines.getText());
  }

  get uri(): string {
    return this.lines.uri;
  }

  get version(): number {
    return this.lines.version;
  }

  get tree(): Kubefile {
    const edit = this.#pending;
    if (edit !== undefined) {
      this.#pending = undefined;
      const text = this.lines.getText().slice(edit.start, edit.newEnd);
      this.#tree = reparse(this.#tree, { span: { start: edit.start, end: edit.oldEnd }, text });
    }
    return this.#tree;
  }

  update(changes: readonly TextDocumentContentChangeEvent[], version: number): void {
    for (const change of changes) {
      this.#pending = mergeEdits(this.#pending, this.#editOf(change));
      TextDocument.update(this.lines, [change], version);
    }
    TextDocument.update(this.lines, [], version);
  }

  #editOf(change: TextDocumentContentChangeEvent): PendingEdit {
    if (!("range" in change)) return { start: 0, oldEnd: this.lines.getText().length, newEnd: change.text.length };
    const a = this.lines.offsetAt(change.range.start);
    const b = this.lines.offsetAt(change.range.end);
    const start = Math.min(a, b);
    return { start, oldEnd: Math.max(a, b), newEnd: start + change.text.length };
  }
}

/** One edit that does what `first` and then `second` do; `second` counts in the text `first` made. */
function mergeEdits(first: PendingEdit | undefined, second: PendingEdit): PendingEdit {
  if (first === undefined) return second;
  const grown = second.newEnd - second.oldEnd;
  return {
    start: Math.min(first.start, second.start),
    oldEnd: first.oldEnd + Math.max(0, second.oldEnd - first.newEnd),
    newEnd: Math.max(first.newEnd, second.oldEnd) + grown,
  };
}

/** A Clusterfile in the editor. */
export class OpenClusterfile implements OpenBase {
  readonly kind = "clusterfile";
  readonly lines: TextDocument;

  constructor(lines: TextDocument) {
    this.lines = lines;
  }

  get uri(): string {
    return this.lines.uri;
  }

  get version(): number {
    return this.lines.version;
  }

  update(changes: readonly TextDocumentContentChangeEvent[], version: number): void {
    TextDocument.update(this.lines, [...changes], version);
  }
}

/** An ignore file of a build context in the editor. */
export class OpenIgnoreFile implements OpenBase {
  readonly kind = "ignore";
  readonly lines: TextDocument;

  constructor(lines: TextDocument) {
    this.lines = lines;
  }

  get uri(): string {
    return this.lines.uri;
  }

  get version(): number {
    return this.lines.version;
  }

  update(changes: readonly TextDocumentContentChangeEvent[], version: number): void {
    TextDocument.update(this.lines, [...changes], version);
  }
}
