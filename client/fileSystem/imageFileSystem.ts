import {
  Disposable,
  EventEmitter,
  type FileChangeEvent,
  FilePermission,
  type FileStat,
  FileSystemError,
  type FileSystemProvider,
  FileType,
  l10n,
  Uri,
  workspace,
} from "vscode";
import {
  type ImageEntry,
  type ImagePath,
  imageEntry,
  imageFile,
  imageFolder,
  inspectImage,
} from "../../engine/protocol.ts";
import { byteSize } from "../byteSize.ts";
import type { EngineProcess } from "../engineProcess.ts";
import { failureOf } from "../failures.ts";
import type { Session } from "../session.ts";
import { engineMayWork } from "../trust.ts";
import { formatImagePath, imageScheme, type NamedPlace, parseImagePath } from "./imagePath.ts";

/** The address of a file in an image. */
export function imageUri(at: ImagePath): Uri {
  return Uri.from({ scheme: imageScheme, path: formatImagePath(at) });
}

/** The files of the store's images, to be read like any others. */
export function registerImageFileSystem(session: Session): void {
  const provider = new ImageFileSystem(session.engine);
  session.context.subscriptions.push(
    workspace.registerFileSystemProvider(imageScheme, provider, { isReadonly: true, isCaseSensitive: true }),
  );
}

const folder: FileStat = {
  type: FileType.Directory,
  ctime: 0,
  mtime: 0,
  size: 0,
  permissions: FilePermission.Readonly,
};

/** What an address names never changes: it holds a digest. */
class ImageFileSystem implements FileSystemProvider {
  readonly #engine: EngineProcess;
  readonly onDidChangeFile = new EventEmitter<FileChangeEvent[]>().event;

  constructor(engine: EngineProcess) {
    this.#engine = engine;
  }

  watch(): Disposable {
    return new Disposable(() => undefined);
  }

  async stat(uri: Uri): Promise<FileStat> {
    const place = placeOf(uri);
    if (place.kind !== "file" || place.at.path === "") return folder;
    const entry = await this.#ask(uri, () => this.#engine.request(imageEntry, place.at));
    return {
      type: fileType(entry),
      ctime: entry.modifiedAt,
      mtime: entry.modifiedAt,
      size: entry.sizeBytes,
      permissions: FilePermission.Readonly,
    };
  }

  async readDirectory(uri: Uri): Promise<[string, FileType][]> {
    const place = placeOf(uri);
    switch (place.kind) {
      case "root":
        return [];
      case "image": {
        const details = await this.#ask(uri, () => this.#engine.request(inspectImage, { reference: place.image }));
        const layers = details.images[0]?.layers ?? [];
        return [
          ["rootfs", FileType.Directory],
          ...layers.map((_, index): [string, FileType] => [`layer-${index + 1}`, FileType.Directory]),
        ];
      }
      case "file": {
        const entries = await this.#ask(uri, () => this.#engine.request(imageFolder, place.at));
        return entries.filter(({ kind }) => kind !== "deleted").map((entry) => [entry.name, fileType(entry)]);
      }
      default:
        return place satisfies never;
    }
  }

  async readFile(uri: Uri): Promise<Uint8Array> {
    const place = placeOf(uri);
    if (place.kind !== "file") throw FileSystemError.FileIsADirectory(uri);
    const { base64 } = await this.#ask(uri, () => this.#engine.request(imageFile, place.at));
    return Buffer.from(base64, "base64");
  }

  createDirectory(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  delete(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  rename(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  async #ask<Result>(uri: Uri, ask: () => Promise<Result>): Promise<Result> {
    if (!engineMayWork()) {
      throw FileSystemError.NoPermissions(l10n.t("Files of images are not read for a folder that is not trusted."));
    }
    try {
      return await ask();
    } catch (error) {
      throw fileSystemError(uri, error);
    }
  }
}

function placeOf(uri: Uri): NamedPlace {
  const place = parseImagePath(uri.path);
  if (place === undefined) throw FileSystemError.FileNotFound(uri);
  return place;
}

const absent = new Set(["FILE_NOT_IN_IMAGE", "IMAGE_NOT_FOUND", "DIGEST_INVALID"]);

function fileSystemError(uri: Uri, error: unknown): FileSystemError {
  const { code, message, facts } = failureOf(error);
  if (absent.has(code)) return FileSystemError.FileNotFound(uri);
  const { sizeBytes, limitBytes } = facts;
  if (code !== "FILE_TOO_LARGE" || typeof sizeBytes !== "number" || typeof limitBytes !== "number")
    return FileSystemError.Unavailable(message);
  return FileSystemError.Unavailable(
    l10n.t(
      "{0} has {1}; files of images open up to {2}. Unpack the image with kubefile mount to read it.",
      uri.path.slice(uri.path.lastIndexOf("/") + 1),
      byteSize(sizeBytes),
      byteSize(limitBytes),
    ),
  );
}

function fileType({ kind, leadsTo }: ImageEntry): FileType {
  switch (kind) {
    case "file":
      return FileType.File;
    case "directory":
      return FileType.Directory;
    case "symlink":
      return leadsTo === undefined
        ? FileType.SymbolicLink
        : FileType.SymbolicLink | (leadsTo === "directory" ? FileType.Directory : FileType.File);
    case "deleted":
    case "other":
      return FileType.Unknown;
    default:
      return kind satisfies never;
  }
}
