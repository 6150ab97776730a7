import { type ByteString, bytesOfText } from "../byteString.ts";
import { shellQuote } from "../layer/hostTool.ts";
import type { MountPlan, PlannedMount, StageSource } from "./sandboxMounts.ts";
import type { SandboxLimits } from "./sandboxSpec.ts";
import type { SandboxTools } from "./sandboxTools.ts";
import type { SandboxUser } from "./sandboxUser.ts";

/*
 * The script that turns fresh namespaces into the sandbox and then becomes the command. It reaches the shell on its standard input, so
 * nothing of it is in an argument list; values of secrets are not in it at all, they come as lines of base64 on descriptor 4. What goes
 * wrong before the command starts is told by an exit without a word on descriptor 3.
 */

export interface ScriptPlan {
  /** Holds `upper`, `work`, `root`, `private`, and the layers as `0`, `1` … from the top. */
  readonly runDir: string;
  readonly method: "overlay" | "copy";
  readonly layerCount: number;
  /** Whether we are root outside, or only inside our own user namespace. */
  readonly isRoot: boolean;
  readonly network: "host" | "none";
  readonly mountPlan: MountPlan;
  readonly user: SandboxUser;
  readonly env: ReadonlyMap<string, string>;
  readonly limits: SandboxLimits;
  readonly workingDir: string;
  readonly argv: readonly string[];
  /** Text of `/dev/pipes/<name>`, for commands that are a script. */
  readonly scriptFile: { readonly name: string; readonly text: string } | undefined;
  readonly tools: SandboxTools;
  /** Leave mounts, the secrets descriptor and the ready sign out, and keep the terminal: for looking into a failed run. */
  readonly interactive: boolean;
}

/** Docker's own list: what package managers and installers need, nothing that reaches the host. */
const keptCapabilities = [
  "chown",
  "dac_override",
  "fsetid",
  "fowner",
  "mknod",
  "net_raw",
  "setgid",
  "setuid",
  "setfcap",
  "setpcap",
  "net_bind_service",
  "sys_chroot",
  "kill",
  "audit_write",
];

/** Parts of /proc that tell about or reach the host. */
const maskedFiles = ["kcore", "keys", "latency_stats", "timer_list", "sched_debug", "sysrq-trigger", "kmsg"];
const maskedDirectories = ["acpi", "scsi", "asound"];
const readOnlyDirectories = ["bus", "fs", "irq", "sys"];
const devices = ["null", "zero", "full", "random", "urandom", "tty"];

/** The words in front of the script: programs and namespaces. */
export function unshareArgv(
  plan: Pick<ScriptPlan, "isRoot" | "network" | "tools">,
  shellArgs: readonly string[],
): readonly string[] {
  return [
    plan.tools.setpriv,
    "--pdeathsig",
    "KILL",
    plan.tools.unshare,
    ...(plan.isRoot ? [] : ["--user", "--map-root-user"]),
    "--mount",
    "--pid",
    "--fork",
    "--kill-child=KILL",
    "--uts",
    "--ipc",
    ...(plan.network === "none" ? ["--net"] : []),
    "--",
    plan.tools.sh,
    ...shellArgs,
  ];
}

/** The script, one byte per UTF-16 unit. */
export function sandboxScript(plan: ScriptPlan): ByteString {
  const mounts = plan.interactive ? [] : plan.mountPlan.mounts;
  return [
    ...prologue(plan),
    ...rootTree(plan),
    ...systemMounts(plan),
    ...mounts.flatMap((mount, index) => mountLines(plan, mount, index)),
    ...scriptFileLines(plan),
    ...networkLines(plan),
    ...commandLines(plan),
    "",
  ].join("\n") as ByteString;
}

function prologue(plan: ScriptPlan): string[] {
  return [
    "set -u",
    'fail() { echo "$1" >&2; exit 125; }',
    // Without -n a user who may not write the list of mounts is told that a mount that was made had failed.
    'mount() { command mount -n "$@"; }',
    "umask 022",
    `cd ${quote(plan.runDir)} || fail "no run directory"`,
    // No component of a place may be a symlink here: mounting would follow it out of the tree.
    'plain() { p=root; r=$1; while [ -n "$r" ]; do c=${r%%/*}; case $r in */*) r=${r#*/};; *) r=;; esac; p=$p/$c; [ ! -L "$p" ] || fail "a symlink in the way of mount $1"; done; }',
    'directory() { plain "$1"; [ -d "root/$1" ] || mkdir -p "root/$1" || fail "no place for mount $1"; }',
    'file() { plain "$1"; [ -e "root/$1" ] && return; case $1 in */*) mkdir -p "root/${1%/*}";; esac; : > "root/$1" || fail "no place for mount $1"; }',
    'try() { "$@" || fail "could not: $*"; }',
    "try mount -t tmpfs -o mode=0700,nosuid,nodev tmpfs private",
  ];
}

