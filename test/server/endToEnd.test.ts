import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type {
  CodeAction,
  CompletionList,
  Diagnostic,
  DocumentDiagnosticReport,
  Hover,
  InlayHint,
  SemanticTokens,
  TextEdit,
  WorkspaceEdit,
  WorkspaceSymbol,
} from "vscode-languageserver";
import { CancellationTokenSource } from "vscode-languageserver/node";
import { modern, pushing, ServerProcess } from "./client.ts";

const uri = "file:///w/Kubefile";
const td = { textDocument: { uri } };
const text = `FROM scratch AS base
ENV A=1
APP nginx local://nginx.yaml
RUN <<EOF
echo $A
EOF
LAUNCH ["nginx"]
`;

function at(line: number, character: number): object {
  return { ...td, position: { line, character } };
}

async function opened(content = text): Promise<ServerProcess> {
  const server = await ServerProcess.start();
  server.open(uri, content);
  return server;
}

describe("over stdio", () => {
  test("initialize says what the server can do", async () => {
    await using server = await ServerProcess.start();
    const { capabilities, serverInfo } = server.initialized;
    assert.equal(serverInfo?.name, "kubefile");
    assert.deepEqual(Object.keys(capabilities).sort(), [
      "codeActionProvider",
      "codeLensProvider",
      "completionProvider",
      "declarationProvider",
      "definitionProvider",
      "diagnosticProvider",
      "documentFormattingProvider",
      "documentHighlightProvider",
      "documentLinkProvider",
      "documentOnTypeFormattingProvider",
      "documentRangeFormattingProvider",
      "documentSymbolProvider",
      "foldingRangeProvider",
      "hoverProvider",
      "inlayHintProvider",
      "linkedEditingRangeProvider",
      "positionEncoding",
      "referencesProvider",
      "renameProvider",
      "selectionRangeProvider",
      "semanticTokensProvider",
      "signatureHelpProvider",
      "textDocumentSync",
      "workspace",
      "workspaceSymbolProvider",
    ]);
  });

  test("shutdown and exit end the process with 0", async () => {
    await using server = await ServerProcess.start();
    assert.equal(await server.stop(), 0);
  });

  const methods: readonly (readonly [method: string, params: object, says: RegExp])[] = [
    ["textDocument/completion", at(6, 9), /"label":"nginx"/u],
    ["textDocument/hover", at(4, 6), /\*\*A\*\* = `1`/u],
    ["textDocument/signatureHelp", at(0, 6), /FROM \[--platform=PLATFORM\] IMAGE/u],
    ["textDocument/definition", at(6, 10), /"targetUri":"file:\/\/\/w\/Kubefile"/u],
    ["textDocument/declaration", at(4, 6), /"targetSelectionRange":\{"start":\{"line":1,"character":4\}/u],
    ["textDocument/references", { ...at(6, 10), context: { includeDeclaration: true } }, /"line":2.*"line":6/u],
    ["textDocument/documentHighlight", at(4, 6), /"kind":3.*"kind":2/u],
    ["textDocument/documentSymbol", td, /"name":"FROM","detail":"base".*"children"/u],
    ["textDocument/documentLink", td, /nginx\.yaml/u],
    ["textDocument/foldingRange", td, /"startLine":3/u],
    ["textDocument/selectionRange", { ...td, positions: [{ line: 1, character: 5 }] }, /"parent"/u],
    ["textDocument/linkedEditingRange", at(3, 7), /"ranges":\[.*\]/u],
    ["textDocument/formatting", { ...td, options: { tabSize: 4, insertSpaces: true } }, /^\[\]$/u],
    [
      "textDocument/rangeFormatting",
      {
        ...td,
        range: { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } },
        options: { tabSize: 4, insertSpaces: true },
      },
      /^\[\]$/u,
    ],
    [
      "textDocument/onTypeFormatting",
      { ...at(1, 0), ch: "\n", options: { tabSize: 4, insertSpaces: true } },
      /^\[\]$/u,
    ],
    ["textDocument/prepareRename", at(6, 10), /"placeholder":"nginx"/u],
    [
      "textDocument/rename",
      { ...at(6, 10), newName: "web" },
      /"documentChanges":\[\{"textDocument":\{"uri":"file:\/\/\/w\/Kubefile","version":1\}/u,
    ],
    ["textDocument/semanticTokens/full", td, /"resultId":"1","data":\[0,0,4/u],
    [
      "textDocument/semanticTokens/range",
      { ...td, range: { start: { line: 1, character: 0 }, end: { line: 1, character: 3 } } },
      /"data":\[1,0,3/u,
    ],
    ["textDocument/codeLens", td, /launched · 1 use/u],
    ["textDocument/diagnostic", td, /"kind":"full"/u],
  ];
  for (const [method, params, says] of methods)
    test(method, async () => {
      await using server = await opened();
      assert.match(JSON.stringify(await server.request(method, params)), says);
    });

  test("every method gives an empty answer for a document that is not open", async () => {
    await using server = await ServerProcess.start();
    for (const [method, params] of methods) {
      const answer = await server.request<unknown>(method, params);
      const empty =
        answer === null ||
        (Array.isArray(answer) && answer.length === 0) ||
        /"(?:data|items)":\[\]/u.test(JSON.stringify(answer));
      assert.ok(empty, method);
    }
  });

  test("completionItem/resolve fills in documentation", async () => {
    await using server = await opened("\n");
    const list = await server.request<CompletionList>("textDocument/completion", at(0, 0));
    const item = list.items.find((candidate) => candidate.label === "FROM");
    assert.ok(item);
    assert.match(JSON.stringify(await server.request("completionItem/resolve", item)), /Starts from an image/u);
  });

  test("semantic tokens come as a difference after an edit", async () => {
    await using server = await opened();
    const { resultId } = await server.request<SemanticTokens>("textDocument/semanticTokens/full", td);
    server.change(uri, 2, [
      { range: { start: { line: 1, character: 4 }, end: { line: 1, character: 5 } }, text: "LONG" },
    ]);
    const delta = await server.request("textDocument/semanticTokens/full/delta", { ...td, previousResultId: resultId });
    assert.match(JSON.stringify(delta), /"edits":\[\{/u);
  });

  test("inlay hints show expanded variables", async () => {
    await using server = await opened("FROM scratch\nENV A=1\nENV B=${A}2\n");
    const range = { start: { line: 0, character: 0 }, end: { line: 3, character: 0 } };
    const hints = await server.request<InlayHint[]>("textDocument/inlayHint", { ...td, range });
    assert.deepEqual(
      hints.map((hint) => hint.label),
      ["= 12"],
    );
  });

  test("an unknown method is refused, and the server goes on", async () => {
    await using server = await opened();
    await assert.rejects(server.request("textDocument/moniker", at(0, 0)), /Unhandled method|not found/iu);
    assert.ok(await server.request<Hover>("textDocument/hover", at(0, 0)));
  });

  test("a refused rename says why", async () => {
    await using server = await opened();
    await assert.rejects(server.request("textDocument/rename", { ...at(6, 10), newName: "a b" }), /no name for this/u);
  });
});

describe("documents", () => {
  test("several edits in one notification, each counting in the text the one before made", async () => {
    await using server = await opened("FROM a\n");
    server.change(uri, 2, [
      { range: { start: { line: 0, character: 5 }, end: { line: 0, character: 6 } }, text: "scratch" },
      { range: { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } }, text: "ENV X=1\nWORKDIR $X\n" },
      { range: { start: { line: 1, character: 4 }, end: { line: 1, character: 5 } }, text: "YY" },
      { range: { start: { line: 2, character: 9 }, end: { line: 2, character: 10 } }, text: "YY" },
    ]);
    assert.match(JSON.stringify(await server.request("textDocument/hover", at(2, 10))), /\*\*YY\*\* = `1`/u);
  });
  test("a whole new text", async () => {
    await using server = await opened("FROM a\n");
    server.change(uri, 2, [{ text: "RUN x" }]);
    assert.match(JSON.stringify(await server.request("textDocument/documentSymbol", td)), /"name":"RUN"/u);
  });
  test("a closed document is forgotten", async () => {
    await using server = await opened();
    server.notify("textDocument/didClose", td);
    assert.equal(await server.request("textDocument/hover", at(0, 0)), null);
  });
  test("any text is answered: empty, binary, lone surrogates, long lines", async () => {
    await using server = await ServerProcess.start();
    const texts = [
      "",
      "\u0000\u0001\ud800\udc00\ud800",
      `RUN ${"x".repeat(200_000)}`,
      "\ufeffFROM a",
      "\r\r\n\n\r",
      "${".repeat(2000),
    ];
    for (const [index, content] of texts.entries()) {
      const own = `file:///w/${index}/Kubefile`;
      server.open(own, content);
      const report = await server.request<DocumentDiagnosticReport>("textDocument/diagnostic", {
        textDocument: { uri: own },
      });
      assert.equal(report.kind, "full");
      await server.request("textDocument/semanticTokens/full", { textDocument: { uri: own } });
      await server.request("textDocument/documentSymbol", { textDocument: { uri: own } });
      await server.request("textDocument/completion", {
        textDocument: { uri: own },
        position: { line: 0, character: 0 },
      });
    }
  });
});

describe("diagnostics", () => {
  test("are pushed to a client that does not pull, with related places, tags and pages", async () => {
    await using server = await ServerProcess.start({ capabilities: pushing() });
    assert.equal(server.initialized.capabilities.diagnosticProvider, undefined);
    server.open(uri, 'FROM scratch\nLAUNCH ["a"]\nLAUNCH ["a"]\nMAINTAINER me\n');
    const { diagnostics, version } = await server.diagnostics();
    assert.equal(version, 1);
    const second = diagnostics.find((diagnostic) => diagnostic.code === "KF102");
    assert.match(second?.codeDescription?.href ?? "", /KF102/u);
    assert.ok((second?.relatedInformation?.length ?? 0) > 0);
  });
  test("are plain for a client that knows no more", async () => {
    await using server = await ServerProcess.start({ capabilities: {} });
    server.open(uri, 'FROM scratch\nLAUNCH ["a"]\nLAUNCH ["a"]\n');
    const { diagnostics } = await server.diagnostics();
    for (const diagnostic of diagnostics) {
      assert.equal(diagnostic.codeDescription, undefined);
      assert.equal(diagnostic.relatedInformation, undefined);
      assert.equal(diagnostic.tags, undefined);
    }
  });
  test("are pushed again after an edit, and go away when the document is closed", async () => {
    await using server = await ServerProcess.start({ capabilities: pushing() });
    server.open(uri, "FRM scratch\n");
    assert.ok((await server.diagnostics()).diagnostics.some((diagnostic) => diagnostic.code === "KF001"));
    server.change(uri, 2, [
      { range: { start: { line: 0, character: 1 }, end: { line: 0, character: 1 } }, text: "RO" },
    ]);
    server.change(uri, 3, [{ text: "FROM scratch\n" }]);
    assert.deepEqual((await server.diagnostics((params) => params.version === 3)).diagnostics, []);
    server.notify("textDocument/didClose", td);
    assert.deepEqual((await server.diagnostics((params) => params.version === undefined)).diagnostics, []);
  });
  test("pulled twice are unchanged the second time", async () => {
    await using server = await opened();
    const first = await server.request<DocumentDiagnosticReport>("textDocument/diagnostic", td);
    assert.equal(first.kind, "full");
    const second = await server.request<DocumentDiagnosticReport>("textDocument/diagnostic", {
      ...td,
      previousResultId: first.resultId,
    });
    assert.equal(second.kind, "unchanged");
    server.change(uri, 2, [{ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: "X" }]);
    const third = await server.request<DocumentDiagnosticReport>("textDocument/diagnostic", {
      ...td,
      previousResultId: first.resultId,
    });
    assert.equal(third.kind, "full");
  });
  test("are limited, and the last one says that there are more", async () => {
    await using server = await ServerProcess.start({ configuration: () => ({ problems: { limit: 3 } }) });
    server.open(uri, `FROM scratch\n${"FOO\n".repeat(10)}`);
    const report = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", td);
    assert.equal(report.items.length, 4);
    assert.match(report.items.at(-1)?.message as string, /more problems than are shown/u);
  });
});

describe("settings", () => {
  test("of each document's folder, asked once, and again when they change", async () => {
    let severity = "off";
    await using server = await ServerProcess.start({
      configuration: (scope) => (scope?.includes("/one/") ? { problems: { severity: { KF001: severity } } } : {}),
    });
    const one = { textDocument: { uri: "file:///one/Kubefile" } };
    const two = { textDocument: { uri: "file:///two/Kubefile" } };
    for (const { textDocument } of [one, two]) server.open(textDocument.uri, "FROM scratch\nFOO\n");
    const codes = async (document: object): Promise<unknown[]> =>
      (await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", document)).items.map(
        (item) => `${item.code} ${item.severity}`,
      );
    assert.deepEqual(await codes(one), []);
    assert.deepEqual(await codes(two), ["KF001 1"]);
    await codes(one);
    assert.equal(server.counts.get("workspace/configuration"), 2);
    severity = "hint";
    server.notify("workspace/didChangeConfiguration", { settings: null });
    assert.deepEqual(await codes(one), ["KF001 4"]);
    assert.ok((server.counts.get("workspace/diagnostic/refresh") ?? 0) >= 1);
  });
  test("pushed by a client that cannot be asked", async () => {
    await using server = await ServerProcess.start({ capabilities: { textDocument: modern.textDocument ?? {} } });
    server.open(uri, "FROM scratch\nFOO\n");
    server.notify("workspace/didChangeConfiguration", {
      settings: { kubefile: { problems: { severity: { kf001: "off" } } } },
    });
    const { items } = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", td);
    assert.deepEqual(items, []);
  });
  test("of the wrong type count as their defaults", async () => {
    await using server = await ServerProcess.start({
      configuration: () => ({ dialect: 3, problems: { severity: [], limit: -1 }, inlayHints: "yes", codeLens: null }),
    });
    server.open(uri, "FROM scratch\nFOO\n");
    const { items } = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", td);
    assert.equal(items.length, 1);
  });
  test("turn off lenses and hints", async () => {
    await using server = await ServerProcess.start({
      configuration: () => ({ codeLens: { enabled: false }, inlayHints: { variables: false, images: false } }),
    });
    server.open(uri, `${text}ENV B=$A\n`);
    assert.deepEqual(await server.request("textDocument/codeLens", td), []);
    const range = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
    assert.deepEqual(await server.request("textDocument/inlayHint", { ...td, range }), []);
  });
  test("registers for changes of settings and files", async () => {
    await using server = await ServerProcess.start();
    server.open(uri, text);
    await server.request("textDocument/hover", at(0, 0));
    assert.deepEqual(server.registrations.sort(), [
      "workspace/didChangeConfiguration",
      "workspace/didChangeWatchedFiles",
    ]);
  });
});

describe("code actions", () => {
  test("fix a misspelt instruction, tied to the version", async () => {
    await using server = await opened("FRM scratch\n");
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } };
    const actions = await server.request<CodeAction[]>("textDocument/codeAction", {
      ...td,
      range,
      context: { diagnostics: [] },
    });
    const fix = actions.find((action) => action.title.includes("FROM"));
    assert.ok(fix?.edit?.documentChanges);
    assert.match(JSON.stringify(fix.edit), /"version":1.*"newText":"FROM"/u);
    assert.ok(actions.some((action) => /Ignore KF001 .* here/u.test(action.title)));
    assert.ok(actions.some((action) => /Ignore KF001 .* in this file/u.test(action.title)));
  });
  test("plain changes for a client without versions", async () => {
    await using server = await ServerProcess.start({ capabilities: { textDocument: modern.textDocument ?? {} } });
    server.open(uri, "FRM scratch\n");
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 3 } };
    const [action] = await server.request<CodeAction[]>("textDocument/codeAction", {
      ...td,
      range,
      context: { diagnostics: [] },
    });
    assert.ok((action?.edit as WorkspaceEdit | undefined)?.changes?.[uri]);
  });
  test("none for a client without literals", async () => {
    await using server = await ServerProcess.start({ capabilities: {} });
    assert.equal(server.initialized.capabilities.codeActionProvider, false);
  });
});

describe("cancelling", () => {
  test("a request that waits is answered as cancelled", async () => {
    await using server = await opened(`${"RUN echo a b c\n".repeat(30_000)}`);
    const source = new CancellationTokenSource();
    const slow = server.connection.sendRequest("textDocument/semanticTokens/full", td);
    const waiting = server.connection.sendRequest("textDocument/documentSymbol", td, source.token);
    source.cancel();
    await assert.rejects(waiting, (error: { code?: number }) => error.code === -32800);
    assert.ok(await slow);
  });
  test("a slow answer of the client holds up nobody else", async () => {
    const { promise, resolve } = Promise.withResolvers<null>();
    await using server = await ServerProcess.start({
      initializationOptions: { imageFacts: true },
      requests: {
        "kubefile/imageFacts": () => promise,
        "kubefile/imageTags": () => promise,
        "kubefile/localImages": () => promise,
      },
    });
    server.open(uri, "FROM registry.example.org/a:1\nENV A=1\n");
    const stuck = server.request("textDocument/hover", at(0, 8));
    assert.match(JSON.stringify(await server.request("textDocument/hover", at(1, 4))), /\*\*A\*\*/u);
    const list = await server.request<CompletionList>("textDocument/completion", at(0, 29));
    assert.ok(list.items.some((item) => item.label === "scratch"));
    assert.equal(await stuck, null);
    resolve(null);
  });
  test("an edit while the answer waits makes it refuse as outdated", async () => {
    await using server = await ServerProcess.start({
      initializationOptions: { imageFacts: true },
      requests: {
        "kubefile/imageFacts": () => sleep(300).then(() => null),
        "kubefile/localImages": () => null,
        "kubefile/imageTags": () => null,
      },
    });
    server.open(uri, "FROM registry.example.org/a:1\n");
    const stuck = server.request("textDocument/hover", at(0, 8));
    server.change(uri, 2, [{ text: "FROM b\n" }]);
    await assert.rejects(stuck, (error: { code?: number }) => error.code === -32801);
  });
});

describe("images", () => {
  const facts = {
    reference: "registry.example.org/a:1",
    digest: `sha256:${"ab".repeat(32)}`,
    sizeBytes: 12_000_000,
    layers: 4,
    platforms: ["linux/amd64"],
    apps: [{ name: "old", type: "kube" }],
    containerImages: [],
  };
  test("facts come from the client's engine", async () => {
    await using server = await ServerProcess.start({
      initializationOptions: { imageFacts: true },
      requests: {
        "kubefile/imageFacts": ({ reference }: { reference: string }) => (reference === facts.reference ? facts : null),
        "kubefile/localImages": () => ({ images: [facts] }),
        "kubefile/imageTags": ({ repository }: { repository: string }) => ({ tags: [`${repository.length}`] }),
      },
    });
    server.open(uri, "FROM registry.example.org/a:1\nLAUNCH old\n");
    assert.match(JSON.stringify(await server.request("textDocument/hover", at(0, 8))), /12\.0 MB in 4 layers/u);
    const list = await server.request<CompletionList>("textDocument/completion", at(0, 29));
    assert.ok(list.items.some((item) => item.label === "registry.example.org/a:22"));
    const { items } = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", td);
    assert.ok(!items.some((item) => item.code === "KF104"), "an application of the base image counts");
    const range = { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } };
    const hints = await server.request<InlayHint[]>("textDocument/inlayHint", { ...td, range });
    assert.deepEqual(
      hints.map((hint) => hint.label),
      ["sha256:abababababab"],
    );
  });
  test("are asked again when the store changed", async () => {
    await using server = await ServerProcess.start({
      initializationOptions: { imageFacts: true },
      requests: {
        "kubefile/imageFacts": () => facts,
        "kubefile/localImages": () => null,
        "kubefile/imageTags": () => null,
      },
    });
    server.open(uri, "FROM registry.example.org/a:1\n");
    await server.request("textDocument/hover", at(0, 8));
    await server.request("textDocument/hover", at(0, 8));
    const before = server.counts.get("kubefile/imageFacts");
    server.notify("kubefile/imagesChanged");
    await server.request("textDocument/hover", at(0, 8));
    assert.equal(server.counts.get("kubefile/imageFacts"), (before ?? 0) + 1);
  });
  test("a client that knows no images is never asked", async () => {
    await using server = await ServerProcess.start();
    server.open(uri, "FROM registry.example.org/a:1\n");
    assert.equal(await server.request("textDocument/hover", at(0, 8)), null);
    assert.equal(server.counts.get("kubefile/imageFacts"), undefined);
  });
});

