import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { directives, type InstructionInfo, instructions } from "../kubefile/instructions.ts";

/** One file of `syntaxes/` and its text. */
export interface GeneratedFile {
  readonly name: string;
  readonly text: string;
}

interface Pattern {
  readonly [key: string]: unknown;
}

function names(test: (row: InstructionInfo) => boolean): string {
  return instructions
    .filter(test)
    .map((row) => row.name)
    .sort((a, b) => b.length - a.length)
    .join("|");
}

/** Begins an instruction: at the start of a line, behind ONBUILD or HEALTHCHECK flags. */
function begin(group: string): string {
  return `(?i)^\\s*(?:(ONBUILD)\\s+)?(${group})(?=\\s|\\\\|$)`;
}

const keywordCaptures: Pattern = {
  "1": { name: "keyword.control.kubefile" },
  "2": { name: "keyword.control.kubefile" },
};

const shared: readonly Pattern[] = [{ include: "#comment" }, { include: "#continuation" }];
const wordPatterns: readonly Pattern[] = [
  ...shared,
  { include: "#flag" },
  { include: "#array" },
  { include: "#variable" },
  { include: "#string" },
];

function instruction(name: string, group: string, patterns: readonly Pattern[]): Pattern {
  return {
    name: `meta.${name}.kubefile`,
    begin: begin(group),
    beginCaptures: keywordCaptures,
    // A joined line is consumed by `continuation`, which stays open over comments and blank lines.
    end: "$",
    patterns,
  };
}

