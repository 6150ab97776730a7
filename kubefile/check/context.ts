/** The ignore rule that leaves a path out. */
export interface IgnoredBy {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly pattern: string;
}

/**
 * What the caller knows about the world outside the file: a snapshot, answered at once. Paths are relative to the build
 * context, with slashes, without `.` and `..`.
 */
export interface CheckContext {
  kindOf(path: string): "file" | "directory" | undefined;
  /** Paths that a pattern of COPY matches; for a plain path, itself when it exists. */
  glob(pattern: string): readonly string[];
  ignoredBy(path: string): IgnoredBy | undefined;
  /** All files below a directory, relative to it. */
  files(path: string): readonly string[];
  /** Names directly inside a directory. */
  children(path: string): readonly string[];
  /** Names of the applications in a base image, when it is known. */
  baseApps?(image: string): readonly string[] | undefined;
  /** Platforms of a base image, `os/arch[/variant]`, when they are known. */
  platforms?(image: string): readonly string[] | undefined;
  /** The platform the image is built for. */
  readonly targetPlatform?: string;
}
