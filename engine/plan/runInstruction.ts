import type { Run } from "../../kubefile/syntax.ts";
import { flagValue, usedBy } from "./copyInstruction.ts";
import { type Reader, refuse } from "./reader.ts";
import type { RunCommand, RunMount, RunStep } from "./steps.ts";

/** RUN as a step. Throws `KUBEFILE_INVALID`. */
export function readRun(reader: Reader, instruction: Run, shell: readonly string[], user: string): RunStep {
  const { environment, place } = reader;
  const mounts = mountsOf(reader, instruction);
  return {
    kind: "run",
    place,
    variables: usedBy(environment, instruction),
    command: commandOf(reader, instruction, shell),
    environment: environment.all,
    proxies: environment.proxies,
    user,
    workingDirectory: reader.workingDirectory,
    mounts,
    mountStages: new Map(
      mounts.flatMap((mount): [string, number][] => {
        const from = mount.get("from");
        const index = from === undefined ? undefined : reader.stageNamed(from);
        return from === undefined || index === undefined ? [] : [[from, index]];
      }),
    ),
    network: networkOf(reader, instruction),
  };
}

function commandOf(reader: Reader, instruction: Run, shell: readonly string[]): RunCommand {
  const [heredoc] = instruction.heredocs;
  const { command } = instruction;
  if (heredoc !== undefined) return heredocCommand(instruction, shell);
  if (command === undefined) return refuse(reader.place, "RUN needs a command");
  if (command.form === "exec") {
    if (command.elements.length === 0) return refuse(reader.place, "RUN [] has no command");
    return { kind: "exec", argv: command.elements.map((element) => element.value) };
  }
  return { kind: "shell", shell, text: command.text };
}

/** `RUN <<EOF` alone is a script; behind a command (`RUN cat <<EOF`) the shell reads the heredoc itself. */
function heredocCommand(instruction: Run, shell: readonly string[]): RunCommand {
  const [heredoc] = instruction.heredocs;
  const text = instruction.command?.form === "shell" ? instruction.command.text.trim() : "";
  const alone = /^<<-?\s*(["']?)[^\s"']+\1$/.test(text);
  if (alone && heredoc !== undefined) {
    if (heredoc.content.startsWith("#!")) return { kind: "script", name: heredoc.marker.value, text: heredoc.content };
    return { kind: "shell", shell, text: heredoc.content };
  }
  const bodies = instruction.heredocs.map((doc) => `\n${doc.content}${doc.marker.value}`).join("");
  return { kind: "shell", shell, text: `${text}${bodies}\n` };
}

function mountsOf({ environment, place }: Reader, instruction: Run): readonly RunMount[] {
  return instruction.flags
    .filter((flag) => flag.name.value === "mount")
    .map((flag) => {
      if (flag.value === undefined) return refuse(place, "--mount needs a value: --mount=type=cache,target=/var/cache");
      const pairs = environment.expand(flag.value.text).split(",");
      return new Map(
        pairs.map((pair): [string, string] => {
          const equals = pair.indexOf("=");
          return equals < 0
            ? [pair.trim().toLowerCase(), "true"]
            : [pair.slice(0, equals).trim().toLowerCase(), pair.slice(equals + 1)];
        }),
      );
    });
}

function networkOf(reader: Reader, instruction: Run): RunStep["network"] {
  const network = flagValue(reader, instruction, "network") ?? "default";
  if (network === "default" || network === "none" || network === "host") return network;
  return refuse(reader.place, `--network=${network}: write default, none or host`);
}
