import type { Instruction } from "../syntax.ts";
import { type Finding, finding } from "./finding.ts";

const nothing: readonly Finding[] = [];

/** Flags that buildah 1.28 and older, sealer's included, refuse. */
const recentFlags: Readonly<Record<string, ReadonlySet<string>>> = {
  COPY: new Set(["link", "parents", "exclude"]),
  ADD: new Set(["link", "exclude", "checksum", "keep-git-dir", "unpack"]),
  RUN: new Set(["network", "security", "device"]),
  HEALTHCHECK: new Set(["start-interval"]),
};

/** Modifiers of variables that they know. */
const oldModifiers: ReadonlySet<string> = new Set([":-", ":+"]);
const newModifiers: ReadonlySet<string> = new Set(["-", "+", ":?", "?", "#", "##", "%", "%%", "/", "//"]);

/** What newer builders and Kubefile's own engine read, and buildah 1.28 and older refuse. */
export function checkRecent(node: Instruction): readonly Finding[] {
  const { flags, variables, heredocs } = node;
  if (flags.length === 0 && variables.length === 0 && heredocs.length === 0) return nothing;
  const found: Finding[] = [];
  const [heredoc] = heredocs;
  if (heredoc !== undefined && node.kind !== "ONBUILD") found.push(recent(heredoc.span, "heredocs", "sealos"));
  for (const { span, name, value } of flags) {
    if (recentFlags[node.kind]?.has(name.value) === true) found.push(recent(span, `--${name.value}`));
    else if (name.value === "chmod" && value !== undefined && /^[ugoa,+=-]*[ugoa][+=-]/.test(value.value)) {
      found.push(recent(value.span, "modes in letters"));
    }
  }
  for (const use of variables) {
    const operator = use.modifier?.operator;
    if (use.shell || operator === undefined || oldModifiers.has(operator) || !newModifiers.has(operator)) continue;
    found.push(recent(use.span, `\${${use.name}${operator}...}`));
  }
  return found;
}

function recent(span: Finding["span"], what: string, only?: "sealos"): Finding {
  const details = only === undefined ? {} : { only };
  return finding("KF026", span, `buildah 1.28 and older refuse ${what}: build with a newer one.`, details);
}