function rootTree(plan: ScriptPlan): string[] {
  if (plan.method === "copy") return ["try mount --bind root root", "try mount -o remount,bind,nodev root"];
  const lower = Array.from({ length: plan.layerCount + 1 }, (_, index) => String(index)).join(":");
  // Renamed directories and changed metadata must be whole in the upper directory: it becomes a layer. With userxattr that is always so.
  const whole = plan.isRoot ? "redirect_dir=off,metacopy=off,index=off" : "userxattr";
  const options = `lowerdir=${lower},upperdir=upper,workdir=work,${whole}`;
  return [
    `mount -t overlay -o nodev,${options} overlay root 2> private/refused || { echo "overlay $(cat private/refused)" >&3; exit 124; }`,
  ];
}

function systemMounts(plan: ScriptPlan): string[] {
  const proc = [
    "directory proc",
    "try mount -t proc -o nosuid,nodev,noexec proc root/proc",
    ...maskedFiles.map((name) => `[ ! -e root/proc/${name} ] || try mount --bind /dev/null root/proc/${name}`),
    ...maskedDirectories.map(
      (name) => `[ ! -d root/proc/${name} ] || try mount -t tmpfs -o ro tmpfs root/proc/${name}`,
    ),
    ...readOnlyDirectories.map(
      (name) =>
        `[ ! -d root/proc/${name} ] || { try mount --bind root/proc/${name} root/proc/${name}; try mount -o remount,bind,ro,nosuid,nodev,noexec root/proc/${name}; }`,
    ),
  ];
  const dev = [
    "directory dev",
    "try mount -t tmpfs -o nosuid,nodev,noexec,mode=0755,size=65536k tmpfs root/dev",
    ...devices.map((name) => `: > root/dev/${name}; try mount --bind /dev/${name} root/dev/${name}`),
    "mkdir -m 0755 root/dev/pts; mkdir -m 1777 root/dev/shm",
    // Group 5 is tty everywhere; a namespace with one user has no such group.
    `try mount -t devpts -o newinstance,ptmxmode=0666,mode=0620${plan.isRoot ? ",gid=5" : ""} devpts root/dev/pts`,
    "try mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=65536k tmpfs root/dev/shm",
    "ln -s pts/ptmx root/dev/ptmx; ln -s /proc/self/fd root/dev/fd; ln -s fd/0 root/dev/stdin; ln -s fd/1 root/dev/stdout; ln -s fd/2 root/dev/stderr",
  ];
  const { hosts, resolvConf } = plan.mountPlan;
  const etc = [
    plan.network === "host"
      ? "cat /etc/hosts > private/hosts 2>/dev/null || :"
      : "printf '127.0.0.1 localhost\\n::1 localhost\\n' > private/hosts",
    "chmod 0644 private/hosts",
    ...bindFile("private/hosts", hosts),
    ...(plan.network === "host"
      ? [
          "cat /etc/resolv.conf > private/resolv.conf 2>/dev/null || :; chmod 0644 private/resolv.conf",
          ...bindFile("private/resolv.conf", resolvConf),
        ]
      : []),
  ];
  return [...proc, ...sysLines(plan), ...dev, ...etc, "hostname kubefile 2>/dev/null || :"];
}

/** A user namespace may mount its own /sys only together with its own network. */
function sysLines(plan: ScriptPlan): string[] {
  const own = "mount -t sysfs -o ro,nosuid,nodev,noexec sysfs root/sys";
  return [
    "directory sys",
    plan.isRoot || plan.network === "none"
      ? `${own} 2>/dev/null || :`
      : "mount --rbind -o ro /sys root/sys 2>/dev/null || :",
  ];
}

function bindFile(source: string, place: ByteString): string[] {
  return [`file ${quote(place)}`, `try mount --bind ${source} root/${quote(place)}`];
}

