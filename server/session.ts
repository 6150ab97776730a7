import type { Connection, Position, TextDocuments } from "vscode-languageserver";
import { type ServerLog, StaleDocument } from "./answer.ts";
import type { ClientSupport } from "./clientSupport.ts";
import type { DiagnosticsDesk } from "./diagnosticsDesk.ts";
import type { OpenDocument, OpenKubefile } from "./documents.ts";
import type { SentTokens } from "./features/semanticTokens.ts";
import type { Settings, SettingsStore } from "./settings.ts";
import type { Workspace } from "./world.ts";

/** Everything the features share once the client has introduced itself. */
export interface Session {
  readonly connection: Connection;
  readonly client: ClientSupport;
  readonly documents: TextDocuments<OpenDocument>;
  readonly workspace: Workspace;
  readonly settings: SettingsStore;
  readonly desk: DiagnosticsDesk;
  readonly sentTokens: SentTokens;
  readonly log: ServerLog;
}

/** The Kubefile a request is about, or undefined when it is none, or not open. */
export function kubefileOf(session: Session, uri: string): OpenKubefile | undefined {
  const document = session.documents.get(uri);
  return document?.kind === "kubefile" ? document : undefined;
}

/** The offset of a position. */
export function offsetOf(document: OpenDocument, position: Position): number {
  return document.lines.offsetAt(position);
}

/** Waits for work that reads a document, and refuses the answer when the document changed meanwhile. */
export async function unlessChanged<T>(document: OpenDocument, work: Promise<T>): Promise<T> {
  const { version } = document;
  const answer = await work;
  if (document.version !== version) throw new StaleDocument();
  return answer;
}

/** The settings of a document when they are known, without asking. */
export function settingsOf(session: Session, uri: string): Settings | Promise<Settings> {
  return session.settings.now(uri) ?? session.settings.of(uri);
}
