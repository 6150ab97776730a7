/** Installs a folder's npm packages when they differ from its lockfile. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const attempts = 3;

/**
 * Makes `node_modules` of a folder what its lockfile says; returns at once when it is.
 * @param {string} dir the folder with package.json and package-lock.json
 * @param {string} what what is installed, for the line that says so
 * @returns {Promise<boolean>} whether anything had to be installed
 */
export async function ensureDependencies(dir, what) {
  if (isInstalled(dir)) return false;
  console.log(`installing ${what} …`);
  const startedAt = Date.now();
  for (let attempt = 1; ; attempt++) {
    const status = npm(dir, ["ci", "--no-progress", "--loglevel=error"]);
    if (status === 0) break;
    if (attempt === attempts) throw new Error(`npm ci in ${dir} ended with ${status}; see npm's words above.`);
    console.log(`npm ci ended with ${status}; trying again in ${attempt * 5} s`);
    await new Promise((resolve) => setTimeout(resolve, attempt * 5000));
  }
  console.log(`installed ${what} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  return true;
}

/**
 * Whether every package of the lockfile is there in that version. npm leaves a record of what it installed in
 * `node_modules/.package-lock.json`, written last; packages for other platforms are optional and may be missing.
 */
function isInstalled(dir) {
  const wanted = readPackages(join(dir, "package-lock.json"));
  const found = readPackages(join(dir, "node_modules", ".package-lock.json"));
  if (wanted === undefined) throw new Error(`${dir} has no package-lock.json`);
  if (found === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "" || entry.link) return true;
    const installed = found[path];
    return installed === undefined ? entry.optional === true : installed.version === entry.version;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Runs the npm that started us, else the one on PATH. */
function npm(cwd, args) {
  const execPath = process.env.npm_execpath;
  const [program, first] = execPath?.endsWith(".js") ? [process.execPath, [execPath]] : ["npm", []];
  const shell = process.platform === "win32" && program === "npm";
  const result = spawnSync(program, [...first, ...args], { cwd, stdio: "inherit", shell });
  if (result.error) throw new Error(`npm could not be started: ${result.error.message}`);
  return result.status ?? 1;
}
