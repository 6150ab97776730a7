import type { LanguageClientOptions } from "vscode-languageclient";

/** What the server is told at its start; the same fields as `KubefileClientOptions` in the server. */
export interface InitializationOptions {
  readonly imageFacts: boolean;
  readonly commands: readonly string[];
  readonly checkClusterfiles: boolean;
}

/** What the language client is told in Node and in a browser alike. */
export function languageClientOptions(initializationOptions: InitializationOptions): LanguageClientOptions {
  return {
    documentSelector: [
      { language: "kubefile" },
      { language: "yaml", pattern: "**/Clusterfile" },
      { pattern: "**/{.kubefileignore,.containerignore,.dockerignore}" },
    ],
    initializationOptions,
    // The server asks for the `kubefile` section by itself.
    synchronize: { configurationSection: "kubefile" },
    markdown: { isTrusted: { enabledCommands: [...initializationOptions.commands] } },
  };
}
