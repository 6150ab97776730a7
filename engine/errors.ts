/**
 * Every way the engine can fail: the facts each code carries, and one table with the sentence a user reads.
 *
 * A message says what was being done, to what, what was found and what to do next. It never holds a secret: callers pass
 * references, paths and digests, never URLs with user info, tokens or environment values.
 */

/** Code → the facts behind it. The table below must have a row for each. */
export interface ErrorFacts {
  CANCELLED: { readonly what: string };
  DIGEST_INVALID: { readonly text: string };
  REFERENCE_INVALID: { readonly text: string; readonly reason: string };
  CONTAINER_IMAGES_UNAVAILABLE: {
    readonly failures: readonly { readonly image: string; readonly reason: string; readonly askedBy: string }[];
    readonly total: number;
  };
  FILE_NOT_IN_IMAGE: { readonly path: string };
  FILE_TOO_LARGE: { readonly path: string; readonly sizeBytes: number; readonly limitBytes: number };
  CHARTS_UNREADABLE: {
    readonly charts: readonly { readonly chart: string; readonly values: string; readonly reason: string }[];
  };
  DISCOVERY_RULES_INVALID: { readonly path: string; readonly line: number; readonly reason: string };
  FILE_UNREADABLE: { readonly path: string; readonly reason: string };
  REGISTRIES_UNAVAILABLE: Record<string, never>;
  IMAGE_LOCK_DRIFT: { readonly missing: readonly string[]; readonly unneeded: readonly string[] };
  IMAGE_LOCK_INVALID: {
    readonly path: string;
    readonly problems: readonly { readonly line: number; readonly message: string }[];
  };
  REGISTRY_LISTEN_FAILED: { readonly address: string; readonly reason: string };
  MIRROR_REFUSED: { readonly what: string; readonly reason: string };
  BUNDLE_UNREADABLE: { readonly where: string; readonly problem: string };
  REGISTRY_UNGUARDED: { readonly address: string; readonly missing: string };
  REGISTRY_USERS_INVALID: { readonly file: string; readonly problem: string };
  MIRROR_FILE_CONFLICT: { readonly file: string; readonly problem: string };
  MIRROR_RUNTIME_UNKNOWN: { readonly runtime: string; readonly known: string };
  PATH_ESCAPES_ROOT: { readonly path: string; readonly root: string };
  // oci, store, archive: images and the bytes they are made of
  PLATFORM_INVALID: { readonly text: string; readonly reason: string };
  DOCUMENT_INVALID: { readonly document: string; readonly path: string; readonly problem: string };
  BLOB_MISSING: { readonly digest: string; readonly where: string };
  BLOB_CORRUPT: { readonly digest: string; readonly where: string; readonly problem: string };
  BLOB_MISMATCH: { readonly what: string; readonly expected: string; readonly found: string };
  BLOB_TOO_LARGE: { readonly digest: string; readonly sizeBytes: number; readonly limitBytes: number };
  RANGE_INVALID: { readonly digest: string; readonly start: number; readonly end: number; readonly sizeBytes: number };
  IMAGE_NOT_FOUND: { readonly reference: string; readonly where: string };
  IMAGE_INCOMPLETE: { readonly what: string; readonly missing: readonly string[] };
  STORE_NEWER: { readonly dir: string; readonly found: string };
  STORE_READ_ONLY: { readonly dir: string };
  STORE_FULL: { readonly dir: string };
  STORE_UNUSABLE: { readonly dir: string; readonly problem: string };
  ARCHIVE_UNREADABLE: { readonly file: string; readonly problem: string };
  ARCHIVE_ONE_PLATFORM: { readonly reference: string; readonly platforms: string };
  ARCHIVE_TARGET_UNUSABLE: { readonly path: string; readonly problem: string };
  ARCHIVE_NEEDS_MORE: { readonly file: string; readonly missing: readonly string[]; readonly sizeBytes: number };
  ARCHIVE_PART_MISSING: { readonly list: string; readonly missing: readonly string[] };
  ARCHIVE_PART_DAMAGED: { readonly part: string; readonly problem: string };
  INVENTORY_INVALID: { readonly path: string; readonly line: number; readonly problem: string };
  // remote: talking to registries
  PROXY_INVALID: { readonly variable: string };
  CERTIFICATE_UNREADABLE: { readonly path: string; readonly reason: string };
  CREDENTIAL_HELPER_FAILED: { readonly helper: string; readonly verb: string; readonly reason: string };
  CREDENTIALS_UNREADABLE: { readonly path: string; readonly reason: string };
  CREDENTIALS_UNWRITABLE: { readonly path: string; readonly reason: string };
  REMOTE_UNREACHABLE: { readonly what: string; readonly host: string; readonly reason: string };
  REMOTE_TLS_UNTRUSTED: { readonly what: string; readonly host: string; readonly reason: string };
  REMOTE_PLAIN_HTTP: { readonly what: string; readonly host: string };
  REMOTE_REDIRECT_REFUSED: { readonly what: string; readonly host: string; readonly reason: string };
  REMOTE_UNAUTHORIZED: { readonly what: string; readonly registry: string; readonly reason: string };
  REMOTE_DENIED: { readonly what: string; readonly registry: string; readonly reason: string };
  REMOTE_NOT_FOUND: { readonly what: string; readonly registry: string; readonly reason: string };
  REMOTE_RATE_LIMITED: { readonly what: string; readonly registry: string; readonly retryAfterMs?: number };
  REMOTE_UNAVAILABLE: {
    readonly what: string;
    readonly registry: string;
    readonly status: number;
    readonly retryAfterMs?: number;
  };
  REMOTE_REFUSED: {
    readonly what: string;
    readonly registry: string;
    readonly status: number;
    /** Code of the distribution specification, such as `MANIFEST_INVALID`; empty when the registry gave none. */
    readonly code: string;
    readonly reason: string;
  };
  REMOTE_PROTOCOL: { readonly what: string; readonly registry: string; readonly reason: string };
  REMOTE_TOO_LARGE: { readonly what: string; readonly registry: string; readonly limitBytes: number };
  KEY_UNREADABLE: { readonly path: string; readonly reason: string };
  SIGNATURE_MISSING: { readonly what: string; readonly digest: string };
  SIGNATURE_INVALID: { readonly what: string; readonly digest: string; readonly found: number };
  IMAGE_EXISTS: { readonly reference: string };
  MERGE_CONFLICT: { readonly name: string; readonly conflicts: readonly string[] };
  FOLDER_NOT_EMPTY: { readonly path: string };
  REMOTE_INCOMPLETE: { readonly what: string; readonly registry: string; readonly missing: readonly string[] };
  IMAGE_PLATFORM_MISSING: { readonly what: string; readonly wanted: string; readonly found: string };
  REMOTE_INTERRUPTED: { readonly what: string; readonly registry: string; readonly reason: string };
  REMOTE_DIGEST_MISMATCH: {
    readonly what: string;
    readonly registry: string;
    readonly expected: string;
    readonly actual: string;
  };
  TAR_INVALID: { readonly offset: number; readonly reason: string };
  TAR_SIZE_MISMATCH: { readonly path: string; readonly expected: number; readonly actual: number };
  // layer and sandbox: applying layers, running commands
  LAYER_INVALID: { readonly path: string; readonly reason: string };
  LAYER_CORRUPT: { readonly format: string; readonly reason: string };
  LAYER_UNPACK_FAILED: { readonly path: string; readonly reason: string };
  SANDBOX_UNAVAILABLE: { readonly reason: string };
  SANDBOX_TOOL_MISSING: { readonly tool: string; readonly debianPackage: string };
  RUN_FAILED: { readonly command: string; readonly exitCode: number; readonly signal: string | undefined };
  RUN_TIMED_OUT: { readonly command: string; readonly timeoutMs: number };
  RUN_USER_UNKNOWN: { readonly user: string; readonly reason: string };
  RUN_WORKDIR_MISSING: { readonly dir: string };
  RUN_ENV_INVALID: { readonly name: string };
  RUN_MOUNT_INVALID: { readonly target: string; readonly reason: string };
  CONTEXT_CHANGED: { readonly path: string };
  CONTEXT_UNREADABLE: { readonly path: string; readonly reason: string };
  CONTEXT_LINK_LOOP: { readonly path: string };
  CONTEXT_MISSING: { readonly path: string; readonly reason: string };
  IMAGE_LINK_LOOP: { readonly path: string };
  IGNORE_FILE_INVALID: { readonly file: string; readonly line: number; readonly pattern: string };
  COPY_SOURCE_MISSING: {
    readonly instruction: string;
    readonly source: string;
    readonly reason: string;
    readonly ignoreFile?: string;
    readonly ignoreLine?: number;
  };
  COPY_DESTINATION_NOT_DIRECTORY: { readonly instruction: string; readonly destination: string };
  KUBEFILE_INVALID: {
    readonly line: number;
    readonly endLine: number;
    readonly instruction: string;
    readonly reason: string;
  };
  TARGET_MISSING: { readonly target: string; readonly stages: readonly string[] };
  KUBEFILE_EMPTY: { readonly lines: number };
  BASE_IMAGE_MISSING: { readonly reference: string };
  BASE_PLATFORM_MISSING: { readonly reference: string; readonly platform: string; readonly offered: readonly string[] };
  APP_TYPE_UNKNOWN: { readonly app: string; readonly reason: string };
  OWNER_UNKNOWN: { readonly owner: string; readonly name: string; readonly file: string };
  KUBEFILE_NOT_TEXT: { readonly path: string; readonly offset: number };
  CHART_INVALID: { readonly chart: string; readonly reason: string };
  CHART_VALUES_INVALID: { readonly source: string; readonly reason: string };
  CHART_RENDER_FAILED: {
    readonly chart: string;
    readonly detail: string;
    readonly file?: string;
    readonly line?: number;
  };
  CHART_LIMIT_REACHED: { readonly chart: string; readonly reason: string };
  KUBEFILE_MISSING: { readonly path: string; readonly reason: string };
  KUBEFILE_TOO_LARGE: { readonly path: string; readonly sizeBytes: number; readonly limitBytes: number };
  RUN_UNAVAILABLE: { readonly reason: string };
  PROTOCOL_MISMATCH: { readonly client: number; readonly engine: number };
  NOT_INITIALIZED: Record<string, never>;
  USAGE: { readonly reason: string; readonly command: string };
  RUN_SECRET_MISSING: { readonly id: string };
  RUN_SECRET_UNREADABLE: { readonly id: string; readonly path: string; readonly reason: string };
  ADD_TOOL_MISSING: { readonly path: string; readonly tool: string };
  DOWNLOAD_FAILED: { readonly url: string; readonly reason: string };
  DOWNLOAD_TOO_LARGE: { readonly url: string; readonly limitBytes: number };
  COPY_NAME_RESERVED: { readonly path: string };
}