function grammar(): Pattern {
  const shell = names((row) => row.shape === "command");
  const pairs = names((row) => row.shape === "pairs" || row.shape === "arguments" || row.shape === "appEnv");
  const commands = names((row) => row.shape === "appCommands" || row.shape === "commands");
  const apps = names((row) => row.shape === "app" || row.shape === "names");
  const others = names((row) => ["copy", "text", "ports", "paths", "exec", "trigger"].includes(row.shape));
  return {
    $schema: "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
    name: "Kubefile",
    scopeName: "source.kubefile",
    fileTypes: ["Kubefile", "kubefile"],
    patterns: [
      { include: "#directive" },
      { include: "#comment" },
      { include: "#heredocShell" },
      { include: "#heredocText" },
      { include: "#from" },
      { include: "#shellLine" },
      { include: "#shell" },
      { include: "#healthcheck" },
      { include: "#pairs" },
      { include: "#commands" },
      { include: "#apps" },
      { include: "#others" },
    ],
    repository: {
      directive: {
        match: `(?i)^\\s*(#)\\s*(${directives.map((row) => row.name).join("|")})\\s*(=)\\s*(\\S.*?)\\s*$`,
        name: "comment.line.directive.kubefile",
        captures: {
          "1": { name: "punctuation.definition.comment.kubefile" },
          "2": { name: "keyword.other.directive.kubefile" },
          "3": { name: "keyword.operator.assignment.kubefile" },
          "4": { name: "string.unquoted.kubefile" },
        },
      },
      comment: {
        match: "^\\s*(#).*$",
        name: "comment.line.number-sign.kubefile",
        captures: { "1": { name: "punctuation.definition.comment.kubefile" } },
      },
      continuation: {
        begin: "(\\\\)[ \\t]*$\\n?",
        beginCaptures: { "1": { name: "constant.character.escape.line-continuation.kubefile" } },
        end: "^(?!\\s*(?:#|$))",
        patterns: [{ include: "#comment" }],
      },
      flag: {
        match: "(?<=\\s)(--[A-Za-z][A-Za-z-]*)(?:(=)(\\S*))?",
        captures: {
          "1": { name: "entity.other.attribute-name.kubefile" },
          "2": { name: "keyword.operator.assignment.kubefile" },
          "3": { name: "string.unquoted.kubefile", patterns: [{ include: "#variable" }] },
        },
      },
      array: {
        begin: '(?<=\\s)\\[(?=\\s*(?:"|\\]|[\\\\`]\\s*$))',
        end: "\\]|$",
        name: "meta.structure.array.kubefile",
        patterns: [...shared, { include: "#jsonString" }, { match: ",", name: "punctuation.separator.array.kubefile" }],
      },
      jsonString: {
        begin: '"',
        end: '"|$',
        name: "string.quoted.double.json.kubefile",
        patterns: [
          { match: '\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})', name: "constant.character.escape.kubefile" },
          { include: "#variable" },
        ],
      },
      commandArray: {
        begin: '(?<=\\s)\\[(?=\\s*(?:"|\\]|[\\\\`]\\s*$))',
        end: "\\]|$",
        name: "meta.structure.array.kubefile",
        patterns: [
          ...shared,
          { include: "#commandString" },
          { match: ",", name: "punctuation.separator.array.kubefile" },
        ],
      },
      commandString: {
        begin: '"',
        end: '"|$',
        beginCaptures: { "0": { name: "punctuation.definition.string.begin.kubefile" } },
        endCaptures: { "0": { name: "punctuation.definition.string.end.kubefile" } },
        contentName: "meta.embedded.inline.shell.kubefile",
        patterns: [
          { match: '\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})', name: "constant.character.escape.kubefile" },
          { include: "#variable" },
          { match: '(?:^|(?<="|&& |; |\\| ))[A-Za-z0-9_./-]+', name: "support.function.shell.kubefile" },
          { match: "\\s(--?[A-Za-z][A-Za-z0-9-]*)", captures: { "1": { name: "variable.parameter.shell.kubefile" } } },
          { match: "&&|\\|\\|?|;|>>?|<", name: "keyword.operator.shell.kubefile" },
        ],
      },
      string: {
        patterns: [
          {
            begin: '"',
            end: '"|$',
            name: "string.quoted.double.kubefile",
            patterns: [
              ...shared,
              { match: "[\\\\`].", name: "constant.character.escape.kubefile" },
              { include: "#variable" },
            ],
          },
          { begin: "'", end: "'|$", name: "string.quoted.single.kubefile", patterns: [...shared] },
        ],
      },
      variable: {
        patterns: [
          {
            begin: "(\\$\\{)([A-Za-z_][A-Za-z0-9_]*)(:?[-+?]|##?|%%?|//?)?",
            end: "\\}|$",
            name: "variable.other.kubefile",
            beginCaptures: {
              "1": { name: "punctuation.definition.variable.kubefile" },
              "3": { name: "keyword.operator.expansion.kubefile" },
            },
            patterns: [...shared, { include: "#variable" }, { include: "#string" }],
          },
          { match: "\\$(?:[A-Za-z_][A-Za-z0-9_]*|\\([A-Za-z_][A-Za-z0-9_]*\\))", name: "variable.other.kubefile" },
        ],
      },
      from: instruction("from", "FROM", [
        {
          match: "(?i)(?<=\\s)(AS)\\s+([A-Za-z][\\w.-]*)",
          captures: { "1": { name: "keyword.control.kubefile" }, "2": { name: "entity.name.type.stage.kubefile" } },
        },
        ...wordPatterns,
        { match: "(?<=\\s)scratch(?=\\s|$)", name: "constant.language.kubefile" },
        { match: "[^\\s$#\\\\`\"'-][^\\s$\\\\`\"']*", name: "entity.name.type.image.kubefile" },
      ]),
      shell: instruction("shell", shell, [
        { include: "#comment" },
        { include: "#commandArray" },
        {
          begin: "((?:--\\S+\\s+)*)(\\S.*?)??(\\\\)[ \\t]*$\\n?",
          beginCaptures: {
            "1": { patterns: [{ include: "#flagWord" }] },
            "2": { name: "meta.embedded.inline.shell.kubefile", patterns: [{ include: "#shellText" }] },
            "3": { name: "constant.character.escape.line-continuation.kubefile" },
          },
          end: "^(?!\\s*(?:#|$))",
          patterns: [{ include: "#comment" }],
        },
        {
          match: "(\\S.*?)\\s*$",
          captures: { "1": { name: "meta.embedded.inline.shell.kubefile", patterns: [{ include: "#shellText" }] } },
        },
      ]),
      shellText: {
        patterns: [
          {
            match: "(&&|\\|\\|?|;)\\s*([A-Za-z0-9_./-]+)?",
            captures: {
              "1": { name: "keyword.operator.shell.kubefile" },
              "2": { name: "support.function.shell.kubefile" },
            },
          },
          { match: "(?<=\\s)--?[A-Za-z][A-Za-z0-9-]*", name: "variable.parameter.shell.kubefile" },
          { include: "#parenthesised" },
          { include: "source.shell" },
        ],
      },
      // One line by itself: what the shell grammar opens cannot run into the next instruction.
      shellLine: {
        match: `(?i)^\\s*(?:(ONBUILD)\\s+)?(${shell})\\s+(?![\\s\\[]|.*<<)((?:--\\S+\\s+)*)([A-Za-z0-9_./-]+)?(.*[^\\s\\\\])?\\s*$`,
        name: "meta.shell.kubefile",
        captures: {
          "1": { name: "keyword.control.kubefile" },
          "2": { name: "keyword.control.kubefile" },
          "3": { patterns: [{ include: "#flagWord" }] },
          "4": { name: "support.function.shell.kubefile" },
          "5": { name: "meta.embedded.inline.shell.kubefile", patterns: [{ include: "#shellText" }] },
        },
      },
      flagWord: {
        match: "(--[A-Za-z][A-Za-z-]*)(?:(=)(\\S*))?",
        captures: {
          "1": { name: "entity.other.attribute-name.kubefile" },
          "2": { name: "keyword.operator.assignment.kubefile" },
          "3": { name: "string.unquoted.kubefile" },
        },
      },
      parenthesised: { match: "\\$\\([A-Za-z_][A-Za-z0-9_]*\\)", name: "variable.other.kubefile" },
      healthcheck: instruction("shell", "HEALTHCHECK", [
        ...shared,
        { include: "#flag" },
        {
          match: "(?i)(?<=\\s)(CMD|NONE)\\s+(?!\\[)(\\S.*?)(?=\\s*\\\\?\\s*$)",
          captures: {
            "1": { name: "keyword.control.kubefile" },
            "2": { name: "meta.embedded.inline.shell.kubefile", patterns: [{ include: "#shellText" }] },
          },
        },
        { match: "(?i)(?<=\\s)(?:CMD|NONE)(?=\\s|$)", name: "keyword.control.kubefile" },
        { include: "#commandArray" },
      ]),
      pairs: instruction("pairs", pairs, [
        ...shared,
        { include: "#flag" },
        {
          match: '(?<=\\s)([^\\s="\'$]+|"[^"]*")(=)',
          captures: {
            "1": { name: "variable.other.readwrite.kubefile" },
            "2": { name: "keyword.operator.assignment.kubefile" },
          },
        },
        { include: "#variable" },
        { include: "#string" },
        { match: "[^\\s$\\\\`\"'=]+", name: "string.unquoted.kubefile" },
      ]),
      commands: instruction("commands", commands, [
        ...shared,
        { include: "#commandArray" },
        { match: '(?<=\\s)[^\\s\\["]+', name: "entity.name.function.app.kubefile" },
      ]),
      apps: instruction("apps", apps, [
        ...shared,
        { include: "#array" },
        {
          match: "(?<=\\s)([A-Za-z][A-Za-z0-9+.-]*://)(\\S*)",
          captures: { "1": { name: "keyword.other.scheme.kubefile" }, "2": { name: "string.unquoted.path.kubefile" } },
        },
        { include: "#variable" },
        { match: '(?<=\\s)[^\\s\\["\\\\`]+', name: "entity.name.function.app.kubefile" },
      ]),
      others: instruction("arguments", others, [...wordPatterns]),
      heredocShell: heredoc("RUN", "meta.embedded.block.shell.kubefile", [{ include: "source.shell" }]),
      heredocText: heredoc("COPY|ADD", "string.unquoted.heredoc.kubefile", [{ include: "#variable" }]),
    },
  };
}