describe("files of the workspace", () => {
  async function folder(): Promise<{ uri: string; dir: string } & AsyncDisposable> {
    const dir = await mkdtemp(path.join(tmpdir(), "kubefile-lsp-"));
    return {
      dir,
      uri: pathToFileURL(dir).href,
      [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
    };
  }
  const codes = (items: readonly Diagnostic[]): unknown[] => items.map((item) => item.code);

  test("sources are completed, missing ones reported, and reports follow the disk", async () => {
    await using here = await folder();
    await mkdir(path.join(here.dir, "charts"));
    await writeFile(path.join(here.dir, "a.yaml"), "");
    await writeFile(path.join(here.dir, "hidden.yaml"), "");
    await writeFile(path.join(here.dir, ".containerignore"), "hidden.yaml\n");
    await using server = await ServerProcess.start({ folders: [here.uri] });
    const own = `${here.uri}/Kubefile`;
    const doc = { textDocument: { uri: own } };
    server.open(
      own,
      "FROM scratch\nCOPY a.yaml manifests/\nCOPY gone.yaml manifests/\nCOPY hidden.yaml manifests/\nCOPY c\n",
    );
    const list = await server.request<CompletionList>("textDocument/completion", {
      ...doc,
      position: { line: 4, character: 5 },
    });
    assert.deepEqual(
      list.items.map((item) => item.label).filter((label) => /^(?:a\.yaml|charts\/|hidden\.yaml)$/u.test(label)),
      ["a.yaml", "charts/"],
    );
    const pull = async (): Promise<Diagnostic[]> =>
      (await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", doc)).items;
    const first = await pull();
    assert.ok(first.some((item) => item.code === "KF082" && item.range.start.line === 2));
    assert.ok(
      first.some(
        (item) =>
          item.code === "KF083" &&
          item.range.start.line === 3 &&
          String(item.message).includes(".containerignore, line 1"),
      ),
    );
    await writeFile(path.join(here.dir, "gone.yaml"), "");
    server.notify("workspace/didChangeWatchedFiles", { changes: [{ uri: `${here.uri}/gone.yaml`, type: 1 }] });
    assert.ok(!(await pull()).some((item) => item.code === "KF082" && item.range.start.line === 2));
  });

  test("nothing outside the workspace is looked at, also not through a link", async () => {
    await using here = await folder();
    await using there = await folder();
    await writeFile(path.join(there.dir, "secret"), "");
    await symlink(there.dir, path.join(here.dir, "out"));
    await using server = await ServerProcess.start({ folders: [here.uri] });
    const own = `${here.uri}/Kubefile`;
    server.open(own, "FROM scratch\nCOPY out/\n");
    const list = await server.request<CompletionList>("textDocument/completion", {
      textDocument: { uri: own },
      position: { line: 1, character: 9 },
    });
    assert.ok(!list.items.some((item) => item.label === "secret"));
  });

  test("a document outside the workspace has no build context", async () => {
    await using here = await folder();
    await writeFile(path.join(here.dir, "a.yaml"), "");
    await using server = await ServerProcess.start({ folders: [] });
    const own = `${here.uri}/Kubefile`;
    server.open(own, "FROM scratch\nCOPY gone /x\n");
    const { items } = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", {
      textDocument: { uri: own },
    });
    assert.deepEqual(codes(items), []);
  });

  test("workspace symbols come from every Kubefile, with progress", async () => {
    await using here = await folder();
    await mkdir(path.join(here.dir, "deep/er"), { recursive: true });
    await mkdir(path.join(here.dir, "node_modules"));
    await writeFile(path.join(here.dir, "Kubefile"), "FROM a AS base\n");
    await writeFile(path.join(here.dir, "deep/er/Kubefile.prod"), "FROM a\nAPP shop-base local://x\n");
    await writeFile(path.join(here.dir, "node_modules/Kubefile"), "FROM a AS basement\n");
    await using server = await ServerProcess.start({ folders: [here.uri] });
    const symbols = await server.request<WorkspaceSymbol[]>("workspace/symbol", { query: "bas", workDoneToken: "t" });
    assert.deepEqual(symbols.map((symbol) => symbol.name).sort(), ["base", "shop-base"]);
    assert.deepEqual(server.progress, ["begin", "end"]);
  });

  test("folders that come and go", async () => {
    await using here = await folder();
    await writeFile(path.join(here.dir, "Kubefile"), "FROM a AS base\n");
    await using server = await ServerProcess.start();
    const search = async (): Promise<number> =>
      (await server.request<WorkspaceSymbol[]>("workspace/symbol", { query: "" })).length;
    assert.equal(await search(), 0);
    server.notify("workspace/didChangeWorkspaceFolders", {
      event: { added: [{ uri: here.uri, name: "x" }], removed: [] },
    });
    assert.equal(await search(), 1);
    server.notify("workspace/didChangeWorkspaceFolders", {
      event: { added: [], removed: [{ uri: here.uri, name: "x" }] },
    });
    assert.equal(await search(), 0);
  });
});

