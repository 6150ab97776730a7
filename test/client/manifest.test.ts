import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const rootDir = path.resolve(import.meta.dirname, "../..");
const text = (file: string): string => readFileSync(path.join(rootDir, file), "utf8");

interface Manifest {
  readonly main: string;
  readonly browser: string;
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly license: string;
  readonly pricing: string;
  readonly categories: readonly string[];
  readonly keywords: readonly string[];
  readonly extensionKind: readonly string[];
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly category: string; readonly icon?: string }[];
    readonly views: { readonly kubefile: readonly { readonly id: string; readonly icon: string }[] };
    readonly viewsContainers: Readonly<Record<string, readonly unknown[]>>;
    readonly keybindings?: unknown;
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string }[];
    readonly menus: Readonly<
      Record<string, readonly { readonly command: string; readonly when: string; readonly group?: string }[]>
    >;
    readonly configuration: {
      readonly properties: Readonly<
        Record<string, { readonly default?: unknown; readonly markdownDescription?: string }>
      >;
    };
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly media: { readonly markdown: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
    readonly colors: readonly { readonly defaults: Readonly<Record<string, string>> }[];
    readonly languages: readonly { readonly icon?: { readonly light: string; readonly dark: string } }[];
    readonly grammars: readonly { readonly path: string }[];
    readonly snippets: readonly { readonly path: string }[];
  };
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
}

const manifest: Manifest = JSON.parse(text("package.json"));
const english: Readonly<Record<string, string>> = JSON.parse(text("package.nls.json"));
const { contributes } = manifest;
const commandFiles = globSync("client/commands/*.ts", { cwd: rootDir });
const implemented = commandFiles.flatMap((file) =>
  [...text(file).matchAll(/^ {2}id: "(kubefile\.\w+)"/gm)].map(([, id]) => id),
);

test("the manifest and the code have the same commands, each in the category", () => {
  assert.deepEqual(contributes.commands.map(({ command }) => command).sort(), implemented.sort());
  for (const { command, category } of contributes.commands) assert.equal(category, "Kubefile", command);
});

test("there is one view container with three to five views, each with an icon, and no keys of others are taken", () => {
  assert.deepEqual(
    Object.values(contributes.viewsContainers).map(({ length }) => length),
    [1],
  );
  const views = contributes.views.kubefile;
  assert.ok(views.length >= 3 && views.length <= 5);
  for (const { id, icon } of views) assert.ok(existsSync(path.join(rootDir, icon)), id);
  assert.equal(contributes.keybindings, undefined);
});

test("an editor has one action, for the language only, and in menus what destroys comes last", () => {
  const actions = (contributes.menus["editor/title"] ?? []).filter(({ group }) => group === "navigation");
  assert.equal(actions.length, 1);
  assert.match(actions[0]?.when ?? "", /^editorLangId == kubefile /);
  const items = contributes.menus["view/item/context"] ?? [];
  const groups = items.flatMap(({ group }) => (group && !group.startsWith("inline") ? [group] : [])).sort();
  const last = items.filter(({ group }) => group === groups.at(-1)).map(({ command }) => command);
  assert.deepEqual(last, ["kubefile.removeImage"]);
  for (const { command, group } of items) assert.match(group ?? "", /^(inline|\d_\w+)@\d+$/, command);
});

test("the extension runs where the files are, and says its licence, price, categories and keywords", () => {
  assert.deepEqual(manifest.extensionKind, ["workspace"]);
  assert.deepEqual([manifest.license, manifest.pricing], ["Apache-2.0", "Free"]);
  assert.ok(manifest.categories.length > 0 && manifest.keywords.length > 0 && manifest.keywords.length <= 30);
});

test("there is no telemetry: no process of the extension makes a telemetry logger or names a service for it", () => {
  for (const file of globSync("{client,server,engine}/**/*.ts", { cwd: rootDir }))
    assert.doesNotMatch(text(file), /TelemetryLogger|applicationinsights|@vscode\/extension-telemetry/i, file);
});

test("every text of the manifest exists in English, and each language has the same texts", () => {
  const used = new Set([...text("package.json").matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key));
  assert.deepEqual(Object.keys(english).sort(), [...used].sort());
  for (const file of globSync("package.nls.*.json", { cwd: rootDir })) {
    const other: Readonly<Record<string, string>> = JSON.parse(text(file));
    assert.deepEqual(Object.keys(other).sort(), Object.keys(english).sort(), file);
    for (const [key, sentence] of Object.entries(other)) {
      assert.deepEqual(links(sentence), links(english[key] ?? ""), `${file} ${key}`);
    }
  }
});

