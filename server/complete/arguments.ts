import type { Instruction, Kubefile } from "../../kubefile/syntax.ts";
import type { ArgumentCursor } from "../cursor.ts";
import type { OpenKubefile } from "../documents.ts";
import { placedInstructions, shifted } from "../locate.ts";
import type { World } from "../world.ts";
import { imageSuggestions } from "./images.ts";
import * as values from "./knownValues.ts";
import { appSuggestions, stageSuggestions } from "./names.ts";
import { pathSuggestions } from "./paths.ts";
import {
  type CompletionOptions,
  noSuggestions,
  type Suggestion,
  type Suggestions,
  suggestionKinds,
} from "./suggestion.ts";

/** What the argument under the cursor can be. */
export function argumentSuggestions(
  document: OpenKubefile,
  cursor: ArgumentCursor,
  offset: number,
  world: World,
  options: CompletionOptions,
  signal: AbortSignal,
): Suggestions | Promise<Suggestions> {
  const { tree } = document;
  const { instruction } = cursor;
  switch (instruction.kind) {
    case "FROM":
      return fromSuggestions(document, cursor, world, options);
    case "COPY":
    case "ADD":
      return copySuggestions(document, cursor, world, signal);
    case "APP":
    case "CNI":
    case "CSI":
      return appSourceSuggestions(document, cursor, world, signal);
    case "APPENV":
    case "APPCMDS":
      return cursor.index === 0 ? done(appSuggestions(tree, world, new Set())) : noSuggestions;
    case "LAUNCH":
      return done(quotedWhereNeeded(cursor, appSuggestions(tree, world, otherApps(instruction, cursor))));
    case "LABEL":
      return done(pairSuggestions(cursor, offset, tree, values.labels));
    case "ENV":
      return done(pairSuggestions(cursor, offset, tree, values.environment));
    case "ARG":
      return done(pairSuggestions(cursor, offset, tree, values.buildArguments));
    case "KUBEVERSION":
      return done(
        values.kubernetesConstraints.map((text) =>
          value(text, { start: instruction.rest?.span.start ?? offset, end: instruction.rest?.span.end ?? offset }),
        ),
      );
    case "WORKDIR":
    case "VOLUME":
      return done(destinationSuggestions(tree, cursor));
    case "EXPOSE":
      return done(portSuggestions(cursor));
    case "STOPSIGNAL":
      return done(cursor.index === 0 ? values.signals.map((text) => value(text)) : []);
    case "HEALTHCHECK":
      return done(cursor.index === 0 ? ["CMD", "NONE"].map((text) => value(text)) : []);
    case "SHELL":
      return done(cursor.quoted || instruction.words.length > 0 ? [] : values.shells.map((text) => value(text)));
    case "RUN":
    case "CMD":
    case "CMDS":
    case "ENTRYPOINT":
    case "USER":
    case "MAINTAINER":
    case "ONBUILD":
    case "UNKNOWN":
      return noSuggestions;
    default:
      return instruction satisfies never;
  }
}

function done(items: readonly Suggestion[]): Suggestions {
  return { items, incomplete: false };
}

function value(label: string, span?: Suggestion["span"]): Suggestion {
  return { label, kind: suggestionKinds.value, group: 1, ...(span === undefined ? {} : { span }) };
}

async function fromSuggestions(
  document: OpenKubefile,
  cursor: ArgumentCursor,
  world: World,
  options: CompletionOptions,
): Promise<Suggestions> {
  if (cursor.index === 1 && !cursor.prefix.startsWith("-"))
    return done([{ label: "AS", kind: suggestionKinds.instruction, text: "AS ", group: 1 }]);
  if (cursor.index > 0) return noSuggestions;
  const stages = stageSuggestions(document.tree, cursor.instruction).filter((stage) => !/^\d+$/u.test(stage.label));
  const scratch: Suggestion = { label: "scratch", kind: suggestionKinds.image, detail: "the empty image", group: 1 };
  const images = await imageSuggestions(cursor.prefix, world, options);
  return { items: [...stages, scratch, ...images.items], incomplete: images.incomplete };
}

async function copySuggestions(
  document: OpenKubefile,
  cursor: ArgumentCursor,
  world: World,
  signal: AbortSignal,
): Promise<Suggestions> {
  const { instruction } = cursor;
  const elsewhere = instruction.flags.some((flag) => flag.name.value === "from");
  const sources = elsewhere ? [] : await pathSuggestions(document, cursor, cursor.prefix, world, signal);
  const destinations = cursor.index > 0 ? destinationSuggestions(document.tree, cursor) : [];
  return done([...destinations, ...sources]);
}

