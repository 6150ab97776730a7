import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";

/** What a web worker has and a thread of Node calls by other names. */
const scope = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
globalThis.addEventListener = () => {};
parentPort.on("message", (data) => globalThis.onmessage({ data }));
`;

/** Names of Node that a browser does not have; a bundle that needs one fails where it would in a browser. */
const withoutNode = "const process = undefined, Buffer = undefined, setImmediate = undefined;";

test("the server answers in a web worker, from the text alone", async () => {
  const { outputFiles } = await build({
    absWorkingDir: path.resolve(import.meta.dirname, "../.."),
    entryPoints: ["server/browser.ts"],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    logLevel: "error",
  });
  const code = outputFiles[0]?.text ?? "";
  assert.doesNotMatch(code, /require\("node:/u);
  const worker = new Worker(`${scope}\n(() => { ${withoutNode}\n${code} })();`, { eval: true });
  try {
    const answers = new Map<number, (message: { result?: unknown; error?: unknown }) => void>();
    worker.on("message", (message: { id?: number; result?: unknown }) => {
      if (message.id !== undefined) answers.get(message.id)?.(message);
    });
    let count = 0;
    const request = (method: string, params: object): Promise<{ result?: unknown; error?: unknown }> => {
      const id = ++count;
      const answer = new Promise<{ result?: unknown; error?: unknown }>((resolve, reject) => {
        answers.set(id, resolve);
        worker.once("error", reject);
      });
      worker.postMessage({ jsonrpc: "2.0", id, method, params });
      return answer;
    };
    const uri = "vscode-vfs://github/a/b/Kubefile";
    await request("initialize", {
      processId: null,
      rootUri: null,
      capabilities: { textDocument: { diagnostic: {} } },
      workspaceFolders: null,
    });
    worker.postMessage({ jsonrpc: "2.0", method: "initialized", params: {} });
    const textDocument = { uri, languageId: "kubefile", version: 1, text: "FROM scratch\nFRM x\nCOPY a b\n" };
    worker.postMessage({ jsonrpc: "2.0", method: "textDocument/didOpen", params: { textDocument } });
    const { result } = await request("textDocument/diagnostic", { textDocument: { uri } });
    assert.match(JSON.stringify(result), /KF001/u);
    assert.doesNotMatch(JSON.stringify(result), /KF082/u);
    const hover = await request("textDocument/hover", { textDocument: { uri }, position: { line: 0, character: 1 } });
    assert.match(JSON.stringify(hover.result), /Starts from an image/u);
  } finally {
    await worker.terminate();
  }
});
