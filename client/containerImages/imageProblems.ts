import { Diagnostic, DiagnosticSeverity, l10n, languages, Position, Range, Uri, workspace } from "vscode";
import type { Session } from "../session.ts";
import { placeUri } from "./containerImages.ts";
import { type ImageProblem, problemsOf } from "./problems.ts";

/** What the problems say where they come from. */
export const problemSource = "kubefile images";

const severities: Readonly<Record<ImageProblem["severity"], DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

/** A problem as VS Code shows it, with the image that fixes name. */
export class ImageDiagnostic extends Diagnostic {
  /** The image it is about. */
  readonly image: string | undefined;
  /** The Kubefile whose build it is about. */
  readonly kubefile: string;

  constructor(problem: ImageProblem, uri: Uri, kubefile: string) {
    const { line, message, severity, code, image } = problem;
    super(lineRange(uri, line - 1), message, severities[severity]);
    this.source = problemSource;
    this.code = code;
    this.image = image;
    this.kubefile = kubefile;
  }
}

/** A line without its indentation, where the file is open; else the whole line. */
function lineRange(uri: Uri, line: number): Range {
  const open = workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  const start = open !== undefined && line < open.lineCount ? open.lineAt(line).firstNonWhitespaceCharacterIndex : 0;
  return new Range(new Position(line, start), new Position(line, Number.MAX_SAFE_INTEGER));
}

/** Shows the problems of every context that is looked at, at the lines that name the images. */
export function showProblems({ containerImages, context, settings }: Session): void {
  const collection = languages.createDiagnosticCollection(problemSource);
  const shownFor = new Map<string, readonly Uri[]>();
  const update = (kubefile: string): void => {
    for (const uri of shownFor.get(kubefile) ?? []) collection.delete(uri);
    const result = settings().containerImageLenses ? containerImages.of(kubefile)?.result : undefined;
    if (result === undefined) return;
    const byFile = new Map<string, ImageDiagnostic[]>();
    for (const problem of problemsOf(result, l10n.t)) {
      const uri = placeUri(result, problem.file);
      const key = uri.toString();
      byFile.set(key, [...(byFile.get(key) ?? []), new ImageDiagnostic(problem, uri, kubefile)]);
    }
    shownFor.set(
      kubefile,
      [...byFile.keys()].map((uri) => Uri.parse(uri, true)),
    );
    for (const [uri, diagnostics] of byFile) collection.set(Uri.parse(uri, true), diagnostics);
  };
  context.subscriptions.push(collection, containerImages.onDidChange(update));
}