test("links of texts lead to commands that exist", () => {
  const known = new Set([...implemented, ...contributes.views.kubefile.map(({ id }) => `${id}.focus`)]);
  for (const [key, sentence] of Object.entries(english)) {
    for (const command of links(sentence)) {
      assert.ok(known.has(command) || command.startsWith("workbench."), `${key} names ${command}`);
    }
  }
});

test("every file the manifest names is there, and the icon is a PNG of at least 128 pixels", () => {
  const files = [
    manifest.icon,
    ...contributes.languages.flatMap(({ icon }) => (icon ? [icon.light, icon.dark] : [])),
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown)),
    ...contributes.grammars.map(({ path: file }) => file),
    ...contributes.snippets.map(({ path: file }) => file),
  ];
  for (const file of files) assert.ok(existsSync(path.join(rootDir, file)), file);
  const png = readFileSync(path.join(rootDir, manifest.icon));
  assert.equal(png.subarray(1, 4).toString("latin1"), "PNG");
  assert.ok(png.readUInt32BE(16) >= 128 && png.readUInt32BE(20) >= 128);
});

test("the extension is activated by what VS Code derives from its contributions and by an open file of an image, and by nothing else", () => {
  assert.deepEqual(manifest.activationEvents, ["onFileSystem:kubeimage"]);
});

test("every setting has a default and a description", () => {
  for (const [name, setting] of Object.entries(contributes.configuration.properties)) {
    assert.notEqual(setting.default, undefined, name);
    assert.match(setting.markdownDescription ?? "", /^%.+%$/, name);
  }
});

test("settings that name a path or give a build a network are not taken from an untrusted workspace", () => {
  const properties = Object.keys(contributes.configuration.properties);
  const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  for (const name of restricted) assert.ok(properties.includes(name), name);
  for (const name of properties.filter((one) => /\.(path|network|proxy|env)/.test(one)))
    assert.ok(restricted.includes(name), name);
});

test("what builds or touches images is hidden in an untrusted workspace", () => {
  const harmless = /refresh|showReferences|goToInstruction|explainCacheStatus|newKubefile|showLog|restart/;
  for (const [menu, items] of Object.entries(contributes.menus)) {
    // Rows exist only where the workspace is trusted.
    if (menu === "view/item/context") continue;
    for (const { command, when } of items) {
      if (!harmless.test(command)) assert.match(when, /isWorkspaceTrusted/, `${menu} ${command}`);
    }
  }
});

test("every view says something when it is empty", () => {
  for (const { id } of contributes.views.kubefile) {
    assert.ok(
      contributes.viewsWelcome.some(({ view }) => view === id),
      id,
    );
  }
});

test("colours are given for dark, light and both high-contrast themes", () => {
  for (const { defaults } of contributes.colors) {
    assert.deepEqual(Object.keys(defaults).sort(), ["dark", "highContrast", "highContrastLight", "light"]);
  }
});

test("the walkthrough has at most six steps, and each can be completed", () => {
  for (const { steps } of contributes.walkthroughs) {
    assert.ok(steps.length <= 6);
    for (const { completionEvents } of steps) assert.ok(completionEvents.length > 0);
  }
});

test("sentences of the client exist in each language", () => {
  const sentences = new Set(globSync("client/**/*.ts", { cwd: rootDir }).flatMap((file) => translated(text(file))));
  for (const file of globSync("l10n/bundle.l10n.*.json", { cwd: rootDir })) {
    const bundle: Readonly<Record<string, string>> = JSON.parse(text(file));
    assert.deepEqual(Object.keys(bundle).sort(), [...sentences].sort(), file);
    for (const [sentence, translation] of Object.entries(bundle)) {
      assert.deepEqual(places(translation), places(sentence), `${file}: ${sentence}`);
    }
  }
});

/** Commands a text links to. */
function links(sentence: string): string[] {
  return [...sentence.matchAll(/\(command:([\w.]+)\)/g)].map(([, command]) => command ?? "");
}

/** The sentences a file has translated: first arguments of `l10n.t(…)`, and of `t(…)` where the translator is a parameter. */
function translated(source: string): string[] {
  return [...source.matchAll(/\b(?:l10n\.)?t\(\s*"((?:[^"\\]|\\.)*)"/g)].map(([, sentence]) =>
    JSON.parse(`"${sentence}"`),
  );
}

function places(sentence: string): string[] {
  return (sentence.match(/\{\d\}/g) ?? []).sort();
}
