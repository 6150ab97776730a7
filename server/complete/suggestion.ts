import { CompletionItemKind } from "vscode-languageserver";
import type { Dialect } from "../../kubefile/instructions.ts";
import type { Span } from "../../kubefile/span.ts";

export interface CompletionOptions {
  readonly snippets: boolean;
  readonly deprecatedTag: boolean;
  /** Ask registries for tags. */
  readonly registryTags: boolean;
  /** Offer only what this dialect knows; both when absent. */
  readonly dialect: Dialect | undefined;
}

/** One thing to offer, before it becomes an LSP item. */
export interface Suggestion {
  readonly label: string;
  readonly kind: CompletionItemKind;
  /** What is written; the label when absent. */
  readonly text?: string;
  /** TextMate snippet instead of `text`, where the client takes snippets. */
  readonly snippet?: string;
  readonly detail?: string;
  readonly deprecated?: boolean;
  /** Where it stands among the others; suggestions of one group are in the order given. */
  readonly group: number;
  /** Open suggestions again after it was taken: a folder, a flag with values. */
  readonly again?: boolean;
  /** Key of its documentation, filled in by `completionItem/resolve`. */
  readonly help?: string;
  /** Replaces this instead of what the cursor stands in. */
  readonly span?: Span;
}

export interface Suggestions {
  readonly items: readonly Suggestion[];
  /** More may come with another letter or a moment later. */
  readonly incomplete: boolean;
}

export const noSuggestions: Suggestions = { items: [], incomplete: false };

/** Kinds used for the things Kubefiles name. */
export const suggestionKinds: Readonly<
  Record<
    "instruction" | "snippet" | "flag" | "value" | "variable" | "stage" | "app" | "file" | "folder" | "image" | "key",
    CompletionItemKind
  >
> = {
  instruction: CompletionItemKind.Keyword,
  snippet: CompletionItemKind.Snippet,
  flag: CompletionItemKind.Field,
  value: CompletionItemKind.EnumMember,
  variable: CompletionItemKind.Variable,
  stage: CompletionItemKind.Module,
  app: CompletionItemKind.Class,
  file: CompletionItemKind.File,
  folder: CompletionItemKind.Folder,
  image: CompletionItemKind.Reference,
  key: CompletionItemKind.Property,
};