function mountLines(plan: ScriptPlan, planned: PlannedMount, index: number): string[] {
  const { mount, place, isDirectory, source } = planned;
  const at = `root/${quote(place)}`;
  const point = [`${isDirectory ? "directory" : "file"} ${quote(place)}`];
  const own = `private/m${index}`;
  const chown = (file: string, owner: { readonly uid: number; readonly gid: number }): string =>
    plan.isRoot ? `try chown ${owner.uid}:${owner.gid} ${file}` : ":";
  switch (mount.kind) {
    case "secret":
      return [
        ...point,
        "IFS= read -r secret <&4 || fail 'no secret'",
        `printf '%s' "$secret" | base64 -d > ${own} || fail 'no secret'; secret=`,
        `try chmod ${mount.mode.toString(8)} ${own}; ${chown(own, mount)}`,
        `try mount --bind ${own} ${at}; try mount -o remount,bind,ro,nosuid,nodev,noexec ${at}`,
      ];
    case "ssh":
      return [...point, `try mount --bind socket${index} ${at}`];
    case "tmpfs": {
      const size = mount.sizeBytes === undefined ? "" : `,size=${mount.sizeBytes}`;
      return [...point, `try mount -t tmpfs -o nosuid,nodev,mode=1777${size} tmpfs ${at}`];
    }
    case "cache":
    case "bind":
    case "stage":
      return [...point, ...showLines(plan, mount.kind === "cache", mount.readOnly, source, own, at)];
    default:
      return mount satisfies never;
  }
}

/** Binds what is to be seen; unless it is a cache, writes go to a directory in memory that vanishes. */
function showLines(
  plan: ScriptPlan,
  isCache: boolean,
  readOnly: boolean,
  source: PlannedMount["source"],
  own: string,
  at: string,
): string[] {
  const readOnlyLine = readOnly ? [`try mount -o remount,bind,ro ${at}`] : [];
  if (source === undefined) return [];
  if (typeof source !== "string") return [...stageLines(plan, source, own, at), ...readOnlyLine];
  if (isCache || readOnly) return [`try mount --bind ${quote(source)} ${at}`, ...readOnlyLine];
  return [
    `if [ -d ${quote(source)} ]; then`,
    `mkdir ${own} ${own}/u ${own}/w; ln -s ${quote(source)} ${own}/l; (cd ${own} && mount -t overlay -o nodev,lowerdir=l,upperdir=u,workdir=w${userXattr(plan)} overlay ../../${at}) || fail "bind mount"`,
    `else cp -p ${quote(source)} ${own} && try mount --bind ${own} ${at}; fi`,
  ];
}

function stageLines(plan: ScriptPlan, source: StageSource, own: string, at: string): string[] {
  const links = source.lowerDirs.map((dir, index) => `ln -s ${quote(dir)} ${own}/${index}`);
  const lower = [...source.lowerDirs.keys(), "empty"].join(":");
  return [
    `mkdir ${own} ${own}/empty ${own}/u ${own}/w ${own}/root`,
    ...links,
    `(cd ${own} && mount -t overlay -o nodev,lowerdir=${lower},upperdir=u,workdir=w${userXattr(plan)} overlay root) || fail "mount of a stage"`,
    `try mount --bind ${own}/root/${quote(source.inside)} ${at}`,
  ];
}

function userXattr(plan: ScriptPlan): string {
  return plan.isRoot ? "" : ",userxattr";
}

function scriptFileLines({ scriptFile, interactive }: ScriptPlan): string[] {
  if (scriptFile === undefined || interactive) return [];
  const file = `root/dev/pipes/${quote(bytesOfText(scriptFile.name))}`;
  return [
    "directory dev/pipes",
    `printf '%s' ${quote(bytesOfText(scriptFile.text))} > ${file} || fail "heredoc"`,
    `chmod 0755 ${file}`,
    // The tmpfs of /dev is noexec; this file is to be run.
    `cp -p ${file} private/script; try mount --bind private/script ${file}; try mount -o remount,bind,exec,nosuid,nodev ${file}`,
  ];
}

function networkLines({ network, tools }: ScriptPlan): string[] {
  if (network !== "none") return [];
  if (tools.ip !== undefined) return [`${tools.ip} link set lo up 2>/dev/null || :`];
  return tools.ifconfig === undefined ? [] : [`${tools.ifconfig} lo 127.0.0.1 up 2>/dev/null || :`];
}