/** `RUN <<EOF` with its body, up to the line that holds the marker alone. */
function heredoc(group: string, content: string, patterns: readonly Pattern[]): Pattern {
  return {
    begin: `(?i)^\\s*(?:(ONBUILD)\\s+)?(${group})\\s+((?:(?!<<).)*)(\\d*<<-?)(["']?)([^\\s"'<]+)(["']?)(.*)$`,
    beginCaptures: {
      "1": { name: "keyword.control.kubefile" },
      "2": { name: "keyword.control.kubefile" },
      "3": { patterns: wordPatterns },
      "4": { name: "keyword.operator.heredoc.kubefile" },
      "6": { name: "keyword.control.heredoc-token.kubefile" },
      "8": { patterns: wordPatterns },
    },
    // Checked at the head of every line, so that an open quote in the body does not swallow the marker.
    while: "^(?!\\t*\\6\\s*$)",
    contentName: content,
    patterns,
  };
}

function languageConfiguration(): Pattern {
  return {
    comments: { lineComment: "#" },
    brackets: [
      ["{", "}"],
      ["[", "]"],
      ["(", ")"],
    ],
    autoClosingPairs: [
      { open: "{", close: "}" },
      { open: "[", close: "]" },
      { open: "(", close: ")" },
      { open: '"', close: '"', notIn: ["string", "comment"] },
      { open: "'", close: "'", notIn: ["string", "comment"] },
    ],
    surroundingPairs: [
      ["{", "}"],
      ["[", "]"],
      ["(", ")"],
      ['"', '"'],
      ["'", "'"],
      ["`", "`"],
    ],
    wordPattern: "(-?\\d*\\.\\d\\w*)|([^\\s`~!@#%^&*()=+\\[{\\]}\\\\|;:'\",<>/?$]+)",
    folding: { markers: { start: "^\\s*#\\s*region\\b", end: "^\\s*#\\s*endregion\\b" } },
    onEnterRules: [
      {
        beforeText: "^\\s*#.*$",
        afterText: "\\S",
        action: { indent: "none", appendText: "# " },
      },
    ],
  };
}

