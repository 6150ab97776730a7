import type { Connection } from "vscode-languageserver";
import type { Severity } from "../kubefile/problems.ts";

/** What `kubefile.*` settings say for one document; every field has a value. */
export interface Settings {
  readonly dialect: "auto" | "sealer" | "sealos";
  /** Severity by problem code; a code that is not named keeps the default of its rule. */
  readonly severities: Readonly<Record<string, Severity | "off">>;
  /** Problems shown for one file, the gravest first. */
  readonly problemLimit: number;
  readonly inlayHints: { readonly variables: boolean; readonly images: boolean };
  readonly codeLens: boolean;
  /** Ask registries for tags while an image name is typed. */
  readonly registryTags: boolean;
  readonly checkClusterfiles: boolean;
}

export const defaultSettings: Settings = {
  dialect: "auto",
  severities: {},
  problemLimit: 1000,
  inlayHints: { variables: true, images: true },
  codeLens: true,
  registryTags: true,
  checkClusterfiles: true,
};

/** Reads the `kubefile` section; whatever is missing or of the wrong type takes its default. */
export function readSettings(section: unknown): Settings {
  const root = record(section);
  const hints = record(root["inlayHints"]);
  return {
    dialect: oneOf(root["dialect"], ["auto", "sealer", "sealos"], defaultSettings.dialect),
    severities: readSeverities(record(root["problems"])["severity"]),
    problemLimit: limitOf(record(root["problems"])["limit"]),
    inlayHints: {
      variables: hints["variables"] !== false,
      images: hints["images"] !== false,
    },
    codeLens: record(root["codeLens"])["enabled"] !== false,
    registryTags: record(root["completion"])["registryTags"] !== false,
    checkClusterfiles: record(root["clusterfile"])["check"] !== false,
  };
}

const severities: readonly (Severity | "off")[] = ["error", "warning", "information", "hint", "off"];

function readSeverities(value: unknown): Record<string, Severity | "off"> {
  const result: Record<string, Severity | "off"> = {};
  for (const [code, severity] of Object.entries(record(value))) {
    const known = severities.find((name) => name === severity);
    if (known !== undefined) result[code.toUpperCase()] = known;
  }
  return result;
}

function limitOf(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : defaultSettings.problemLimit;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function oneOf<T extends string>(value: unknown, names: readonly T[], fallback: T): T {
  return names.find((name) => name === value) ?? fallback;
}

/** Settings of each document, asked of the client once and kept until they change. */
export class SettingsStore {
  readonly #connection: Pick<Connection, "workspace">;
  readonly #scoped: boolean;
  readonly #byDocument = new Map<string, Promise<Settings>>();
  readonly #known = new Map<string, Settings>();
  #pushed: Settings = defaultSettings;

  /** `scoped`: the client answers `workspace/configuration`; otherwise only what it pushes counts. */
  constructor(connection: Pick<Connection, "workspace">, scoped: boolean) {
    this.#connection = connection;
    this.#scoped = scoped;
  }

  /** The settings that hold for a document, of the folder it lies in. Never rejects. */
  async of(uri: string): Promise<Settings> {
    return this.now(uri) ?? this.#ask(uri);
  }

  /** The settings when they are known without asking. */
  now(uri: string): Settings | undefined {
    return this.#scoped ? this.#known.get(uri) : this.#pushed;
  }

  /** `workspace/didChangeConfiguration` came in. */
  changed(pushed: unknown): void {
    this.#byDocument.clear();
    this.#known.clear();
    if (!this.#scoped) this.#pushed = readSettings(record(pushed)["kubefile"]);
  }

  forget(uri: string): void {
    this.#byDocument.delete(uri);
    this.#known.delete(uri);
  }

  #ask(uri: string): Promise<Settings> {
    const waiting = this.#byDocument.get(uri);
    if (waiting !== undefined) return waiting;
    const asked: Promise<Settings> = this.#connection.workspace
      .getConfiguration({ scopeUri: uri, section: "kubefile" })
      .then(readSettings, () => defaultSettings)
      .then((settings) => {
        // A change of the settings meanwhile has made this answer old.
        if (this.#byDocument.get(uri) === asked) this.#known.set(uri, settings);
        return settings;
      });
    this.#byDocument.set(uri, asked);
    return asked;
  }
}