/** Names a POSIX shell can export. Those a shell keeps for itself, and those that would act on the programs below, go another way. */
const exportable = /^[A-Za-z_][A-Za-z0-9_]*$/;
const shellsOwn = new Set([
  "UID",
  "EUID",
  "PPID",
  "BASHOPTS",
  "BASH_VERSINFO",
  "SHELLOPTS",
  "_",
  "IFS",
  "PWD",
  "OLDPWD",
  "SHLVL",
  "LINENO",
  "OPTIND",
  "RANDOM",
  "SECONDS",
  "HISTCMD",
  "GROUPS",
  "FUNCNAME",
  "DIRSTACK",
  "PIPESTATUS",
]);
/** Read by the loader and the C library of every program: the host's must not obey what is meant for the image's. */
const loaderVariable =
  /^(?:LD_.*|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_.*|RES_OPTIONS|LOCALDOMAIN|HOSTALIASES|GETCONF_DIR|NIS_PATH|RESOLV_.*|TZDIR|TMPDIR)$/;

function commandLines(plan: ScriptPlan): string[] {
  const { tools, user, limits } = plan;
  const exported = [...plan.env].filter(
    ([name]) => exportable.test(name) && !shellsOwn.has(name) && !loaderVariable.test(name),
  );
  const viaEnv = [...plan.env].filter(
    ([name]) => (!exportable.test(name) || shellsOwn.has(name)) && !loaderVariable.test(name),
  );
  const inside = [...plan.env].filter(([name]) => loaderVariable.test(name));
  const setEnv = [
    tools.env,
    ...[...shellsOwn]
      .filter((name) => !plan.env.has(name) && ["_", "PWD", "OLDPWD", "SHLVL"].includes(name))
      .flatMap((name) => ["-u", name]),
    ...viaEnv.map(([name, value]) => `${name}=${value}`),
  ];
  const become = [
    tools.setpriv,
    `--bounding-set=-all,${keptCapabilities.map((name) => `+${name}`).join(",")}`,
    "--inh-caps=-all",
    ...(plan.isRoot
      ? [`--regid=${user.gid}`, user.groups.length === 0 ? "--clear-groups" : `--groups=${user.groups.join(",")}`]
      : []),
  ];
  const enter = [
    tools.unshare,
    "--root=.",
    `--wd=${plan.workingDir}`,
    ...(plan.isRoot && user.uid !== 0 ? [`--setuid=${user.uid}`] : []),
    "--",
  ];
  const words = [...become, ...setEnv, ...enter, ...withInsideEnv(inside, plan.argv)].map((word) =>
    quote(bytesOfText(word)),
  );
  return [
    // The tree covers the host's root; nothing below has a way to take it off again.
    "cd root && try mount --move . /",
    ...limitLines(limits),
    "unset LC_ALL PATH",
    ...exported.map(([name, value]) => `export ${name}=${quote(bytesOfText(value))}`),
    ...(plan.interactive
      ? [`exec ${words.join(" ")}`]
      : [`echo ready >&3`, `exec ${words.join(" ")} 3>&- 4>&- </dev/null`]),
  ];
}

/** Variables of the loader are set by a shell of the image, when the host's programs are done. */
function withInsideEnv(inside: readonly (readonly [string, string])[], argv: readonly string[]): readonly string[] {
  if (inside.length === 0) return argv;
  const exports = inside.map(([name, value]) => `export ${name}=${shellQuote(value)}; `).join("");
  return ["/bin/sh", "-c", `${exports}exec "$@"`, "sh", ...argv];
}

function limitLines(limits: SandboxLimits): string[] {
  const line = (option: string, value: number | undefined): string[] =>
    value === undefined
      ? []
      : [
          `ulimit ${option} ${Math.max(1, Math.floor(value))} || fail "limit ${option} ${value} is above what the host allows"`,
        ];
  return [
    ...line("-n", limits.openFiles),
    ...line("-t", limits.cpuSeconds),
    ...line("-v", limits.addressSpaceBytes === undefined ? undefined : limits.addressSpaceBytes / 1024),
  ];
}

function quote(bytes: string): string {
  return shellQuote(bytes);
}
