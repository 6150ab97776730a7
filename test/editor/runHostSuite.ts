/** Runs `test/editor/host` inside the extension host of VS Code's server, with Chromium as the window. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { startVscodeServer } from "../../scripts/editor/vscodeServer.ts";
import { workbenchUrl } from "../../scripts/editor/workbenchUrl.ts";
import { launchChromium } from "./support/chromium.ts";
import { bundleHostSuite, hostSuiteFile } from "./support/hostBundle.ts";
import { createWorkspace } from "./support/workspace.ts";

const rootDir = path.resolve(import.meta.dirname, "../..");
/** Nothing was heard from the host for this long: it hangs. */
const silenceMs = 240_000;

process.exitCode = await runSuite();

async function runSuite(): Promise<number> {
  await bundleHostSuite();
  using workspace = createWorkspace();
  const outputDir = mkdtempSync(path.join(tmpdir(), "kubefile-host-"));
  const outputFile = path.join(outputDir, "mocha.txt");
  await using server = await startVscodeServer({
    args: ["--enable-smoke-test-driver"],
    env: {
      KUBEFILE_HOST_OUTPUT: outputFile,
      KUBEFILE_STORE: workspace.storeDir,
      KUBEFILE_TEST_SUMMARY: process.env["KUBEFILE_TEST_SUMMARY"] ?? path.join(outputDir, "summary.json"),
    },
  });
  const browser = await launchChromium();
  using output = followFile(outputFile);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const errors: string[] = [];
    const exit = new Promise<number>((resolve, reject) => {
      page.on("crash", () => reject(new Error("the page crashed")));
      page
        .exposeFunction("codeAutomationExit", (code: number) => resolve(code))
        .then(() =>
          page.exposeFunction("codeAutomationLog", (type: string, args: readonly unknown[]) => {
            if (type === "error") errors.push(args.join(" "));
          }),
        )
        .then(() =>
          page.goto(
            workbenchUrl(server.port, {
              folder: workspace.dir,
              development: { extensionDir: rootDir, suite: hostSuiteFile },
            }),
          ),
        )
        .catch(reject);
      output.onSilence(silenceMs, () => reject(new Error(`nothing was heard for ${silenceMs / 1000} s`)));
    });
    const code = await exit;
    if (code !== 0 && output.isEmpty())
      console.error(`no test ran; the workbench said:\n${errors.slice(-5).join("\n")}`);
    return code;
  } catch (error) {
    console.error(`the host suite did not end: ${error instanceof Error ? error.message : error}`);
    console.error(readFileSync(server.logFile, "utf8").slice(-3000));
    return 1;
  } finally {
    await browser.close();
    output.flush();
    rmSync(outputDir, { recursive: true, force: true });
  }
}

/** Prints what is appended to a file, as it comes. */
function followFile(
  file: string,
): Disposable & { flush(): void; isEmpty(): boolean; onSilence(ms: number, act: () => void): void } {
  let shown = 0;
  let heardAt = Date.now();
  let silence: { readonly ms: number; readonly act: () => void } | undefined;
  const flush = (): void => {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    if (text.length > shown) {
      process.stdout.write(text.slice(shown));
      shown = text.length;
      heardAt = Date.now();
    }
    if (silence && Date.now() - heardAt > silence.ms) silence.act();
  };
  const timer = setInterval(flush, 200);
  return {
    flush,
    isEmpty: () => shown === 0,
    onSilence: (ms, act) => {
      silence = { ms, act };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