async function appSourceSuggestions(
  document: OpenKubefile,
  cursor: ArgumentCursor,
  world: World,
  signal: AbortSignal,
): Promise<Suggestions> {
  if (cursor.index === 0) return noSuggestions;
  const local = "local://";
  if (cursor.prefix.startsWith(local))
    return done(await pathSuggestions(document, cursor, cursor.prefix.slice(local.length), world, signal));
  if (cursor.prefix.includes("://")) return noSuggestions;
  return done(
    values.appSchemes.map(({ text, help }) => ({
      label: text,
      kind: suggestionKinds.value,
      detail: help,
      group: 1,
      again: text === local,
    })),
  );
}

function otherApps(instruction: Instruction, cursor: ArgumentCursor): ReadonlySet<string> {
  return new Set(instruction.words.filter((word) => word !== cursor.word).map((word) => word.value));
}

/** Between the brackets of an array a name needs its quotes. */
function quotedWhereNeeded(cursor: ArgumentCursor, items: readonly Suggestion[]): Suggestion[] {
  const array = cursor.instruction.rest?.text.startsWith("[") ?? false;
  if (!array || cursor.quoted || cursor.word?.text.startsWith('"') === true) return [...items];
  return items.map((item) => ({ ...item, text: `"${item.label}"` }));
}

/** Keys in front of `=`, values behind it. */
function pairSuggestions(
  cursor: ArgumentCursor,
  offset: number,
  tree: Kubefile,
  known: readonly values.KnownKey[],
): Suggestion[] {
  const equals = cursor.prefix.indexOf("=");
  const written = new Set(
    "pairs" in cursor.instruction
      ? cursor.instruction.pairs
          .filter((pair) => pair.span.end < offset || pair.span.start > offset)
          .map((pair) => pair.name.value)
      : [],
  );
  if (equals < 0) {
    const closed = tree.text.slice(offset, cursor.span.end).includes("=");
    const end = closed ? offset + tree.text.slice(offset, cursor.span.end).indexOf("=") : cursor.span.end;
    const assigns = !closed && cursor.instruction.kind !== "ARG";
    return known
      .filter((key) => !written.has(key.name))
      .map((key) => ({
        label: key.name,
        kind: suggestionKinds.key,
        text: assigns ? `${key.name}=` : key.name,
        detail: key.help,
        span: { start: cursor.span.start, end },
        group: 1,
        again: assigns && key.values.length > 0,
      }));
  }
  const key = known.find((candidate) => candidate.name === cursor.prefix.slice(0, equals).replace(/^"|"$/gu, ""));
  const open = /^["']/u.exec(cursor.prefix.slice(equals + 1))?.[0].length ?? 0;
  const start = cursor.span.start + equals + 1 + open;
  return (key?.values ?? []).map((text) => ({
    label: text,
    kind: suggestionKinds.value,
    span: { start, end: Math.max(offset, cursor.span.end - open) },
    group: 1,
  }));
}

/** Folders that earlier instructions made, then those that sealer reads. */
export function destinationSuggestions(tree: Kubefile, cursor: ArgumentCursor): Suggestion[] {
  const folders = new Map<string, string>();
  for (const { node, shift } of placedInstructions(tree)) {
    if (shifted(node.span, shift).start >= cursor.instruction.span.start) break;
    for (const folder of foldersOf(node))
      if (!folders.has(folder)) folders.set(folder, node.keyword.text.toUpperCase());
  }
  for (const { path, help } of values.imageFolders) if (!folders.has(path)) folders.set(path, help);
  return [...folders]
    .filter(([path]) => path !== cursor.prefix && path.startsWith(cursor.prefix))
    .map(([path, detail]) => ({ label: path, kind: suggestionKinds.folder, detail, group: 2 }));
}

function foldersOf(node: Instruction): string[] {
  switch (node.kind) {
    case "WORKDIR":
      return node.path === undefined ? [] : [node.path.value];
    case "VOLUME":
      return node.paths.map((path) => path.value);
    case "COPY":
    case "ADD": {
      const path = node.destination?.value ?? "";
      if (path.endsWith("/") && path.length > 1) return [path];
      const slash = path.lastIndexOf("/");
      return slash > 0 ? [path.slice(0, slash + 1)] : [];
    }
    case "APP":
    case "CNI":
    case "CSI":
      return node.app === undefined ? [] : [`application/apps/${node.app.value}/`];
    default:
      return [];
  }
}

function portSuggestions(cursor: ArgumentCursor): Suggestion[] {
  const slash = cursor.prefix.indexOf("/");
  const port = slash < 0 ? cursor.prefix : cursor.prefix.slice(0, slash);
  return /^[\d-]+$/u.test(port) ? ["tcp", "udp"].map((protocol) => value(`${port}/${protocol}`)) : [];
}
