/**
 * A half-open range of a text: `start` is the first character, `end` the one behind the last.
 * Both count UTF-16 code units from the beginning of the text, as LSP and VS Code do.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
}
