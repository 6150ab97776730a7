import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const rootDir = path.resolve(import.meta.dirname, "..");

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly resolved?: string; readonly optionalDependencies?: object }>
  >;
}

for (const dir of [".", "tools/node", "tools/vscode"]) {
  test(`the lockfile of ${dir} is complete: npm ci refuses one that lacks another platform's optional package`, () => {
    const { packages } = read(dir);
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        (name) => !(`node_modules/${name}` in packages || `${place}/node_modules/${name}` in packages),
      ),
    );
    assert.deepEqual(missing, []);
  });

  test(`the lockfile of ${dir} names no registry, so that a mirror serves as well`, () => {
    const named = Object.values(read(dir).packages).filter(({ resolved }) => resolved?.includes("://"));
    assert.deepEqual(named, []);
  });
}

function read(dir: string): Lockfile {
  return JSON.parse(readFileSync(path.join(rootDir, dir, "package-lock.json"), "utf8"));
}