export type ErrorCode = keyof ErrorFacts;

interface Row<Facts> {
  readonly message: (facts: Facts) => string;
  /** Whether the same call may succeed later without anybody changing anything; absent means no. */
  readonly retryable?: true;
}

const table: { readonly [Code in ErrorCode]: Row<ErrorFacts[Code]> } = {
  CANCELLED: { message: (f) => `${f.what}: cancelled; nothing was kept half-written.` },
  DIGEST_INVALID: {
    message: (f) => `"${f.text}" is not a digest: write sha256: followed by 64 lower-case hexadecimal digits.`,
  },
  REFERENCE_INVALID: { message: (f) => `"${f.text}" is not an image reference: ${f.reason}.` },
  MIRROR_REFUSED: { message: (f) => `${f.what}: ${f.reason}. No request was made.` },
  BUNDLE_UNREADABLE: {
    message: (f) =>
      `Serving the container images of ${f.where}: ${f.problem}. Give a folder or an image that has a registry/ folder in the layout of a distribution registry.`,
  },
  REGISTRY_UNGUARDED: {
    message: (f) =>
      `Serving a registry at ${f.address}: other machines can reach that address, and ${f.missing}. Listen on 127.0.0.1, or give what is missing.`,
  },
  REGISTRY_USERS_INVALID: {
    message: (f) => `Reading who may use the registry from ${f.file}: ${f.problem}. Write it with htpasswd -B.`,
  },
  MIRROR_FILE_CONFLICT: {
    message: (f) => `Writing the mirror into ${f.file}: ${f.problem}. Nothing was changed.`,
  },
  MIRROR_RUNTIME_UNKNOWN: {
    message: (f) => `There is no runtime "${f.runtime}". Choose one of ${f.known}.`,
  },
  CONTAINER_IMAGES_UNAVAILABLE: {
    message: (f) =>
      [
        `Packing container images: ${f.failures.length} of ${f.total} cannot be had.`,
        ...f.failures.map(({ image, reason, askedBy }) => `  ${image} (${askedBy}): ${reason}`),
        "Correct the names, log in to their registries, or mark them optional or ignored in kubefile.lock.",
      ].join("\n"),
  },
  FILE_TOO_LARGE: {
    message: (f) =>
      `Reading ${f.path}: it has ${f.sizeBytes} bytes, more than the ${f.limitBytes} that are read into memory.`,
  },
  FILE_NOT_IN_IMAGE: { message: (f) => `Reading ${f.path} from the image: there is no such file in it.` },
  CHARTS_UNREADABLE: {
    message: (f) =>
      [
        `Looking for container images: ${f.charts.length} chart${f.charts.length === 1 ? "" : "s"} cannot be rendered.`,
        ...f.charts.map(
          ({ chart, values, reason }) => `  ${chart}${values === "" ? "" : ` with ${values}`}: ${reason}`,
        ),
        "Give the values they need in <chart>.values.yaml beside the chart, or build with --build-mode lite.",
      ].join("\n"),
  },
  DISCOVERY_RULES_INVALID: { message: (f) => `Reading rules for images from ${f.path}, line ${f.line}: ${f.reason}.` },
  FILE_UNREADABLE: { message: (f) => `Reading ${f.path}: ${f.reason}.` },
  REGISTRIES_UNAVAILABLE: {
    message: () =>
      "Packing container images: this engine was opened without access to registries. Build with --build-mode lite.",
  },
  IMAGE_LOCK_DRIFT: {
    message: (f) =>
      [
        "Building with --locked: kubefile.lock does not say what the image needs.",
        ...f.missing.map((image) => `  not in the lock: ${image}`),
        ...f.unneeded.map((image) => `  no longer needed: ${image}`),
        "Run kubefile lock and look at what changed.",
      ].join("\n"),
  },
  IMAGE_LOCK_INVALID: {
    message: (f) =>
      [`Reading ${f.path}:`, ...f.problems.map(({ line, message }) => `  line ${line}: ${message}`)].join("\n"),
  },
  REGISTRY_LISTEN_FAILED: {
    message: (f) =>
      `Serving a registry at ${f.address}: ${f.reason}. Choose another address or end what listens there.`,
  },
  PATH_ESCAPES_ROOT: {
    message: (f) => `"${f.path}" leads outside ${f.root}: use a path below it. Nothing was read or written.`,
  },
  PLATFORM_INVALID: {
    message: (f) =>
      `"${f.text}" is not a platform: ${f.reason}. Write os/architecture[/variant], for example linux/arm64.`,
  },
  DOCUMENT_INVALID: {
    message: (f) =>
      `Reading ${f.document}${f.path === "" ? "" : ` at ${f.path}`}: ${f.problem}. Ask who made it for a repaired copy.`,
  },
  BLOB_MISSING: {
    message: (f) => `${f.digest} is not in ${f.where}: pull, load or build the image that needs it again.`,
  },
  BLOB_CORRUPT: {
    message: (f) =>
      `${f.digest} in ${f.where} is damaged: ${f.problem}. Pull, load or build it again; "kubefile verify" lists what else is damaged.`,
  },
  BLOB_MISMATCH: {
    message: (f) =>
      `${f.what}: expected ${f.expected}, received ${f.found}. Nothing was kept; try again or check the source.`,
  },
  BLOB_TOO_LARGE: {
    message: (f) =>
      `${f.digest} has ${f.sizeBytes} bytes, more than the ${f.limitBytes} a document of its kind may have.`,
  },
  RANGE_INVALID: {
    message: (f) => `Bytes ${f.start} to ${f.end} of ${f.digest} were asked for; it has ${f.sizeBytes}.`,
  },
  IMAGE_NOT_FOUND: {
    message: (f) => `There is no image ${f.reference} in ${f.where}: "kubefile images" lists those there are.`,
  },
  IMAGE_INCOMPLETE: {
    message: (f) =>
      `${f.what}: ${f.missing.length} of its parts are missing (${f.missing.slice(0, 3).join(", ")}). Pull, load or build it again.`,
  },
  STORE_NEWER: {
    message: (f) =>
      `The store ${f.dir} was made by a newer Kubefile (${f.found}): update Kubefile, or choose another folder with --store or KUBEFILE_STORE. It was left as it is.`,
  },
  STORE_READ_ONLY: {
    message: (f) =>
      `The store ${f.dir} cannot be written: give yourself write permission, or choose another folder with --store or KUBEFILE_STORE. It was left as it is.`,
  },
  STORE_FULL: {
    message: (f) =>
      `No space left in the store ${f.dir}: free some with "kubefile prune" or choose another folder with --store or KUBEFILE_STORE. What was there is intact.`,
  },
  STORE_UNUSABLE: {
    message: (f) =>
      `The store ${f.dir} cannot be used: ${f.problem}. Choose another folder with --store or KUBEFILE_STORE.`,
  },
  ARCHIVE_UNREADABLE: {
    message: (f) => `Loading ${f.file}: ${f.problem}. Nothing was named; ask who made it for a repaired copy.`,
  },
  ARCHIVE_ONE_PLATFORM: {
    message: (f) =>
      `Saving ${f.reference}: docker-archive holds one platform and the image has ${f.platforms}. Choose one with --platform, or save as oci-archive.`,
  },
  ARCHIVE_TARGET_UNUSABLE: {
    message: (f) => `Saving to ${f.path}: ${f.problem}. Choose another place with --output. Nothing was changed.`,
  },
  ARCHIVE_NEEDS_MORE: {
    message: (f) =>
      [
        `Loading ${f.file}: it is a delta, and ${f.missing.length} blobs it builds on (${f.sizeBytes} bytes) are not in this store:`,
        ...f.missing.map((digest) => `  ${digest}`),
        "Load the image it was made since first, or have it saved again without --since or with this store's inventory. Nothing was named.",
      ].join("\n"),
  },
  ARCHIVE_PART_MISSING: {
    message: (f) =>
      `Loading the parts of ${f.list}: ${f.missing.join(", ")} ${f.missing.length === 1 ? "is" : "are"} missing. Put all parts beside the list.`,
  },
  ARCHIVE_PART_DAMAGED: {
    message: (f) => `Loading ${f.part}: ${f.problem}. Copy this part again; the others can stay. Nothing was named.`,
  },
  INVENTORY_INVALID: {
    message: (f) =>
      `Reading the inventory ${f.path}, line ${f.line}: ${f.problem}. Write it with "kubefile inventory -o FILE" on the other side.`,
  },
  PROXY_INVALID: {
    message: (f) => `${f.variable} does not name a proxy: write http://host:port or https://host:port, or unset it.`,
  },
  CERTIFICATE_UNREADABLE: { message: (f) => `The certificate ${f.path} cannot be used: ${f.reason}.` },
  CREDENTIAL_HELPER_FAILED: {
    message: (f) =>
      `docker-credential-${f.helper} ${f.verb} failed: ${f.reason}. Repair the helper, or remove it from the configuration that names it.`,
  },
  CREDENTIALS_UNREADABLE: {
    message: (f) => `The credentials in ${f.path} cannot be read: ${f.reason}. Correct the file or log in again.`,
  },
  CREDENTIALS_UNWRITABLE: { message: (f) => `The login could not be written to ${f.path}: ${f.reason}.` },
  REMOTE_UNREACHABLE: {
    retryable: true,
    message: (f) =>
      `${f.what}: ${f.host} cannot be reached: ${f.reason}. Check the name, the network and the proxy settings.`,
  },
  REMOTE_TLS_UNTRUSTED: {
    message: (f) =>
      `${f.what}: the certificate of ${f.host} is not trusted: ${f.reason}. Put its CA into certs.d/${f.host}/ca.crt.`,
  },
  REMOTE_PLAIN_HTTP: {
    message: (f) =>
      `${f.what}: ${f.host} does not speak TLS. If you trust the network between, name it in the insecure registries; plain HTTP is never used otherwise.`,
  },
  REMOTE_REDIRECT_REFUSED: { message: (f) => `${f.what}: the redirect to ${f.host} was not followed: ${f.reason}.` },
  REMOTE_UNAUTHORIZED: {
    message: (f) => `${f.what}: ${f.registry} asks for a login: ${f.reason}. Log in to ${f.registry} and try again.`,
  },
  REMOTE_DENIED: {
    message: (f) => `${f.what}: ${f.registry} does not allow it: ${f.reason}. Use an account that may.`,
  },
  REMOTE_NOT_FOUND: { message: (f) => `${f.what}: ${f.registry} does not have it: ${f.reason}.` },
  REMOTE_RATE_LIMITED: {
    retryable: true,
    message: (f) =>
      `${f.what}: ${f.registry} limits how often it may be asked${f.retryAfterMs === undefined ? "" : `; try again in ${Math.ceil(f.retryAfterMs / 1000)} s`}. Logging in often raises the limit.`,
  },
  REMOTE_UNAVAILABLE: {
    retryable: true,
    message: (f) => `${f.what}: ${f.registry} is in trouble and answers with status ${f.status}. Try again later.`,
  },
  REMOTE_REFUSED: {
    message: (f) =>
      `${f.what}: ${f.registry} refuses with status ${f.status}${f.code === "" ? "" : ` (${f.code})`}${f.reason === "" ? "" : `: ${f.reason}`}.`,
  },
  REMOTE_PROTOCOL: { message: (f) => `${f.what}: ${f.registry} breaks the registry protocol: ${f.reason}.` },
  REMOTE_TOO_LARGE: {
    message: (f) =>
      `${f.what}: ${f.registry} sends more than the ${f.limitBytes} bytes allowed here; nothing was kept.`,
  },
  KEY_UNREADABLE: { message: (f) => `The key ${f.path} cannot be used: ${f.reason}.` },
  SIGNATURE_MISSING: { message: (f) => `${f.what}: ${f.digest} carries no signature.` },
  SIGNATURE_INVALID: {
    message: (f) =>
      `${f.what}: none of the ${f.found} signatures of ${f.digest} is by this key. Do not use it unless you know why.`,
  },
  IMAGE_EXISTS: {
    message: (f) => `There is an image ${f.reference} already: choose another name, or say that it may change.`,
  },
  MERGE_CONFLICT: {
    message: (f) =>
      `${f.name}: ${f.conflicts.length} conflicts, nothing was merged: ${f.conflicts.slice(0, 5).join("; ")}${f.conflicts.length > 5 ? " …" : ""}. Change the images, or let the later one win.`,
  },
  FOLDER_NOT_EMPTY: {
    message: (f) => `${f.path} is not empty: name a folder that is new or empty. Nothing was written.`,
  },
  REMOTE_INCOMPLETE: {
    retryable: true,
    message: (f) =>
      `${f.what}: ${f.registry} took ${f.missing[0]} and does not have it now; the tag was not moved. Push again, and look at the registry's storage if it stays so.`,
  },
  IMAGE_PLATFORM_MISSING: {
    message: (f) =>
      `${f.what}: there is no image for ${f.wanted}; ${f.found === "" ? "it names no platforms" : `choose one of ${f.found}`}.`,
  },
  REMOTE_INTERRUPTED: {
    retryable: true,
    message: (f) =>
      `${f.what}: the connection to ${f.registry} broke again and again: ${f.reason}. Try again: only the rest is moved.`,
  },
  REMOTE_DIGEST_MISMATCH: {
    message: (f) =>
      `${f.what}: ${f.registry} sent ${f.actual} instead of ${f.expected}; it was not used. The registry or something between is broken.`,
  },
  TAR_INVALID: {
    message: (f) => `reading a tar archive: found ${f.reason} at byte ${f.offset}. Fetch or make the archive again.`,
  },
  TAR_SIZE_MISMATCH: {
    message: (f) =>
      `writing a tar archive: ${f.path} should have ${f.expected} bytes and has ${f.actual}. Run the command again.`,
  },
  LAYER_INVALID: {
    message: (f) =>
      `layer entry "${f.path}" is ${f.reason}: the layer was not applied; get a correct image from its publisher.`,
  },
  LAYER_CORRUPT: {
    message: (f) => `reading a ${f.format} layer: ${f.reason}; the layer is damaged, pull or build it again.`,
  },
  LAYER_UNPACK_FAILED: {
    message: (f) => `unpacking "${f.path}": ${f.reason}; check the space and rights of the store's directory.`,
  },
  SANDBOX_UNAVAILABLE: {
    message: (f) =>
      `RUN needs Linux namespaces, which are not to be had here (${f.reason}): open the folder over Remote-SSH or WSL on a Linux host that allows them, or build with a BuildKit builder.`,
  },
  SANDBOX_TOOL_MISSING: {
    message: (f) => `RUN needs the program ${f.tool}, which is not installed: install ${f.debianPackage} on this host.`,
  },
  RUN_FAILED: {
    message: (f) =>
      f.signal === undefined
        ? `RUN ${f.command}: ended with exit code ${f.exitCode}; see the output above.`
        : `RUN ${f.command}: was ended by ${f.signal}; see the output above.`,
  },
  RUN_TIMED_OUT: {
    message: (f) =>
      `RUN ${f.command}: not done after ${f.timeoutMs / 1000} s, so it was ended; allow more time or look at what it waits for.`,
  },
  RUN_USER_UNKNOWN: {
    message: (f) => `USER ${f.user}: ${f.reason}; name a user of the image's /etc/passwd or a number.`,
  },
  RUN_WORKDIR_MISSING: {
    message: (f) => `WORKDIR ${f.dir}: not a directory of the image; make it before RUN, or name another.`,
  },
  RUN_ENV_INVALID: {
    message: (f) => `ENV ${f.name}: a variable's name is not empty and has no "=", and neither it nor its value a NUL.`,
  },
  RUN_MOUNT_INVALID: { message: (f) => `RUN --mount with target ${f.target}: ${f.reason}.` },
  CONTEXT_CHANGED: {
    message: (f) =>
      `reading the build context: ${f.path} changed while it was read. Wait until nothing writes there, then build again.`,
    retryable: true,
  },
  CONTEXT_UNREADABLE: {
    message: (f) =>
      `reading the build context: ${f.path} cannot be read (${f.reason}). Change its permissions, or leave it out with .kubefileignore.`,
  },
  CONTEXT_LINK_LOOP: {
    message: (f) =>
      `reading the build context: ${f.path} leads through more than 40 symbolic links. Break the loop, or leave it out with .kubefileignore.`,
  },
  CONTEXT_MISSING: { message: (f) => `opening the build context ${f.path}: ${f.reason}. Name an existing directory.` },
  IMAGE_LINK_LOOP: {
    message: (f) =>
      `finding ${f.path} in the image: it leads through more than 40 symbolic links. Copy to another place.`,
  },
  IGNORE_FILE_INVALID: {
    message: (f) =>
      `reading ${f.file}: line ${f.line} ("${f.pattern}") is not a pattern. Correct it, or put a # in front.`,
  },
  COPY_SOURCE_MISSING: {
    message: (f) =>
      `${f.instruction} ${f.source}: ${f.reason}. Correct the path, or ${f.ignoreFile === undefined ? "add the file" : `change ${f.ignoreFile}`}.`,
  },
  COPY_DESTINATION_NOT_DIRECTORY: {
    message: (f) =>
      `${f.instruction} to ${f.destination}: several sources need a directory. End the destination with a slash.`,
  },
  KUBEFILE_INVALID: { message: (f) => `Kubefile line ${f.line}: ${f.reason}.` },
  TARGET_MISSING: {
    message: (f) =>
      `building stage "${f.target}": the Kubefile has no such stage. Choose one of ${f.stages.join(", ")}.`,
  },
  KUBEFILE_EMPTY: {
    message: () =>
      "reading the Kubefile: it has no FROM, so there is nothing to build. Start it with FROM scratch, or FROM and the name of an image.",
  },
  BASE_IMAGE_MISSING: {
    message: (f) =>
      `finding the base image ${f.reference}: it is not in the store. Pull or build it first, or correct FROM.`,
  },
  BASE_PLATFORM_MISSING: {
    message: (f) =>
      `finding the base image ${f.reference}: it has no ${f.platform}. Build for one of ${f.offered.join(", ") || "its platforms"}, or choose another base.`,
  },
  APP_TYPE_UNKNOWN: {
    message: (f) =>
      `application ${f.app}: how to launch it is not known. ${f.reason} Add APPCMDS ${f.app} ["…"] to say how.`,
  },
  OWNER_UNKNOWN: {
    message: (f) =>
      `--chown=${f.owner}: the image below has no "${f.name}" in ${f.file}. Write a number, or create the name first.`,
  },
  KUBEFILE_NOT_TEXT: {
    message: (f) =>
      `reading ${f.path}: it is not text (a NUL at character ${f.offset}). Name the Kubefile with --file.`,
  },
  CHART_INVALID: { message: (f) => `Reading the chart ${f.chart}: ${f.reason}. Nothing was rendered.` },
  CHART_VALUES_INVALID: { message: (f) => `Reading values from ${f.source}: ${f.reason}.` },
  CHART_RENDER_FAILED: { message: (f) => `Rendering the chart ${f.chart}: ${f.detail}` },
  CHART_LIMIT_REACHED: {
    message: (f) =>
      `Rendering the chart ${f.chart}: stopped, ${f.reason}. Raise the limits only for a chart you trust.`,
  },
  KUBEFILE_MISSING: {
    message: (f) => `reading the Kubefile ${f.path}: ${f.reason}. Create it, or name another with --file.`,
  },
  KUBEFILE_TOO_LARGE: {
    message: (f) =>
      `reading ${f.path}: ${f.sizeBytes} bytes are too many for a Kubefile (at most ${f.limitBytes}). Name the Kubefile with --file, and COPY large content from files.`,
  },
  RUN_UNAVAILABLE: {
    message: (f) =>
      `RUN cannot be carried out here: ${f.reason}. Open the folder in WSL or over Remote-SSH on Linux, or build it with a BuildKit builder.`,
  },
  PROTOCOL_MISMATCH: {
    message: (f) =>
      `starting the engine: the client speaks version ${f.client} of its protocol, the engine version ${f.engine}. Reload the window, so that both come from the same extension.`,
  },
  NOT_INITIALIZED: { message: () => "the engine was asked something before it was initialized. Restart it." },
  USAGE: { message: (f) => `${f.reason}. See: kubefile ${f.command === "" ? "--help" : `${f.command} --help`}.` },
  RUN_SECRET_MISSING: {
    message: (f) =>
      `RUN mounts "${f.id}", and it was not given. Give it with --secret id=${f.id},src=FILE (or --ssh ${f.id}).`,
  },
  RUN_SECRET_UNREADABLE: {
    message: (f) => `RUN mounts the secret "${f.id}": ${f.path} cannot be read (${f.reason}). Correct --secret.`,
  },
  ADD_TOOL_MISSING: {
    message: (f) =>
      `ADD ${f.path}: unpacking it takes the program ${f.tool}, which is not installed. Install it, or pack the archive with gzip or zstd.`,
  },
  DOWNLOAD_FAILED: {
    message: (f) =>
      `fetching ${f.url}: ${f.reason}. Check the address and the network, or download the file and COPY it.`,
    retryable: true,
  },
  DOWNLOAD_TOO_LARGE: {
    message: (f) => `fetching ${f.url}: it is larger than ${f.limitBytes} bytes. Download it, look at it, and COPY it.`,
  },
  COPY_NAME_RESERVED: {
    message: (f) =>
      `copying ${f.path}: names that start with .wh. mean deletions inside images and cannot be files. Rename it.`,
  },
};

/** The one error class of the engine. `code` is stable and listed in `docs/errors.md`; `facts` are what the message was made of. */
export class EngineError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly facts: ErrorFacts[Code];

  constructor(code: Code, facts: ErrorFacts[Code], options?: ErrorOptions) {
    super(table[code].message(facts), options);
    this.name = "EngineError";
    this.code = code;
    this.facts = facts;
  }

  /** Whether the same call may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return table[this.code].retryable === true;
  }
}

/** Tells an `EngineError`, of one code when given, from anything else that was thrown. */
export function isEngineError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is EngineError<Code> {
  return error instanceof EngineError && (code === undefined || error.code === code);
}
