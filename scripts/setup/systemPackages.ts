/** Programs from outside npm: finds what is missing, and installs it with apt where that may be done. */
import { spawnSync } from "node:child_process";
import { accessSync, chmodSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { elapsed, say } from "../say.ts";

interface SystemPackage {
  /** Its name in Debian. */
  readonly name: string;
  /** It is there when one of these programs or files is. */
  readonly proof: readonly string[];
  readonly purpose: string;
}

/** What the suites need beyond npm. */
export const testPackages: readonly SystemPackage[] = [
  { name: "chromium", proof: ["chromium", "google-chrome"], purpose: "shows VS Code's workbench to the editor tests" },
  { name: "fonts-dejavu-core", proof: ["/usr/share/fonts/truetype/dejavu"], purpose: "letters in that workbench" },
  { name: "buildah", proof: ["buildah"], purpose: "reads and builds on our images" },
  { name: "skopeo", proof: ["skopeo"], purpose: "copies our images between layouts, archives and registries" },
  { name: "umoci", proof: ["umoci"], purpose: "unpacks our images" },
  { name: "podman", proof: ["podman"], purpose: "loads and runs our images" },
  { name: "docker-registry", proof: ["docker-registry"], purpose: "the registry we push to and pull from" },
  { name: "containerd", proof: ["containerd"], purpose: "pulls through our registry's mirror files" },
  { name: "runc", proof: ["runc"], purpose: "runs containers for the peers" },
  { name: "busybox-static", proof: ["busybox"], purpose: "the smallest root file system a RUN works in" },
  { name: "openssh-server", proof: ["/usr/sbin/sshd"], purpose: "hosts to bring a cluster up on" },
  { name: "openssh-client", proof: ["ssh"], purpose: "the way to those hosts" },
  { name: "iproute2", proof: ["ip"], purpose: "a network of their own for those hosts" },
  { name: "attr", proof: ["setfattr"], purpose: "files with extended attributes" },
];

/**
 * Makes the packages present: says what is missing and installs it with apt as root on Debian and its kin; elsewhere says
 * what to install. Never fails for a package that cannot be had: the suites that need it say so themselves.
 */
export async function ensureSystemPackages(packages: readonly SystemPackage[]): Promise<void> {
  const missing = packages.filter((entry) => !entry.proof.some(isPresent));
  if (missing.length === 0) return;
  for (const entry of missing) say(`missing: ${entry.name} (${entry.purpose})`);
  const names = missing.map((entry) => entry.name);
  if (!isPresent("apt-get")) {
    say(`this machine has no apt: install ${names.join(", ")} with its own package manager to run every suite`);
    return;
  }
  if (process.getuid?.() !== 0) {
    say(`run every suite after: sudo apt-get install --no-install-recommends ${names.join(" ")}`);
    return;
  }
  await install(names);
}

async function install(names: readonly string[]): Promise<void> {
  const startedAt = performance.now();
  say(`installing with apt: ${names.join(" ")}`);
  using _ = withoutServices();
  if (apt(["install", ...names])) return say(`installed in ${elapsed(startedAt)}`);
  // Package lists may be absent or old, and mirrors have their moments.
  for (let attempt = 1; attempt <= 3; attempt++) {
    apt(["update"]);
    if (apt(["install", ...names])) return say(`installed in ${elapsed(startedAt)}`);
    await new Promise((resolve) => setTimeout(resolve, attempt * 5000));
  }
  // One that does not exist here must not keep the others away.
  for (const name of names) if (!apt(["install", name])) say(`${name} could not be installed: ${reasonFor(name)}`);
}

let lastWords = "";

/** Runs apt-get quietly and answers whether it worked. */
function apt(args: readonly string[]): boolean {
  const options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];
  const result = spawnSync("apt-get", [...options, ...args], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 64 * 1024 * 1024,
  });
  lastWords = result.stderr.trim().split("\n").at(-1) ?? "";
  return result.status === 0;
}

function reasonFor(name: string): string {
  const isUbuntu = existsSync("/etc/os-release") && readFileSync("/etc/os-release", "utf8").includes("ID=ubuntu");
  if (name === "chromium" && isUbuntu) return "Ubuntu has it as a snap only; install google-chrome instead";
  return lastWords || "apt-get gave no reason";
}

const policyFile = "/usr/sbin/policy-rc.d";

/** Keeps the packages' daemons (a registry, containerd, sshd) from starting on this machine while they are installed. */
function withoutServices(): Disposable {
  if (existsSync(policyFile)) return { [Symbol.dispose]() {} };
  writeFileSync(policyFile, "#!/bin/sh\nexit 101\n");
  chmodSync(policyFile, 0o755);
  return { [Symbol.dispose]: () => rmSync(policyFile, { force: true }) };
}

/** Whether a program is on PATH, or a file at its absolute path. */
export function isPresent(proof: string): boolean {
  if (path.isAbsolute(proof)) return existsSync(proof);
  return (process.env["PATH"] ?? "").split(path.delimiter).some((dir) => isExecutable(path.join(dir, proof)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
