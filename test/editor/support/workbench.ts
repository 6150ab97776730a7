import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { startVscodeServer, type VscodeServer } from "../../../scripts/editor/vscodeServer.ts";
import { workbenchUrl } from "../../../scripts/editor/workbenchUrl.ts";
import { launchChromium } from "./chromium.ts";
import { showsAfterLine } from "./endOfLine.ts";
import { createWorkspace, type EditorWorkspace } from "./workspace.ts";

const rootDir = path.resolve(import.meta.dirname, "../../..");
const resultsDir = path.join(rootDir, "test-results");

/** Two slow cores and a cold browser: what takes a second at a desk may take half a minute. */
const patienceMs = 60_000;
const attempts = 4;
const attemptMs = 15_000;

/** VS Code's workbench in a page, on a workspace of its own, driven as a person would. */
export interface Workbench extends AsyncDisposable {
  readonly page: Page;
  readonly workspace: EditorWorkspace;
  /** Opens a file by name through Quick Open. */
  open(file: string): Promise<void>;
  /** Chooses a command in the palette by its full title. */
  command(title: string): Promise<void>;
  /** Answers an input box or quick pick that is open. */
  answer(text: string): Promise<void>;
  /** Shows the extension's views. */
  showViews(): Promise<void>;
  /** A row of any tree by its text. */
  row(text: string | RegExp): Locator;
  /** A line of the open editor. */
  line(text: string | RegExp): Locator;
  /** Waits until the muted text after the line that starts with `start` holds `wanted`. */
  endOfLine(start: string, wanted: string): Promise<void>;
  /** Replaces the settings of the workspace; the window follows. */
  settings(settings: Readonly<Record<string, unknown>>): void;
  /** Keeps a picture in `test-results/`. */
  picture(name: string): Promise<void>;
}

/** A dark window without what only clutters pictures. */
const plainSettings: Readonly<Record<string, unknown>> = {
  "workbench.colorTheme": "Dark Modern",
  "editor.minimap.enabled": false,
  "breadcrumbs.enabled": false,
};

/** What may differ from a plain window. */
export interface WorkbenchOptions {
  readonly theme?: "Dark Modern" | "Light Modern" | "Default High Contrast" | "Default High Contrast Light";
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A packed extension instead of the checkout. */
  readonly vsix?: string;
  /** A file of the workspace to open at the start. */
  readonly file?: string;
  readonly workspaceTrust?: boolean;
}

/** Starts server, browser and page, and waits until the workbench stands. */
export async function openWorkbench(options: WorkbenchOptions = {}): Promise<Workbench> {
  await using stack = new AsyncDisposableStack();
  const workspace = stack.use(createWorkspace());
  const server: VscodeServer = stack.use(
    await startVscodeServer({
      env: { KUBEFILE_STORE: workspace.storeDir },
      settings: {
        ...plainSettings,
        ...options.settings,
      },
      ...(options.vsix ? { vsix: options.vsix } : { linkedExtension: rootDir }),
      ...(options.workspaceTrust ? { workspaceTrust: true } : {}),
    }),
  );
  const browser: Browser = await launchChromium();
  stack.defer(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(patienceMs);
  const file = options.file ? path.join(workspace.dir, options.file) : undefined;
  await page.goto(workbenchUrl(server.port, { folder: workspace.dir, ...(file ? { file } : {}) }));
  await page.locator(".monaco-workbench").waitFor();
  if (options.file) await page.locator(".tab", { hasText: path.basename(options.file) }).waitFor();
  const owned = stack.move();
  const settings = (changed: Readonly<Record<string, unknown>>): void => {
    mkdirSync(path.join(workspace.dir, ".vscode"), { recursive: true });
    writeFileSync(path.join(workspace.dir, ".vscode", "settings.json"), JSON.stringify(changed));
  };
  return { ...gestures(page), settings, page, workspace, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Gestures = Omit<Workbench, "page" | "workspace" | "settings" | keyof AsyncDisposable>;

function gestures(page: Page): Gestures {
  const input = page.locator(".quick-input-widget:visible input");
  /** Opens a picker, types, and takes the wanted row once it is the focused one. */
  const choose = async (key: string, text: string, choice: string): Promise<void> => {
    const wanted = page.locator(".quick-input-list .monaco-list-row.focused", { hasText: choice });
    // A view that takes the focus at that moment closes the picker: then it is opened again.
    for (let attempt = 1; ; attempt++) {
      try {
        await page.keyboard.press(key);
        await input.fill(text, { timeout: attemptMs });
        await wanted.waitFor({ timeout: attemptMs });
        break;
      } catch (error) {
        if (attempt === attempts) throw error;
        await page.keyboard.press("Escape");
      }
    }
    await page.keyboard.press("Enter");
  };
  return {
    async open(file) {
      await choose("Control+P", file, path.basename(file));
      await page.locator(".tab.active", { hasText: path.basename(file) }).waitFor();
    },
    async command(title) {
      await choose("F1", `>${title}`, title);
    },
    async answer(text) {
      await input.waitFor();
      await input.fill(text);
      await page.keyboard.press("Enter");
    },
    async showViews() {
      await page.locator('.activitybar .action-label[aria-label="Kubefile"]').click();
      await page.locator(".pane-header", { hasText: "Cluster Images" }).waitFor();
    },
    row: (text) => page.locator(".pane-body .monaco-list-row", { hasText: text }),
    line: (text) => page.locator(".monaco-editor .view-line", { hasText: text }),
    async endOfLine(start, wanted) {
      await page.waitForFunction(showsAfterLine, [start, wanted] as const);
    },
    async picture(name) {
      mkdirSync(resultsDir, { recursive: true });
      await page.screenshot({ path: path.join(resultsDir, `${name}.png`), animations: "disabled" });
    },
  };
}

/** Runs a story in a workbench of its own; a story that breaks leaves a picture of where it stood. */
export async function inWorkbench(
  name: string,
  options: WorkbenchOptions,
  story: (workbench: Workbench) => Promise<void>,
): Promise<void> {
  await using workbench = await openWorkbench(options);
  try {
    await story(workbench);
  } catch (error) {
    await workbench.picture(`${name}-failed`).catch(() => {});
    throw error;
  }
}
