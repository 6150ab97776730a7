import {
  CodeLens,
  type CodeLensProvider,
  type DocumentSelector,
  EventEmitter,
  Hover,
  type HoverProvider,
  l10n,
  languages,
  MarkdownString,
  type Position,
  Range,
  type TextDocument,
} from "vscode";
import type { Session } from "../session.ts";
import type { ContainerImages, DocumentImages } from "./containerImages.ts";
import { registerFixes } from "./fixes.ts";
import { showProblems } from "./imageProblems.ts";
import { type ImageWithPlaces, namedInFile, packedNames, withPlaces } from "./places.ts";
import { hoverText, lineTitle, summaryOf } from "./wording.ts";

/** Files on disk that may name images. */
export const imageFiles: DocumentSelector = [
  { scheme: "file", language: "kubefile" },
  { scheme: "file", language: "yaml" },
  { scheme: "file", language: "helm" },
  { scheme: "file", pattern: "**/*.{yaml,yml,tpl,json}" },
];

/** Shows what is known of container images where they are named: lenses, hovers, problems and fixes. */
export function registerContainerImages(session: Session): void {
  const { containerImages, context } = session;
  const changed = new EventEmitter<void>();
  const lenses: CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses: (document) => lensesOf(containerImages, document),
  };
  const hovers: HoverProvider = {
    provideHover: (document, position) => hoverAt(containerImages, document, position),
  };
  context.subscriptions.push(
    changed,
    containerImages.onDidChange(() => changed.fire()),
    languages.registerCodeLensProvider(imageFiles, lenses),
    languages.registerHoverProvider(imageFiles, hovers),
  );
  showProblems(session);
  registerFixes(session);
}

/** A line of a document, with the images it is about. */
interface ImageLine {
  /** 1-based. */
  readonly line: number;
  readonly images: readonly ImageWithPlaces[];
  readonly title: string;
}

function imageLines(about: DocumentImages): readonly ImageLine[] {
  const { result, file, kubefile } = about;
  if (file === fileNameOf(kubefile)) {
    return result.instructions
      .filter(({ keyword, images }) => images.length > 0 || ["APP", "CNI", "CSI"].includes(keyword))
      .map(({ line, images }) => instructionLine(about, line, images));
  }
  if (file === fileNameOf(result.lock.path)) return lockLines(about);
  return namedInFile(result, file).map(({ line, images }) => ({ line, images, title: lineTitle(images, l10n.t) }));
}

function instructionLine({ result }: DocumentImages, line: number, names: readonly string[]): ImageLine {
  const images = withPlaces(result, names);
  const facts = images.map(({ image }) => image);
  return { line, images, title: summaryOf(facts, l10n.t) };
}

/** The sum of everything above the lock, and each image at its entry. */
function lockLines({ result }: DocumentImages): readonly ImageLine[] {
  const all = withPlaces(result, packedNames(result));
  const top: ImageLine = {
    line: 1,
    images: all,
    title: summaryOf(
      all.map(({ image }) => image),
      l10n.t,
    ),
  };
  const entries = result.images.flatMap(({ image, locked, added, ignored }): ImageLine[] => {
    const at = locked ?? added ?? (ignored?.pattern === image ? ignored : undefined);
    const images = withPlaces(result, [image]);
    return at === undefined ? [] : [{ line: at.line, images, title: lineTitle(images, l10n.t) }];
  });
  return [top, ...entries];
}

function lensesOf(containerImages: ContainerImages, document: TextDocument): CodeLens[] {
  const about = containerImages.about(document);
  if (about === undefined) return [];
  return imageLines(about).flatMap(({ line, images, title }) => {
    if (line > document.lineCount) return [];
    const names = images.map(({ image }) => image.image);
    const command = { title, command: "kubefile.showContainerImages", arguments: [about.kubefile, names] };
    return [new CodeLens(document.lineAt(line - 1).range, command)];
  });
}

function hoverAt(containerImages: ContainerImages, document: TextDocument, position: Position): Hover | undefined {
  const about = containerImages.about(document);
  const here = about === undefined ? undefined : imageLines(about).find(({ line }) => line - 1 === position.line);
  // The lock's first line is a comment about the whole file; its lens is enough.
  if (here === undefined || here.images.length === 0 || (about?.file === "kubefile.lock" && here.line === 1))
    return undefined;
  return new Hover(new MarkdownString(hoverText(here.images.slice(0, 12), l10n.t)), new Range(position, position));
}

function fileNameOf(file: string): string {
  return file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
}