function snippets(): Pattern {
  const single = instructions.map((row) => [
    row.name,
    { prefix: row.name, body: [`${row.name} ${row.snippet}`], description: row.help.replaceAll("`", "") },
  ]);
  return {
    ...Object.fromEntries(single),
    "Application image": {
      prefix: "kubefile-app",
      body: ["FROM ${1:scratch}", "APP ${2:name} local://${3:manifests}", 'LAUNCH ["${2:name}"]', ""],
      description: "An application with its manifests, launched when the cluster is up.",
    },
    "Cluster image": {
      prefix: "kubefile-cluster",
      body: [
        "FROM ${1:docker.io/sealerio/kubernetes:v1-22-15-sealerio-2}",
        "CNI ${2:calico} local://${3:calico.yaml}",
        "APP ${4:name} local://${5:manifests}",
        'LAUNCH ["${2:calico}", "${4:name}"]',
        "",
      ],
      description: "A Kubernetes cluster with its network and one application.",
    },
    "sealos application": {
      prefix: "kubefile-sealos",
      body: [
        "FROM scratch",
        "ENV ${1:NAME}=${2:name}",
        "COPY . .",
        'CMD ["${3:helm upgrade -i ${1:NAME} charts/${1:NAME}}"]',
        "",
      ],
      description: "A sealos application image.",
    },
  };
}

/** Every generated file of `syntaxes/`. The same table gives the same bytes. */
export function generateSyntaxes(): readonly GeneratedFile[] {
  const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  return [
    { name: "kubefile.tmLanguage.json", text: json(grammar()) },
    { name: "language-configuration.json", text: json(languageConfiguration()) },
    { name: "snippets.json", text: json(snippets()) },
  ];
}

/** Writes the files that differ; says which. */
function main(): void {
  const folder = path.resolve(import.meta.dirname, "../syntaxes");
  for (const { name, text } of generateSyntaxes()) {
    const file = path.join(folder, name);
    const before = safeRead(file);
    if (before === text) continue;
    writeFileSync(file, text);
    console.log(`syntaxes/${name} written`);
  }
}

function safeRead(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

if (import.meta.main) main();
