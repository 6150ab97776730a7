/** Options and words that all commands share which talk to registries. */
import type { SharingChoices, TransferControl } from "../operations/sharing.ts";
import { type CommandContext, flagOption, type OptionInfo, textOption, textsOption } from "./command.ts";
import { durationText, sizeText } from "./text.ts";

/** For every command that talks to registries. */
export const registryOptions: Readonly<Record<"authfile" | "insecure" | "skip-tls-verify", OptionInfo>> = {
  authfile: { type: "string", value: "FILE", help: "the only file logins are read from and written to" },
  insecure: {
    type: "string",
    multiple: true,
    value: "HOST",
    help: "registry that may be spoken to without TLS or without checking it; may be repeated",
  },
  "skip-tls-verify": { type: "boolean", help: "as --insecure for the registries named in this command" },
};

/** What the options of a command choose. `hosts` are the registries it names, for `--skip-tls-verify`. */
export function sharingChoices(context: CommandContext, hosts: readonly string[]): SharingChoices {
  const authFile = textOption(context, "authfile");
  const named = textsOption(context, "insecure");
  return {
    insecureRegistries: flagOption(context, "skip-tls-verify") ? [...named, ...hosts] : named,
    ...(authFile === undefined ? {} : { authFile }),
  };
}

/** How often a line of progress is printed, in milliseconds; a transfer that is quicker prints none. */
const everyMs = 1000;

/** Tells how far a transfer is: a line now and then, and JSON lines with `--json`. `--quiet` tells nothing. */
export function transferControl(context: CommandContext, what: string): TransferControl {
  const startedAt = performance.now();
  let toldAt = startedAt;
  const quiet = flagOption(context, "quiet");
  return {
    signal: context.signal,
    onProgress(progress) {
      const now = performance.now();
      if (quiet || now - toldAt < everyMs) return;
      toldAt = now;
      if (context.json) return context.say(JSON.stringify({ progress }));
      const { doneBytes, totalBytes, movedBytes, doneBlobs, totalBlobs } = progress;
      const elapsedMs = now - startedAt;
      const leftMs = doneBytes === 0 ? Number.NaN : (elapsedMs / doneBytes) * (totalBytes - doneBytes);
      const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100);
      const speed = `${sizeText((movedBytes / elapsedMs) * 1000)}/s`;
      const rest = Number.isFinite(leftMs) ? `, ${durationText(leftMs)} left` : "";
      context.say(
        `${what}: ${percent} %, ${doneBlobs} of ${totalBlobs} blobs, ${sizeText(movedBytes)} moved, ${speed}${rest}`,
      );
    },
  };
}

/** The platform of this machine, as registries spell it. */
export function ownPlatform(): string {
  const architectures: Readonly<Record<string, string>> = {
    x64: "amd64",
    ia32: "386",
    ppc64: "ppc64le",
    arm: "arm/v7",
  };
  return `linux/${architectures[process.arch] ?? process.arch}`;
}
