import type { InstructionKind } from "./syntax.ts";

/** sealer: sealer's own builder. sealos: buildah, which knows Dockerfile instructions and none of sealer's. */
export type Dialect = "sealer" | "sealos";

/** The name of an instruction, as the table writes it. */
export type InstructionName = Exclude<InstructionKind, "UNKNOWN">;

/** How the arguments of an instruction are read. */
export type ArgumentShape =
  | "image"
  | "copy"
  | "pairs"
  | "arguments"
  | "command"
  | "exec"
  | "healthcheck"
  | "app"
  | "appEnv"
  | "appCommands"
  | "names"
  | "commands"
  | "text"
  | "ports"
  | "paths"
  | "trigger";

export interface FlagInfo {
  readonly name: string;
  /** `optional`: a boolean flag, `--link` or `--link=true`. */
  readonly value: "required" | "optional";
  /** What the value may be: closed for `mount` keys and booleans, suggestions otherwise. */
  readonly values: readonly string[];
  readonly repeatable: boolean;
  readonly help: string;
  /** Dialects whose builder honours it. */
  readonly dialects: readonly Dialect[];
}

export interface InstructionInfo {
  readonly name: InstructionName;
  /** Dialects whose parser accepts it. */
  readonly dialects: readonly Dialect[];
  readonly shape: ArgumentShape;
  /** The ways to write it, for signature help and hover. */
  readonly usage: readonly string[];
  /** One or two plain sentences, Markdown. */
  readonly help: string;
  /** Where it is specified. */
  readonly link: string;
  readonly flags: readonly FlagInfo[];
  /** The builder, not a shell, expands `$NAME` in the arguments. */
  readonly expands: boolean;
  /** Arguments may be a JSON array of strings. */
  readonly json: boolean;
  /** May open heredocs with `<<`. */
  readonly heredocs: boolean;
  /** What to write instead, when it is deprecated. */
  readonly deprecated: string | undefined;
  /** Snippet in TextMate syntax, after the name. */
  readonly snippet: string;
}

const both: readonly Dialect[] = ["sealer", "sealos"];
const sealerOnly: readonly Dialect[] = ["sealer"];
const sealosOnly: readonly Dialect[] = ["sealos"];
const sealerDocs = "https://github.com/sealerio/sealer/blob/main/docs/design/kubefile.md";
const dockerDocs = "https://docs.docker.com/reference/dockerfile/";

const booleans: readonly string[] = ["true", "false"];
const platforms: readonly string[] = ["linux/amd64", "linux/arm64", "$BUILDPLATFORM", "$TARGETPLATFORM"];

function flag(
  name: string,
  help: string,
  more: {
    values?: readonly string[];
    value?: FlagInfo["value"];
    repeatable?: boolean;
    dialects?: readonly Dialect[];
  } = {},
): FlagInfo {
  return {
    name,
    help,
    value: more.value ?? "required",
    values: more.values ?? [],
    repeatable: more.repeatable ?? false,
    dialects: more.dialects ?? sealosOnly,
  };
}

const chown: FlagInfo = flag("chown", "Owner of the copied files: `user:group`, by name or number.", {
  values: ["0:0", "1000:1000"],
});
const chmod: FlagInfo = flag("chmod", "Mode of the copied files: `0755`, or `u=rwX,go=rX`.", {
  values: ["0644", "0755"],
});
const link: FlagInfo = flag("link", "Copy into a layer of its own that does not depend on the layers below.", {
  value: "optional",
  values: booleans,
});
const exclude: FlagInfo = flag("exclude", "Leave out what the pattern matches, as an ignore file does.", {
  repeatable: true,
});

/** sealer hands ADD and RUN on as they are; of COPY it drops the flags. */
function everywhere(info: FlagInfo): FlagInfo {
  return { ...info, dialects: both };
}

interface Row {
  readonly dialects: readonly Dialect[];
  readonly shape: ArgumentShape;
  readonly usage: readonly string[];
  readonly help: string;
  readonly snippet: string;
  readonly flags?: readonly FlagInfo[];
  readonly expands?: boolean;
  readonly json?: boolean;
  readonly heredocs?: boolean;
  readonly deprecated?: string;
}

