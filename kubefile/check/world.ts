import { type AppFiles, detectAppType } from "../appType.ts";
import type { Add, AppSource, Copy, From, Instruction, Word } from "../syntax.ts";
import type { CheckContext } from "./context.ts";
import { type DocumentView, type Entry, ofKind, place } from "./document.ts";
import { type Finding, finding, isVariable } from "./finding.ts";

/** Rules that need to know what lies in the build context and in base images. */
export function checkWorld(view: DocumentView, context: CheckContext): Finding[] {
  const found: Finding[] = [];
  for (const entry of [...ofKind(view, "COPY"), ...ofKind(view, "ADD")]) found.push(...checkCopy(entry, context));
  const commanded = new Set(ofKind(view, "APPCMDS").map(({ node }) => node.app?.value));
  for (const kind of ["APP", "CNI", "CSI"] as const) {
    for (const entry of ofKind(view, kind)) found.push(...checkApp(entry, commanded, context));
  }
  for (const entry of ofKind(view, "FROM")) found.push(...checkPlatform(entry, context));
  return found;
}

const remote = /^[a-z][a-z0-9+.-]*:\/\/|^git@/i;

function checkCopy(entry: Entry<Copy | Add>, context: CheckContext): Finding[] {
  const { node } = entry;
  if (node.flags.some((flag) => flag.name.value === "from")) return [];
  return node.sources.flatMap((source) => {
    if (isVariable(source.text) || remote.test(source.value) || /^\d*<</.test(source.text)) return [];
    return checkPath(entry, source, source.value, context);
  });
}

/** A path as the build context knows it: `./a//b/` → `a/b`; the context itself is ``. */
function contextPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  return kept.join("/");
}

function checkPath(entry: Entry, word: Word, written: string, context: CheckContext): Finding[] {
  const path = contextPath(written);
  if (path === "") return [];
  const span = place(entry, word.span);
  const matches = context.glob(path);
  if (matches.length === 0) {
    const what = /[*?[]/.test(path) ? "Nothing in the build context matches" : "The build context has no";
    return [finding("KF082", span, `${what} ${path}.`)];
  }
  const ignored = matches.map((match) => context.ignoredBy(match));
  const [rule] = ignored;
  if (rule === undefined || ignored.some((one) => one === undefined)) return [];
  // A folder whose own name is ignored may hold files that are taken back.
  const [only] = matches;
  if (only !== undefined && holdsTakenBack(only, context)) return [];
  return [finding("KF083", span, `${path} is left out by ${rule.file}, line ${rule.line}: ${rule.pattern}.`)];
}

function holdsTakenBack(path: string, context: CheckContext): boolean {
  if (context.kindOf(path) !== "directory") return false;
  return context.files(path).some((file) => context.ignoredBy(`${path}/${file}`) === undefined);
}

function checkApp(
  entry: Entry<Extract<Instruction, { kind: "APP" | "CNI" | "CSI" }>>,
  commanded: ReadonlySet<string | undefined>,
  context: CheckContext,
): Finding[] {
  const { node } = entry;
  const found: Finding[] = [];
  const files: AppFiles[] = [];
  for (const source of node.sources) {
    if (isVariable(source.word.text)) return found;
    if (source.scheme === "local") found.push(...checkPath(entry, source.path, source.path.value, context));
    else if (source.scheme !== "http" && source.scheme !== "https") return found;
    files.push(...listing(source, context));
  }
  const name = node.app;
  if (name === undefined || found.length > 0 || node.sources.length === 0 || commanded.has(name.value)) return found;
  const detected = detectAppType(name.value, files);
  if (detected.type !== undefined) return found;
  const message = `sealer cannot tell how to launch ${name.value}: ${lowerFirst(detected.reason)} Add APPCMDS ${name.value} ["COMMAND"].`;
  return [...found, finding("KF107", place(entry, name.span), message)];
}

function lowerFirst(text: string): string {
  return /^(?:It|All)\b/.test(text) ? text.slice(0, 1).toLowerCase() + text.slice(1) : text;
}

function listing(source: AppSource, context: CheckContext): AppFiles[] {
  const path = source.path.value;
  if (source.scheme !== "local")
    return [{ path: path.replace(/[?#].*$/, ""), kind: "remote", files: [], children: [] }];
  return context
    .glob(contextPath(path))
    .map((match) =>
      context.kindOf(match) === "directory"
        ? { path: match, kind: "directory", files: context.files(match), children: context.children(match) }
        : { path: match, kind: "file", files: [], children: [] },
    );
}

function checkPlatform(entry: Entry<From>, context: CheckContext): Finding[] {
  const { image, flags } = entry.node;
  if (image === undefined || isVariable(image.text) || image.value === "scratch") return [];
  const flag = flags.find(({ name }) => name.value === "platform")?.value?.value;
  const wanted = flag === undefined ? context.targetPlatform : isVariable(flag) ? undefined : flag;
  const platforms = context.platforms?.(image.value);
  if (wanted === undefined || platforms === undefined || platforms.length === 0) return [];
  const [os, arch] = wanted.split("/");
  if (platforms.some((platform) => platform.split("/")[0] === os && platform.split("/")[1] === arch)) return [];
  return [
    finding(
      "KF062",
      place(entry, image.span),
      `${image.value} is not there for ${wanted}: it has ${platforms.join(", ")}.`,
    ),
  ];
}
