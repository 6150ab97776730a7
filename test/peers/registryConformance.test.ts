import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { startRegistry } from "../support/registryServer.ts";
import { skipWithoutProgram } from "../support/requirement.ts";

const root = path.resolve(import.meta.dirname, "../..");
const resultsDir = path.join(root, "test-results/conformance");
const binary = path.join(root, ".tools/conformance/conformance");

/** Everything that the suite leaves off unless asked. */
const switches = [
  "OCI_API_BLOBS_UPLOAD_CANCEL",
  "OCI_API_BLOBS_DIGEST_HEADER",
  "OCI_API_MANIFESTS_DIGEST_HEADER",
  "OCI_API_MANIFESTS_TAG_PARAM",
  "OCI_DATA_SPARSE",
];

test("the registry passes the specification's own conformance suite, development features and every optional switch included", {
  skip: skipWithoutProgram("go", "golang-go"),
  timeout: 300_000,
}, async () => {
  buildSuite();
  mkdirSync(resultsDir, { recursive: true });
  await using registry = await startRegistry({ allowSparse: true });
  const { code, output } = await runSuite(new URL(registry.url).host);
  assert.equal(
    code,
    0,
    output
      .split("\n")
      .filter((line) => /FAIL|Error|- /.test(line))
      .slice(0, 60)
      .join("\n"),
  );
  const passed = /Pass\.+:\s+(\d+)/.exec(output)?.[1];
  assert.ok(Number(passed) > 1000, `only ${passed} checks passed: did the suite run?`);
  assert.deepEqual(registry.errors, []);
});

/** Builds the suite once; it is a Go program and its version is pinned in tools/conformance. */
function buildSuite(): void {
  if (existsSync(binary)) return;
  mkdirSync(path.dirname(binary), { recursive: true });
  const built = spawnSync("go", ["build", "-o", binary, "github.com/opencontainers/distribution-spec/conformance"], {
    cwd: path.join(root, "tools/conformance"),
    encoding: "utf8",
  });
  assert.equal(built.status, 0, built.stderr);
}

function runSuite(host: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(binary, {
    cwd: resultsDir,
    env: {
      ...process.env,
      OCI_REGISTRY: host,
      OCI_TLS: "disabled",
      OCI_REPO1: "conformance/one",
      OCI_REPO2: "conformance/two",
      OCI_VERSION: "dev",
      ...Object.fromEntries(switches.map((name) => [name, "true"])),
    },
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    output += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
