/** One file of an archive or a layout folder that is about to be written. */
export interface ArchiveFile {
  /** Relative, with slashes: `blobs/sha256/…`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** The content, `sizeBytes` of it, checked against what it should be. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A file whose bytes are at hand. */
export function fileOf(path: string, bytes: Uint8Array): ArchiveFile {
  return {
    path,
    sizeBytes: bytes.byteLength,
    async *open(): AsyncGenerator<Uint8Array> {
      yield bytes;
    },
  };
}

/** The name of the Kubefile extension's own label that carries manifest annotations through formats that have none. */
export const annotationsLabel = "io.kubefile.manifest.annotations";

/** The file `oci-layout`. OCI image-spec v1.1 image-layout.md, "oci-layout file". */
export const layoutMarker = '{"imageLayoutVersion":"1.0.0"}';
