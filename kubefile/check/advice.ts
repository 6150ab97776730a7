import { type DocumentView, ofKind, place } from "./document.ts";
import { type Finding, finding, isVariable } from "./finding.ts";

const nothing: readonly Finding[] = [];

/** WORKDIR that depends on the base image: the first of a stage, when it is relative. */
export function checkWorkdirs(view: DocumentView): Finding[] {
  const settled = new Set<number>();
  return ofKind(view, "WORKDIR").flatMap((entry) => {
    const { path } = entry.node;
    if (path === undefined || settled.has(entry.stage)) return [];
    settled.add(entry.stage);
    const absolute = /^["']?(?:[/\\$]|[A-Za-z]:)/.test(path.text) || isVariable(path.text);
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