function info(name: InstructionName, row: Row): InstructionInfo {
  return {
    name,
    dialects: row.dialects,
    shape: row.shape,
    usage: row.usage.map((usage) => `${name} ${usage}`),
    help: row.help,
    link: row.dialects === sealerOnly ? sealerDocs : `${dockerDocs}#${name.toLowerCase()}`,
    flags: row.flags ?? [],
    expands: row.expands ?? false,
    json: row.json ?? false,
    heredocs: row.heredocs ?? false,
    deprecated: row.deprecated,
    snippet: row.snippet,
  };
}

/**
 * Every instruction of both dialects, in the order completion offers them. Parser, checks, completion, hover, signature
 * help, the TextMate grammar and the documentation read this one table.
 */
export const instructions: readonly InstructionInfo[] = [
  info("FROM", {
    dialects: both,
    shape: "image",
    usage: ["[--platform=PLATFORM] IMAGE [AS NAME]"],
    help: "Starts from an image. `scratch` is the empty one. Applications and container images of the base stay in the new image; its LAUNCH and CMDS do not.",
    flags: [
      flag("platform", "Platform of the base image, when it has several.", { values: platforms, dialects: both }),
    ],
    expands: true,
    snippet: "${1:scratch}",
  }),
  info("APP", {
    dialects: sealerOnly,
    shape: "app",
    usage: ["NAME SCHEME://PATH...", '["NAME", "SCHEME://PATH", ...]'],
    help: "Declares an application and copies its files to `application/apps/NAME/`. Sources are `local://` paths of the build context, or `http://` and `https://` URLs. The type (helm, kube or shell) comes from the files.",
    json: true,
    snippet: "${1:name} local://${2:path}",
  }),
  info("APPENV", {
    dialects: sealerOnly,
    shape: "appEnv",
    usage: ["NAME KEY=VALUE..."],
    help: "Sets variables for the templates (`*.tmpl`) of one application. The application must be declared above. The last value wins.",
    snippet: "${1:name} ${2:KEY}=${3:value}",
  }),
  info("APPCMDS", {
    dialects: sealerOnly,
    shape: "appCommands",
    usage: ['NAME ["COMMAND", ...]'],
    help: "Says how one application is launched, instead of what its type would do. Needs a JSON array; the strings are joined by one space into a single command line, run in the application's folder.",
    snippet: '${1:name} ["${2:kubectl apply -f .}"]',
  }),
  info("LAUNCH", {
    dialects: sealerOnly,
    shape: "names",
    usage: ["NAME...", '["NAME", ...]'],
    help: "Names the applications to launch when the cluster is up, in order. Stands once, as the last instruction; excludes CMDS and CMD.",
    json: true,
    snippet: '["${1:name}"]',
  }),
  info("CMDS", {
    dialects: sealerOnly,
    shape: "commands",
    usage: ['["COMMAND", ...]'],
    help: "Commands to run when the cluster is up, one after the other, in the root of the image's files. Stands once, as the last instruction; excludes LAUNCH.",
    json: true,
    snippet: '["${1:kubectl apply -f manifests/app.yaml}"]',
  }),
  info("CNI", {
    dialects: sealerOnly,
    shape: "app",
    usage: ["NAME SCHEME://PATH...", '["NAME", "SCHEME://PATH", ...]'],
    help: "Declares the application that is the cluster's network, as APP does, and labels the image `cluster.alpha.sealer.io/kube-cni-NAME`.",
    json: true,
    snippet: "${1:calico} local://${2:path}",
  }),
  info("CSI", {
    dialects: sealerOnly,
    shape: "app",
    usage: ["NAME SCHEME://PATH...", '["NAME", "SCHEME://PATH", ...]'],
    help: "Declares the application that is the cluster's storage, as APP does, and labels the image `cluster.alpha.sealer.io/kube-csi-NAME`.",
    json: true,
    snippet: "${1:name} local://${2:path}",
  }),
  info("KUBEVERSION", {
    dialects: sealerOnly,
    shape: "text",
    usage: ["CONSTRAINT"],
    help: "Kubernetes versions the applications support, such as `>=1.22.0 <1.30.0`. Stored as the label `app.alpha.sealer.io/supported-kube-version`.",
    snippet: "${1:>=1.22.0 <1.30.0}",
  }),
  info("COPY", {
    dialects: both,
    shape: "copy",
    usage: ["[FLAGS] SOURCE... DESTINATION", '[FLAGS] ["SOURCE", ..., "DESTINATION"]'],
    help: "Copies files of the build context into the image. The destination counts from the root of the image, or from WORKDIR. sealer reads `${ARCH}` in the source, takes one source and no flags.",
    flags: [
      flag("from", "Copy from a stage, an image or a named context instead of the build context."),
      chown,
      chmod,
      link,
      flag("parents", "Keep the parent folders of the sources.", { value: "optional", values: booleans }),
      exclude,
    ],
    expands: true,
    json: true,
    heredocs: true,
    snippet: "${1:source} ${2:destination}",
  }),
  info("ADD", {
    dialects: both,
    shape: "copy",
    usage: ["[FLAGS] SOURCE... DESTINATION", '[FLAGS] ["SOURCE", ..., "DESTINATION"]'],
    help: "Copies like COPY, and also fetches URLs and unpacks local tar archives. Prefer COPY for plain files.",
    flags: [
      flag("checksum", "Digest the fetched file must have: `sha256:...`.", { values: ["sha256:"], dialects: both }),
      everywhere(chown),
      everywhere(chmod),
      everywhere(link),
      flag("keep-git-dir", "Keep `.git` when the source is a Git repository.", {
        value: "optional",
        values: booleans,
        dialects: both,
      }),
      flag("unpack", "Unpack a tar archive, wherever it comes from.", {
        value: "optional",
        values: booleans,
        dialects: both,
      }),
      everywhere(exclude),
    ],
    expands: true,
    json: true,
    heredocs: true,
    snippet: "${1:source} ${2:destination}",
  }),
  info("RUN", {
    dialects: both,
    shape: "command",
    usage: ["[FLAGS] COMMAND", '[FLAGS] ["EXECUTABLE", "ARGUMENT", ...]'],
    help: "Runs a command while the image is built and keeps what it changed. The array form runs without a shell.",
    flags: [
      flag("mount", "Lend files to this command only: `type=bind|cache|tmpfs|secret|ssh`, then options.", {
        repeatable: true,
        dialects: both,
        values: [
          "type=bind,source=,target=",
          "type=cache,target=",
          "type=tmpfs,target=",
          "type=secret,id=",
          "type=ssh",
        ],
      }),
      flag("network", "Network of this command.", { values: ["default", "none", "host"], dialects: both }),
      flag("security", "Security mode of this command.", { values: ["sandbox", "insecure"], dialects: both }),
      flag("device", "Device given to this command.", { repeatable: true, dialects: both }),
    ],
    json: true,
    heredocs: true,
    snippet: "${1:command}",
  }),
  info("ENV", {
    dialects: both,
    shape: "pairs",
    usage: ["KEY=VALUE...", "KEY VALUE"],
    help: "Sets environment variables for the instructions below and in the image. sealer also hands them to cluster scripts and templates.",
    expands: true,
    snippet: "${1:KEY}=${2:value}",
  }),
  info("ARG", {
    dialects: both,
    shape: "arguments",
    usage: ["NAME[=DEFAULT]..."],
    help: "Declares a build argument, set with `--build-arg NAME=VALUE`. It lives until the end of its stage and is not kept in the image.",
    expands: true,
    snippet: "${1:NAME}=${2:default}",
  }),
  info("LABEL", {
    dialects: both,
    shape: "pairs",
    usage: ["KEY=VALUE..."],
    help: "Adds labels to the image. sealer reads `cluster.alpha.sealer.io/...` and `app.alpha.sealer.io/...`.",
    expands: true,
    snippet: '${1:key}="${2:value}"',
  }),
  info("CMD", {
    dialects: both,
    shape: "command",
    usage: ["COMMAND", '["COMMAND", ...]'],
    help: "Command to run when the cluster is up. Deprecated in sealer, where every CMD is kept, in favour of CMDS or APP with LAUNCH; in sealos the last one counts, and `$(NAME)` reads ENV.",
    json: true,
    snippet: '["${1:bash entrypoint.sh}"]',
  }),
  info("WORKDIR", {
    dialects: sealosOnly,
    shape: "text",
    usage: ["PATH"],
    help: "Folder in which the instructions below work. A relative path counts from the WORKDIR above.",
    expands: true,
    snippet: "${1:/path}",
  }),
  info("USER", {
    dialects: sealosOnly,
    shape: "text",
    usage: ["USER[:GROUP]"],
    help: "User, and optionally group, that runs the RUN instructions below, by name or number.",
    expands: true,
    snippet: "${1:user}",
  }),
  info("ENTRYPOINT", {
    dialects: sealosOnly,
    shape: "command",
    usage: ["COMMAND", '["EXECUTABLE", "ARGUMENT", ...]'],
    help: "Command run before CMD when the cluster is up. The last one counts.",
    json: true,
    snippet: '["${1:executable}"]',
  }),
  info("EXPOSE", {
    dialects: sealosOnly,
    shape: "ports",
    usage: ["PORT[/PROTOCOL]..."],
    help: "Notes ports in the image's configuration: `8080`, `53/udp`, `7000-7010/tcp`. It opens none.",
    expands: true,
    snippet: "${1:8080}",
  }),
  info("VOLUME", {
    dialects: sealosOnly,
    shape: "paths",
    usage: ["PATH...", '["PATH", ...]'],
    help: "Notes mount points in the image's configuration.",
    expands: true,
    json: true,
    snippet: '["${1:/data}"]',
  }),
  info("SHELL", {
    dialects: sealosOnly,
    shape: "exec",
    usage: ['["EXECUTABLE", "ARGUMENT", ...]'],
    help: "Shell that runs the shell form of the RUN, CMD and ENTRYPOINT below. Needs a JSON array.",
    json: true,
    snippet: '["${1:/bin/bash}", "${2:-c}"]',
  }),
  info("ONBUILD", {
    dialects: sealosOnly,
    shape: "trigger",
    usage: ["INSTRUCTION"],
    help: "Keeps an instruction for later: it runs when another build starts FROM this image.",
    snippet: "${1:INSTRUCTION}",
  }),
  info("HEALTHCHECK", {
    dialects: sealosOnly,
    shape: "healthcheck",
    usage: ["[FLAGS] CMD COMMAND", "NONE"],
    help: "Command that tells whether a container is healthy, or NONE to drop the one of the base image.",
    flags: [
      flag("interval", "Time between two checks.", { values: ["30s"] }),
      flag("timeout", "Time after which a check has failed.", { values: ["30s"] }),
      flag("start-period", "Time to start up, in which failures do not count.", { values: ["0s", "30s"] }),
      flag("start-interval", "Time between two checks while starting up.", { values: ["5s"] }),
      flag("retries", "Failures in a row that make it unhealthy.", { values: ["3"] }),
    ],
    json: true,
    snippet: "CMD ${1:command}",
  }),
  info("STOPSIGNAL", {
    dialects: sealosOnly,
    shape: "text",
    usage: ["SIGNAL"],
    help: "Signal that stops a container: a name such as `SIGTERM`, or a number.",
    expands: true,
    snippet: "${1:SIGTERM}",
  }),
  info("MAINTAINER", {
    dialects: both,
    shape: "text",
    usage: ["NAME"],
    help: "Author of the image. Use the label `org.opencontainers.image.authors` instead.",
    deprecated: 'LABEL org.opencontainers.image.authors="NAME"',
    snippet: "${1:name}",
  }),
];

const byName: ReadonlyMap<string, InstructionInfo> = new Map(instructions.map((row) => [row.name, row]));

/** The row of an instruction; upper or lower case does not matter. */
export function instructionInfo(name: string): InstructionInfo | undefined {
  return byName.get(name) ?? byName.get(name.toUpperCase());
}

export interface DirectiveInfo {
  readonly name: string;
  readonly values: readonly string[];
  readonly help: string;
  readonly link: string;
}

/** Parser directives: `# name=value` before anything else in the file. */
export const directives: readonly DirectiveInfo[] = [
  {
    name: "escape",
    values: ["\\", "`"],
    help: "The character that joins lines and escapes a character: `\\` (usual) or a backtick.",
    link: `${dockerDocs}#escape`,
  },
  {
    name: "syntax",
    values: ["docker/dockerfile:1"],
    help: "The BuildKit frontend that reads the file. Kubefile's own engine ignores it.",
    link: `${dockerDocs}#syntax`,
  },
  {
    name: "check",
    values: ["skip=", "error=true"],
    help: "Build checks to skip, or `error=true` to fail on them.",
    link: `${dockerDocs}#check`,
  },
];
