/** What a runtime's configuration has to say about a mirror, whichever runtime it is. */
export interface MirrorConfig {
  /** Where the mirror answers: `https://sea.hub:5443`, without a path. */
  readonly endpoint: URL;
  /**
   * `air-gapped`: everything comes from the mirror and nothing else is ever asked. `connected`: the mirror first, then the image's own
   * registry, which also takes pushes.
   */
  readonly profile: "air-gapped" | "connected";
  /** PEM text of the authority that signed the mirror's certificate. */
  readonly ca?: string;
  /** Sent as `Authorization: Bearer`; the files that hold it are for root alone. */
  readonly token?: string;
  /** Hosts whose images the mirror has, for runtimes that know no "all". */
  readonly hosts: readonly string[];
  /** Major version of the containerd that reads the files. */
  readonly containerdMajor: 1 | 2;
}

/** A file as it shall be. Paths are absolute on the node. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  /** Whether others must not read it. */
  readonly secret: boolean;
}

/** Something a person should know, in words. */
export interface Finding {
  readonly level: "error" | "warning" | "info";
  readonly file: string;
  readonly text: string;
}

/** The files of a node, by absolute path. */
export interface NodeFiles {
  /** `undefined` when there is none. */
  read(path: string): string | undefined;
  /** Names right below a folder, sorted bytewise; empty when there is no such folder. */
  list(folder: string): readonly string[];
}

/** One runtime: which files make it use a mirror, and what can be wrong with those that are there. All of it is pure. */
export interface MirrorRuntime {
  /** Folder of the journal that undoes the writing. */
  readonly journalFolder: string;
  /** Throws `MIRROR_FILE_CONFLICT` when what is there cannot be joined with what is needed. */
  plan(config: MirrorConfig, node: NodeFiles): readonly PlannedFile[];
  /** Looks for the known ways in which a mirror is silently not used. */
  examine(config: MirrorConfig, node: NodeFiles): readonly Finding[];
  /** What to do after writing. */
  readonly next: string;
}

/** `host[:port]` of the mirror. */
export function mirrorHost(config: MirrorConfig): string {
  return config.endpoint.host;
}

/** The endpoint without a slash at its end. */
export function mirrorUrl(config: MirrorConfig): string {
  return config.endpoint.origin;
}
