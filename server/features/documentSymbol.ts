import { type DocumentSymbol, type SymbolInformation, SymbolKind, SymbolTag } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { instructionInfo } from "../../kubefile/instructions.ts";
import type { Instruction, Pair, Word } from "../../kubefile/syntax.ts";
import type { OpenKubefile } from "../documents.ts";
import { placedInstructions, shifted } from "../locate.ts";
import { rangeOf } from "../ranges.ts";

/** The outline: directives and global ARGs first, then each stage with its instructions, and variables below ENV and ARG. */
export function documentSymbols(document: OpenKubefile): DocumentSymbol[] {
  const { tree, lines } = document;
  const roots: DocumentSymbol[] = tree.directives.map((directive) => ({
    name: directive.name.value,
    detail: directive.value.value,
    kind: SymbolKind.Property,
    range: rangeOf(lines, directive.span),
    selectionRange: rangeOf(lines, directive.name.span),
  }));
  let stage: DocumentSymbol | undefined;
  for (const { node, shift } of placedInstructions(tree)) {
    const symbol = symbolOf(lines, node, shift);
    if (node.kind === "FROM") {
      stage = { ...symbol, children: [] };
      roots.push(stage);
    } else if (stage === undefined) {
      roots.push(symbol);
    } else {
      stage.children?.push(symbol);
      stage.range = { start: stage.range.start, end: symbol.range.end };
    }
  }
  return roots;
}

/** The same outline as a flat list, for clients that know no tree. */
export function flatSymbols(document: OpenKubefile): SymbolInformation[] {
  const flat: SymbolInformation[] = [];
  const add = (symbol: DocumentSymbol, containerName: string | undefined): void => {
    const { name, detail, kind, selectionRange: range } = symbol;
    flat.push({
      name: detail === undefined ? name : `${name} ${detail}`,
      kind,
      location: { uri: document.uri, range },
      ...(containerName === undefined ? {} : { containerName }),
      ...(symbol.tags === undefined ? {} : { tags: symbol.tags }),
    });
    for (const child of symbol.children ?? []) add(child, detail ?? name);
  };
  for (const root of documentSymbols(document)) add(root, undefined);
  return flat;
}

const kinds: Partial<Record<Instruction["kind"], SymbolKind>> = {
  FROM: SymbolKind.Module,
  APP: SymbolKind.Package,
  CNI: SymbolKind.Package,
  CSI: SymbolKind.Package,
  ENV: SymbolKind.Constant,
  ARG: SymbolKind.Variable,
  LABEL: SymbolKind.Property,
  APPENV: SymbolKind.Constant,
  LAUNCH: SymbolKind.Event,
  CMDS: SymbolKind.Event,
  CMD: SymbolKind.Event,
  APPCMDS: SymbolKind.Event,
};

function symbolOf(lines: TextDocument, node: Instruction, shift: number): DocumentSymbol {
  const range = rangeOf(lines, shifted(node.span, shift));
  const selectionRange = rangeOf(lines, shifted(node.keyword.span, shift));
  const detail = detailOf(node);
  const deprecated = instructionInfo(node.keyword.text)?.deprecated !== undefined;
  const children = "pairs" in node ? node.pairs.map((pair) => pairSymbol(lines, pair, shift)) : [];
  return {
    name: node.keyword.text.toUpperCase(),
    ...(detail === "" ? {} : { detail }),
    kind: kinds[node.kind] ?? SymbolKind.Function,
    ...(deprecated ? { tags: [SymbolTag.Deprecated] } : {}),
    range,
    selectionRange,
    ...(children.length > 0 ? { children } : {}),
  };
}

function pairSymbol(lines: TextDocument, pair: Pair, shift: number): DocumentSymbol {
  return {
    name: pair.name.value === "" ? pair.name.text || "=" : pair.name.value,
    ...(pair.value === undefined ? {} : { detail: short(pair.value.text) }),
    kind: SymbolKind.Variable,
    range: rangeOf(lines, shifted(pair.span, shift)),
    selectionRange: rangeOf(lines, shifted(pair.name.span, shift)),
  };
}

/** What tells this instruction from another of its kind. */
function detailOf(node: Instruction): string {
  switch (node.kind) {
    case "FROM":
      return node.stageName?.value ?? node.image?.value ?? "";
    case "APP":
    case "CNI":
    case "CSI":
    case "APPENV":
    case "APPCMDS":
      return node.app?.value ?? "";
    case "ENV":
    case "ARG":
    case "LABEL":
      return node.pairs.map((pair) => pair.name.value).join(" ");
    default:
      return short(text(node.rest));
  }
}

function text(word: Word | undefined): string {
  return word?.text ?? "";
}

const mostShown = 80;

function short(value: string): string {
  const line = value.replace(/\s+/gu, " ").trim();
  return line.length > mostShown ? `${line.slice(0, mostShown - 1)}…` : line;
}
