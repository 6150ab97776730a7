import type { Add, Copy, From, Run } from "../syntax.ts";
import { type DocumentView, type Entry, ofKind, place } from "./document.ts";
import { type Finding, finding, isVariable } from "./finding.ts";

/** Images from registries that the settings do not allow. `allowed` is empty when every registry is. */
export function checkRegistries(view: DocumentView, allowed: readonly string[]): Finding[] {
  if (allowed.length === 0) return [];
  const found: Finding[] = [];
  const stages = new Set<string>();
  for (const entry of ofKind(view, "FROM")) {
    const { image, stageName } = entry.node;
    if (image !== undefined) report(view, entry, image.value, image.span, { allowed, stages }, found);
    if (stageName !== undefined) stages.add(stageName.value.toLowerCase());
  }
  for (const kind of ["COPY", "ADD", "RUN"] as const) {
    for (const entry of ofKind(view, kind)) checkFlags(view, entry, { allowed, stages }, found);
  }
  return found;
}

interface Known {
  readonly allowed: readonly string[];
  readonly stages: ReadonlySet<string>;
}

function checkFlags(view: DocumentView, entry: Entry<Copy | Add | Run>, known: Known, found: Finding[]): void {
  for (const { name, value } of entry.node.flags) {
    if (value === undefined) continue;
    const image = name.value === "from" ? value.value : /(?:^|,)from=([^,]+)/.exec(value.value)?.[1];
    if (image !== undefined) report(view, entry, image, value.span, known, found);
  }
}

function report(
  view: DocumentView,
  entry: Entry<From | Copy | Add | Run>,
  image: string,
  span: Finding["span"],
  { allowed, stages }: Known,
  found: Finding[],
): void {
  if (image === "scratch" || /^\d+$/.test(image) || stages.has(image.toLowerCase())) return;
  const registry = registryOf(image);
  if (isVariable(registry) || allowed.some((pattern) => matches(pattern, registry)) || !view.wants("KF086")) return;
  const message = `${registry} is not among the registries allowed here: ${allowed.join(", ")}.`;
  found.push(finding("KF086", place(entry, span), message));
}

/** The host of an image's registry: what stands before the first slash when it looks like a host, else Docker Hub. */
export function registryOf(image: string): string {
  const first = image.slice(0, Math.max(0, image.indexOf("/")));
  if (isVariable(image.split("/", 1)[0] ?? "")) return image.split("/", 1)[0] ?? "";
  return first === "localhost" || /[.:]/.test(first) ? first.toLowerCase() : "docker.io";
}

/** `*` is every registry, `*.example.org` each below that name, anything else itself. */
function matches(pattern: string, registry: string): boolean {
  const wanted = pattern.toLowerCase();
  if (wanted === "*" || wanted === registry) return true;
  return wanted.startsWith("*.") && registry.endsWith(wanted.slice(1));
}
