import { type DirectiveInfo, directives, type InstructionInfo, instructions } from "../../kubefile/instructions.ts";
import type { Kubefile } from "../../kubefile/syntax.ts";
import type { Cursor } from "../cursor.ts";
import { placedInstructions } from "../locate.ts";
import { type CompletionOptions, type Suggestion, suggestionKinds } from "./suggestion.ts";

const notInOnbuild: ReadonlySet<string> = new Set(["FROM", "ONBUILD", "MAINTAINER"]);

/** Instructions, each also as a snippet; in an empty file, whole files to start from. */
export function keywords(
  kubefile: Kubefile,
  cursor: Cursor & { readonly kind: "keyword" },
  options: CompletionOptions,
): Suggestion[] {
  const lower = /^[a-z]+$/u.test(cursor.prefix);
  const rows = instructions.filter(
    (row) =>
      (options.dialect === undefined || row.dialects.includes(options.dialect)) &&
      !(cursor.trigger && notInOnbuild.has(row.name)),
  );
  const items = rows.flatMap((row) => forInstruction(row, lower, options));
  const empty = placedInstructions(kubefile).every(({ node }) => node.span.start === cursor.span.start);
  return empty && !cursor.trigger && options.snippets ? [...items, ...templates] : items;
}

function forInstruction(row: InstructionInfo, lower: boolean, options: CompletionOptions): Suggestion[] {
  const name = lower ? row.name.toLowerCase() : row.name;
  const common = { deprecated: row.deprecated !== undefined, help: `instruction:${row.name}` };
  const plain: Suggestion = {
    ...common,
    label: name,
    kind: suggestionKinds.instruction,
    text: `${name} `,
    group: row.deprecated === undefined ? 1 : 8,
    again: true,
  };
  if (!options.snippets) return [plain];
  const [usage = name] = row.usage;
  return [
    plain,
    {
      ...common,
      label: usage.replace(row.name, name),
      kind: suggestionKinds.snippet,
      text: name,
      snippet: `${name} ${row.snippet}`,
      group: row.deprecated === undefined ? 2 : 9,
    },
  ];
}

const templates: readonly Suggestion[] = [
  {
    label: "Cluster image with an application",
    kind: suggestionKinds.snippet,
    text: "FROM APP LAUNCH",
    snippet:
      'FROM ${1:docker.io/sealerio/kubernetes:v1-22-15-sealerio-2}\nAPP ${2:name} local://${3:path}\nLAUNCH ["${2:name}"]\n',
    group: 0,
    detail: "sealer",
  },
  {
    label: "Cluster image with manifests",
    kind: suggestionKinds.snippet,
    text: "FROM COPY CMDS",
    snippet: 'FROM ${1:scratch}\nCOPY ${2:app.yaml} manifests/\nCMDS ["kubectl apply -f manifests/${2:app.yaml}"]\n',
    group: 0,
    detail: "sealer",
  },
  {
    label: "Application image",
    kind: suggestionKinds.snippet,
    text: "FROM COPY CMD",
    snippet: 'FROM ${1:scratch}\nCOPY ${2:charts} charts\nCMD ["${3:helm upgrade --install app charts/app}"]\n',
    group: 0,
    detail: "sealos",
  },
];

/** Parser directives that the head of the file does not have yet. */
export function directiveNames(kubefile: Kubefile): Suggestion[] {
  const written = new Set(kubefile.directives.map((directive) => directive.name.value));
  return directives
    .filter((directive) => !written.has(directive.name))
    .map((directive: DirectiveInfo) => ({
      label: directive.name,
      kind: suggestionKinds.key,
      text: `${directive.name}=`,
      group: 1,
      again: true,
      help: `directive:${directive.name}`,
    }));
}

export function directiveValues(name: string): Suggestion[] {
  const row = directives.find((directive) => directive.name === name);
  return (row?.values ?? []).map((value) => ({
    label: value,
    kind: suggestionKinds.value,
    group: 1,
    help: `directive:${name}`,
  }));
}
