import { posix } from "node:path";
import type { Add, App, Cni, Copy, Csi, Flag, Instruction, Word } from "../../kubefile/syntax.ts";
import type { StageEnvironment } from "./environment.ts";
import { type Reader, refuse } from "./reader.ts";
import type { CopyOrigin, CopySource, CopyStep, UsedVariable } from "./steps.ts";

/** COPY or ADD as a step. Throws `KUBEFILE_INVALID`. */
export function readCopy(reader: Reader, instruction: Copy | Add): CopyStep {
  const { environment, place } = reader;
  if (instruction.destination === undefined || instruction.sources.length === 0) {
    return refuse(
      place,
      `${place.keyword} needs at least one source and a destination: ${place.keyword} charts/ charts/`,
    );
  }
  const destination = word(reader, instruction, instruction.destination);
  return {
    kind: "copy",
    place,
    variables: usedBy(environment, instruction),
    origin: originOf(reader, instruction),
    sources: instruction.sources.map((source) => sourceOf(reader, instruction, source)),
    ...destinationOf(reader, destination),
    owner: flagValue(reader, instruction, "chown"),
    mode: modeOf(reader, instruction),
    link: switchedOn(reader, instruction, "link"),
    parents: switchedOn(reader, instruction, "parents"),
    excludes: instruction.flags.filter(isNamed("exclude")).map((flag) => flagText(reader, flag)),
    unpack: instruction.kind === "ADD" && !isSwitchedOff(reader, instruction, "unpack"),
    checksum: flagValue(reader, instruction, "checksum"),
    app: undefined,
  };
}

/** The files of APP, CNI or CSI: they go below `application/apps/<name>/`, local ones before remote ones. */
export function readAppFiles(reader: Reader, instruction: App | Cni | Csi, name: string): CopyStep {
  const { environment, place } = reader;
  const sources = instruction.sources.map((source): CopySource => {
    const path = environment.expand(source.path.text, (variable) => environment.lookupInSource(variable));
    if (source.scheme === "local") return { kind: "path", pattern: path };
    if (source.scheme === "http" || source.scheme === "https")
      return { kind: "url", url: `${source.scheme}://${path}` };
    return refuse(
      place,
      `"${source.word.text}" does not say where it comes from: write local://, http:// or https:// before it`,
    );
  });
  return {
    kind: "copy",
    place,
    variables: usedBy(environment, instruction),
    origin: { kind: "context" },
    sources: [
      ...sources.filter((source) => source.kind === "path"),
      ...sources.filter((source) => source.kind === "url"),
    ],
    destination: `/application/apps/${name}/`,
    intoDirectory: true,
    owner: undefined,
    mode: undefined,
    link: false,
    parents: false,
    excludes: [],
    unpack: false,
    checksum: flagValue(reader, instruction, "checksum"),
    app: name,
  };
}

/** Variables the builder expands in an instruction. */
export function usedBy(environment: StageEnvironment, instruction: Instruction): readonly UsedVariable[] {
  return environment.used(instruction.variables.map((variable) => variable.name));
}

function sourceOf(reader: Reader, instruction: Copy | Add, source: Word): CopySource {
  const { environment } = reader;
  const heredoc = instruction.heredocs.find((candidate) => candidate.span.start === source.span.start);
  if (heredoc !== undefined) {
    const content = heredoc.expand ? environment.expandBody(heredoc.content) : heredoc.content;
    return { kind: "inline", name: heredoc.marker.value, content };
  }
  const text = word(reader, instruction, source);
  if (/^https?:\/\//i.test(text)) {
    if (instruction.kind === "ADD") return { kind: "url", url: text };
    return refuse(reader.place, "COPY takes no URL: use ADD");
  }
  if (instruction.kind === "ADD" && /^(?:git@|git:\/\/|ssh:\/\/)/.test(text)) {
    return refuse(reader.place, "ADD does not fetch git repositories here: clone it next to the Kubefile and COPY it");
  }
  return { kind: "path", pattern: text };
}

function originOf(reader: Reader, instruction: Copy | Add): CopyOrigin {
  const from = flagValue(reader, instruction, "from");
  if (from === undefined) return { kind: "context" };
  const index = reader.stageNamed(from);
  if (index !== undefined) return { kind: "stage", index };
  if (/^\d+$/.test(from)) return refuse(reader.place, `--from=${from}: there is no stage ${from} above this one`);
  return { kind: "image", reference: from };
}

function destinationOf(reader: Reader, written: string): { destination: string; intoDirectory: boolean } {
  if (written === "") return refuse(reader.place, "the destination is empty: a variable in it may not be set");
  const destination = posix.join("/", written.startsWith("/") ? "" : reader.workingDirectory, written);
  return { destination, intoDirectory: /(?:^|\/)\.{0,2}$/.test(written) || written.endsWith("/") };
}

function modeOf(reader: Reader, instruction: Copy | Add): number | undefined {
  const text = flagValue(reader, instruction, "chmod");
  if (text === undefined) return undefined;
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  return refuse(reader.place, `--chmod=${text}: write the mode in octal, such as 0755`);
}

const isNamed = (name: string) => (flag: Flag) => flag.name.value === name;

/** The value of a flag with variables expanded; undefined when it is not there. */
export function flagValue(reader: Reader, instruction: Instruction, name: string): string | undefined {
  const flag = instruction.flags.findLast(isNamed(name));
  return flag === undefined ? undefined : flagText(reader, flag);
}

function flagText({ environment, place }: Reader, flag: Flag): string {
  if (flag.value === undefined || flag.value.text === "")
    return refuse(place, `--${flag.name.value} needs a value: --${flag.name.value}=…`);
  return environment.expand(flag.value.text);
}

function switchedOn(reader: Reader, instruction: Instruction, name: string): boolean {
  const flag = instruction.flags.findLast(isNamed(name));
  if (flag === undefined) return false;
  return flag.value === undefined || flagText(reader, flag).toLowerCase() === "true";
}

function isSwitchedOff(reader: Reader, instruction: Instruction, name: string): boolean {
  const flag = instruction.flags.findLast(isNamed(name));
  return flag?.value !== undefined && flagText(reader, flag).toLowerCase() === "false";
}

function word({ environment }: Reader, instruction: Copy | Add, written: Word): string {
  const lookup = (name: string): string | undefined => environment.lookupInSource(name);
  return instruction.form === "json"
    ? environment.expandDecoded(written.value, lookup)
    : environment.expand(written.text, lookup);
}
