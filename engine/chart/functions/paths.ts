/** Go's `path` functions and sprig's URL functions. */
import type { Value, ValueMap } from "../go/value.ts";
import { goKind } from "../go/value.ts";
import { GoError } from "../template/failure.ts";
import { type FunctionTable, fn } from "./define.ts";
import { joinUrl, parseUrl, UrlError } from "./url.ts";

/** `path.Clean`. */
export function cleanPath(path: string): string {
  if (path === "") return ".";
  const rooted = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !rooted) parts.push(part);
  }
  const joined = parts.join("/");
  return rooted ? `/${joined}` : joined === "" ? "." : joined;
}

/** `path.Base`. */
export function basePath(path: string): string {
  if (path === "") return ".";
  const bare = path.replace(/\/+$/, "");
  return bare === "" ? "/" : bare.slice(bare.lastIndexOf("/") + 1);
}

/** `path.Dir`. */
export function dirPath(path: string): string {
  return cleanPath(path.slice(0, path.lastIndexOf("/") + 1));
}

function extension(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot);
}

function text(map: ValueMap, key: string): string {
  if (!map.has(key)) return "";
  const value = map.get(key);
  if (typeof value === "string") return value;
  if (value === undefined || value === null)
    throw new GoError("runtime error: invalid memory address or nil pointer dereference");
  throw new GoError(`unable to parse ${key} key, must be of type string, but ${goKind(value)} found`);
}

function urlParts(url: string): Value {
  try {
    return new Map<string, Value>(Object.entries(parseUrl(url)));
  } catch (error) {
    throw error instanceof UrlError ? new GoError(`unable to parse url: ${error.message}`) : error;
  }
}

function joined(map: ValueMap): string {
  return joinUrl({
    scheme: text(map, "scheme"),
    host: text(map, "host"),
    path: text(map, "path"),
    query: text(map, "query"),
    opaque: text(map, "opaque"),
    fragment: text(map, "fragment"),
    userinfo: text(map, "userinfo"),
  });
}

const base = fn(["string"], ([path]) => basePath(path));
const clean = fn(["string"], ([path]) => cleanPath(path));
const dir = fn(["string"], ([path]) => dirPath(path));
const ext = fn(["string"], ([path]) => extension(path));
const isAbs = fn(["string"], ([path]) => path.startsWith("/"));

export const pathFunctions: FunctionTable = {
  base,
  clean,
  dir,
  ext,
  isAbs,
  osBase: base,
  osClean: clean,
  osDir: dir,
  osExt: ext,
  osIsAbs: isAbs,
  urlParse: fn(["string"], ([url]) => urlParts(url)),
  urlJoin: fn(["map"], ([map]) => joined(map)),
};