test("source.fixAll.kubefile applies safe fixes", async () => {
  await using server = await opened("from scratch AS base\ncopy a b\n");
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  const actions = await server.request<CodeAction[]>("textDocument/codeAction", {
    ...td,
    range,
    context: { diagnostics: [], only: ["source.fixAll"] },
  });
  assert.equal(actions.length, 1);
  assert.equal(actions[0]?.kind, "source.fixAll.kubefile");
  const edits = (actions[0]?.edit?.documentChanges?.[0] as { edits: TextEdit[] } | undefined)?.edits;
  assert.ok((edits?.length ?? 0) > 0);
});

describe("other files", () => {
  const yaml = { textDocument: { uri: "file:///w/Clusterfile" } };
  test("a Clusterfile is checked", async () => {
    await using server = await ServerProcess.start();
    server.open(yaml.textDocument.uri, "kind: Clutser\n", "yaml");
    const { items } = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", yaml);
    assert.deepEqual(
      items.map((item) => [item.code, item.range.start.character, item.range.end.character]),
      [["clusterfile-unknown-kind", 6, 13]],
    );
    assert.deepEqual(await server.request("textDocument/documentSymbol", yaml), []);
  });
  test("a Clusterfile is left to the YAML extension when the client says so, or the setting", async () => {
    for (const options of [
      { initializationOptions: { checkClusterfiles: false } },
      { configuration: () => ({ clusterfile: { check: false } }) },
    ]) {
      await using server = await ServerProcess.start(options);
      server.open(yaml.textDocument.uri, "kind: Clutser\n", "yaml");
      const { items } = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", yaml);
      assert.deepEqual(items, []);
    }
  });
  test("an edited Clusterfile is checked anew", async () => {
    await using server = await ServerProcess.start({ capabilities: pushing() });
    server.open(yaml.textDocument.uri, "kind: Clutser\n", "yaml");
    assert.equal((await server.diagnostics()).diagnostics.length, 1);
    server.change(yaml.textDocument.uri, 2, [
      {
        range: { start: { line: 0, character: 6 }, end: { line: 0, character: 13 } },
        text: "KubeletConfiguration\napiVersion: a/v1",
      },
    ]);
    assert.deepEqual((await server.diagnostics((params) => params.version === 2)).diagnostics, []);
  });
  test("lines of an ignore file that builders refuse", async () => {
    await using server = await ServerProcess.start();
    const ignore = { textDocument: { uri: "file:///w/.dockerignore" } };
    server.open(ignore.textDocument.uri, "node_modules\n[a\n!x\n", "ignore");
    const { items } = await server.request<{ items: Diagnostic[] }>("textDocument/diagnostic", ignore);
    assert.deepEqual(
      items.map((item) => [item.code, item.range.start.line]),
      [["ignore-pattern", 1]],
    );
  });
});
