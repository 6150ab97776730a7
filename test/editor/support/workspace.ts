import { cpSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** A folder with a Kubefile and what it needs, and an empty store, both removed with the scope. */
export interface EditorWorkspace extends Disposable {
  readonly dir: string;
  readonly storeDir: string;
}

const fixtureDir = path.resolve(import.meta.dirname, "../../fixtures/editor-workspace");

/** Copies `test/fixtures/editor-workspace` to a place of its own, so that tests may edit it. */
export function createWorkspace(): EditorWorkspace {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "kubefile-editor-")));
  // The folder's name is what a first image is called.
  const dir = path.join(root, "shop");
  cpSync(fixtureDir, dir, { recursive: true });
  return {
    dir,
    storeDir: path.join(root, "store"),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}
