import { type DocumentView, type Entry, ofKind, place } from "./document.ts";
import { type Finding, finding, isVariable } from "./finding.ts";

const nothing: readonly Finding[] = [];

const absolutePath = /^["']?(?:[/\\$]|[A-Za-z]:)/;

/** WORKDIR that depends on the base image: the first of a stage, when it is relative. */
export function checkWorkdirs(view: DocumentView): Finding[] {
  const settled = new Set<number>();
  return ofKind(view, "WORKDIR").flatMap((entry) => {
    const { path } = entry.node;
    if (path === undefined || settled.has(entry.stage)) return [];
    settled.add(entry.stage);
    const absolute = absolutePath.test(path.text) || isVariable(path.text);
    if (absolute) return [];
    return [
      finding(
        "KF037",
        place(entry, path.span),
        `${path.value} counts from the WORKDIR of the base image: write an absolute path.`,
      ),
    ];
  });
}

/** RUN after RUN. */
export function checkRuns(view: DocumentView): readonly Finding[] {
  if (!view.wants("KF077")) return nothing;
  return ofKind(view, "RUN").flatMap((entry) => {
    const before = view.entries[entry.order - 1];
    if (before?.node.kind !== "RUN" || entry.node.heredocs.length > 0) return [];
    const related = [{ span: place(before, before.node.keyword.span), message: "the RUN above" }];
    return [
      finding("KF077", place(entry, entry.node.keyword.span), "Join this with the RUN above to save a layer.", {
        related,
      }),
    ];
  });
}

/** A comment directly above an ARG or a named stage describes it, and begins with its name. */
export function checkDescriptions(view: DocumentView): readonly Finding[] {
  if (!view.wants("KF064")) return nothing;
  return [...ofKind(view, "ARG"), ...ofKind(view, "FROM")].flatMap(({ node, above }) => {
    const name = node.kind === "ARG" ? node.pairs[0]?.name.value : node.stageName?.value;
    if (above === undefined || name === undefined) return [];
    const text = above.comment.text.replace(/^#+\s*/, "");
    if (text === "" || text.split(/\s/, 1)[0] === name || /^kubefile\s/.test(text)) return [];
    return [
      finding(
        "KF064",
        place(above, above.comment.span),
        `Begin the description with ${name}, or leave a line empty below it.`,
      ),
    ];
  });
}

/** CMD through a shell in a stage whose ENTRYPOINT is an array: its program gets the shell's words as arguments. */
export function checkShellCommands(view: DocumentView): Finding[] {
  const direct = new Map<number, Entry>();
  for (const entry of ofKind(view, "ENTRYPOINT")) {
    if (entry.node.command?.form === "exec" && entry.node.command.elements.length > 0) direct.set(entry.stage, entry);
    else direct.delete(entry.stage);
  }
  return ofKind(view, "CMD").flatMap((entry) => {
    const entrypoint = direct.get(entry.stage);
    const { command } = entry.node;
    if (entrypoint === undefined || command?.form !== "shell" || !view.wants("KF074", warning)) return [];
    const related = [{ span: place(entrypoint, entrypoint.node.keyword.span), message: "the ENTRYPOINT" }];
    const message = "ENTRYPOINT gets /bin/sh, -c and this text as its arguments: write a JSON array.";
    return [finding("KF074", place(entry, command.span), message, { ...warning, related })];
  });
}

const warning = { severity: "warning", only: "sealos" } as const;

/** COPY to a relative path where no WORKDIR says what it counts from. From scratch it is the root, as it is meant to be. */
export function checkRelativeCopies(view: DocumentView): readonly Finding[] {
  if (!view.wants("KF089")) return nothing;
  const settled = new Set<number>();
  const found: Finding[] = [];
  for (const entry of view.entries) {
    const { node } = entry;
    if (node.kind === "WORKDIR" || (node.kind === "FROM" && node.image?.value === "scratch")) settled.add(entry.stage);
    if ((node.kind !== "COPY" && node.kind !== "ADD") || settled.has(entry.stage)) continue;
    const { destination } = node;
    if (destination === undefined || isVariable(destination.text) || absolutePath.test(destination.text)) continue;
    const message = `${destination.value} counts from the WORKDIR of the base image: write an absolute path, or a WORKDIR above.`;
    found.push(finding("KF089", place(entry, destination.span), message));
  }
  return found;
}
