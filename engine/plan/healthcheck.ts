import type { Instruction } from "../../kubefile/syntax.ts";
import type { Healthcheck } from "../oci/config.ts";
import { refuse } from "./reader.ts";
import type { Place } from "./steps.ts";

const nanoseconds: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** HEALTHCHECK as Docker's configuration has it. Throws `KUBEFILE_INVALID`. */
export function healthcheckOf(
  instruction: Extract<Instruction, { kind: "HEALTHCHECK" }>,
  place: Place,
  expand: (text: string) => string,
  shell: readonly string[],
): Healthcheck {
  const mode = instruction.mode?.value.toUpperCase();
  if (mode === "NONE") return { Test: ["NONE"] };
  const { command } = instruction;
  if (mode !== "CMD" || command === undefined) return refuse(place, "HEALTHCHECK needs CMD and a command, or NONE");
  const isDefaultShell = shell.length === 2 && shell[0] === "/bin/sh";
  const Test =
    command.form === "exec"
      ? ["CMD", ...command.elements.map((element) => element.value)]
      : isDefaultShell
        ? ["CMD-SHELL", command.text]
        : ["CMD", ...shell, command.text];
  const value = (name: string): string | undefined => {
    const flag = instruction.flags.findLast((candidate) => candidate.name.value === name);
    return flag?.value === undefined ? undefined : expand(flag.value.text);
  };
  const duration = (name: string, key: string): Record<string, number> => {
    const text = value(name);
    return text === undefined ? {} : { [key]: durationOf(text, name, place) };
  };
  const retries = value("retries");
  if (retries !== undefined && !/^\d+$/.test(retries)) return refuse(place, `--retries=${retries} is not a number`);
  return {
    Test,
    ...duration("interval", "Interval"),
    ...duration("timeout", "Timeout"),
    ...duration("start-period", "StartPeriod"),
    ...duration("start-interval", "StartInterval"),
    ...(retries === undefined ? {} : { Retries: Number(retries) }),
  };
}

/** Go's duration text (`1m30s`) in nanoseconds. */
function durationOf(text: string, flag: string, place: Place): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
    return refuse(place, `--${flag}=${text} is not a duration: write 30s or 1m30s`);
  }
  return Math.round(parts.reduce((sum, part) => sum + Number(part[1]) * (nanoseconds[part[2] ?? ""] ?? 0), 0));
}
