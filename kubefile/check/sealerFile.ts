import type { TextEdit } from "../problems.ts";
import type { Cmd, Copy } from "../syntax.ts";
import { type DocumentView, type Entry, ofKind, place } from "./document.ts";
import { type Finding, finding, isVariable, replace, suggestion } from "./finding.ts";

/** What sealer does that only shows when the whole file is seen: CMD, and manifests that it does not look into. */
export function checkSealerFile(view: DocumentView): readonly Finding[] {
  if (view.dialect !== "sealer") return [];
  return [...checkCommands(view), ...checkManifests(view)];
}

function checkCommands(view: DocumentView): readonly Finding[] {
  const entries = ofKind(view, "CMD");
  if (entries.length === 0) return [];
  const edits = gatherCommands(view, entries);
  const title = entries.length === 1 ? "Change to CMDS" : "Gather all CMD in one CMDS";
  const fixes = edits === undefined ? [] : [suggestion(title, ...edits)];
  const found: Finding[] = [];
  for (const entry of entries) {
    if (!view.wants("KF110", { only: "sealer" })) continue;
    const message =
      entry.node.form === "json"
        ? "CMD is deprecated in sealer, which runs the brackets and quotes of the array as part of the command: use CMDS."
        : "CMD is deprecated in sealer: use CMDS, or APP and LAUNCH.";
    const span = place(entry, entry.node.keyword.span);
    found.push(finding("KF110", span, message, { only: "sealer", tags: ["deprecated"], fixes }));
  }
  return found;
}

/** Edits that put all CMD into one CMDS at the end, where it must stand; `undefined` when that is not simply done. */
function gatherCommands(view: DocumentView, entries: readonly Entry<Cmd>[]): readonly TextEdit[] | undefined {
  const last = view.entries.at(-1);
  if (last === undefined || ofKind(view, "LAUNCH").length > 0 || ofKind(view, "CMDS").length > 0) return undefined;
  const commands = entries.flatMap((entry) => commandsOf(entry.node) ?? []);
  if (entries.some(({ node }) => commandsOf(node) === undefined)) return undefined;
  const written = `CMDS [${commands.map((command) => JSON.stringify(command)).join(", ")}]`;
  const edits = entries
    .filter((entry) => entry !== last)
    .map((entry) => replace(wholeLine(view.kubefile.text, place(entry, entry.node.span)), ""));
  const end = place(last, last.node.span);
  if (last.node.kind === "CMD") return [...edits, replace(end, written)];
  const newline = view.kubefile.text.includes("\r\n") ? "\r\n" : "\n";
  return [...edits, replace({ start: end.end, end: end.end }, `${newline}${written}`)];
}

/** The commands of a CMD that stands on one line. */
function commandsOf({ rest, words, form, logical }: Cmd): readonly string[] | undefined {
  if (rest === undefined || logical.segments.length > 0) return undefined;
  return form === "json" ? words.map((word) => word.value) : [rest.text];
}

function wholeLine(text: string, span: Finding["span"]): Finding["span"] {
  const start = text.lastIndexOf("\n", Math.max(0, span.start - 1)) + 1;
  const end = text.indexOf("\n", span.end);
  return { start: span.start === 0 ? 0 : start, end: end < 0 ? text.length : end + 1 };
}

const scanned = /^\/?(?:manifests|charts|application\/apps|application)(?:\/|$)/;
const imageList = /(?:^|\/)imageList$/;

/**
 * sealer looks for container images below `manifests`, `charts` and `application/apps` only. A file that brings an image
 * list says itself what it needs.
 */
function checkManifests(view: DocumentView): readonly Finding[] {
  const copies = ofKind(view, "COPY");
  const listed = copies.some(
    ({ node }) =>
      node.sources.some((source) => imageList.test(source.value)) && scanned.test(node.destination?.value ?? ""),
  );
  if (listed) return [];
  const found: Finding[] = [];
  for (const entry of copies) {
    const { destination } = entry.node;
    if (destination === undefined || !escapesScan(entry.node) || !view.wants("KF119", { only: "sealer" })) continue;
    const message =
      "sealer looks for container images below manifests/, charts/ and application/apps/ only: images of this file are not put into the image.";
    found.push(finding("KF119", place(entry, destination.span), message, { only: "sealer" }));
  }
  return found;
}

function escapesScan({ sources, destination }: Copy): boolean {
  if (destination === undefined || isVariable(destination.text)) return false;
  const file = sources.find((source) => /\.ya?ml$/i.test(source.value));
  if (file === undefined) return false;
  const target = destination.value.replace(/^(?:\.\/)+/, "");
  if (scanned.test(target) || /(?:^|\/)(?:etc|plugins?|statics|scripts)(?:\/|$)/.test(`${target}/`)) return false;
  return !/(?:^|\/)(?:Clusterfile|values|kubeadm)[^/]*$/i.test(file.value);
}
