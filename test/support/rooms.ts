/** The rooms of the house, who may import whom, and the walk that finds who does not keep to it. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

/** What one room may import. Rooms not named are forbidden; files of the same room are always allowed. */
interface RoomRule {
  /** Rooms, or single files of a room. */
  readonly may: readonly string[];
  /** Rooms it must not reach even through others. */
  readonly neverReach?: readonly string[];
  /** Node's modules and packages it must not import itself, as patterns of the whole name. */
  readonly neverPackages?: RegExp;
}

const files = /^node:(fs|fs\/promises|net|tls|http|https|http2|dgram|dns|child_process)$|^undici$/;
/** `node:net` may stay: `isIP` is what a chart's functions take from it. */
const network = /^node:(tls|http|https|http2|dgram|dns)$|^undici$/;
const vscode = /^vscode(-languageclient(\/.*)?)?$/;
const lsp = /^vscode(-language.*)?$/;

/** Files right in `engine/` that are neither composer nor face: what several of its rooms share, one idea each. */
const sharedFiles = "engine/*.ts";
const shared = ["engine/errors.ts", sharedFiles];

/** The rooms the composer puts together. */
const insideEngine = "archive build bundle cache chart cluster discover layer oci plan registry remote store tar"
  .split(" ")
  .map((room) => `engine/${room}`);

/** The table of docs/decisions/0002-rooms.md. */
const rules: Readonly<Record<string, RoomRule>> = {
  kubefile: { may: [], neverPackages: /.*/ },
  "engine/oci": { may: shared, neverPackages: files },
  "engine/tar": { may: shared, neverPackages: files },
  "engine/layer": { may: [...shared, "engine/oci", "engine/tar"], neverReach: ["engine/store", "engine/remote"] },
  "engine/store": {
    may: [...shared, "engine/oci"],
    neverReach: ["engine/build", "engine/remote", "engine/registry"],
  },
  "engine/plan": { may: [...shared, "kubefile", "engine/oci"], neverReach: ["engine/store", "engine/remote"] },
  "engine/cache": { may: [...shared, "engine/plan", "engine/oci", "engine/store"], neverReach: ["engine/build"] },
  "engine/build": {
    may: [
      ...shared,
      "kubefile",
      "engine/plan",
      "engine/cache",
      "engine/layer",
      "engine/tar",
      "engine/store",
      "engine/oci",
    ],
    neverReach: ["engine/remote", "engine/cluster"],
  },
  "engine/chart": { may: shared, neverPackages: network },
  "engine/discover": {
    may: [...shared, "engine/chart", "engine/oci"],
    neverReach: ["engine/store", "engine/build", "engine/remote"],
    neverPackages: network,
  },
  "engine/remote": { may: [...shared, "engine/oci", "engine/store"], neverReach: ["engine/build", "engine/cluster"] },
  "engine/archive": {
    may: [...shared, "engine/oci", "engine/store", "engine/tar"],
    neverReach: ["engine/build", "engine/cluster"],
  },
  "engine/registry": {
    may: [...shared, "engine/oci", "engine/store", "engine/remote"],
    neverReach: ["engine/build", "engine/cluster"],
  },
  "engine/bundle": {
    may: [
      ...shared,
      "engine/oci",
      "engine/tar",
      "engine/layer",
      "engine/store",
      "engine/chart",
      "engine/discover",
      "engine/remote",
      "engine/registry",
    ],
    neverReach: ["engine/build", "engine/cluster"],
  },
  "engine/cluster": {
    may: [...shared, "engine/oci", "engine/layer", "engine/store", "engine/registry"],
    neverReach: ["engine/build"],
  },
  [sharedFiles]: { may: ["engine/errors.ts"] },
  "engine/operations": {
    may: [...shared, "engine/protocol.ts", "kubefile", ...insideEngine],
    neverReach: ["engine/commands"],
  },
  "engine/commands": {
    may: [
      ...shared,
      "kubefile",
      "engine/engine.ts",
      "engine/protocol.ts",
      "engine/operations",
      "engine/oci",
      "engine/chart",
      "engine/discover",
    ],
  },
  "engine/errors.ts": { may: [], neverPackages: /.*/ },
  "engine/protocol.ts": { may: [] },
  "engine/engine.ts": { may: [...shared, "engine", "kubefile"] },
  "engine/host.ts": { may: [...shared, "engine/engine.ts", "engine/protocol.ts", "engine/operations"] },
  "engine/cli.ts": {
    may: [...shared, "engine/engine.ts", "engine/protocol.ts", "engine/operations", "engine/commands"],
  },
  server: { may: ["kubefile"], neverReach: ["engine"], neverPackages: vscode },
  client: { may: ["engine/protocol.ts"], neverReach: ["kubefile", "server"] },
};

/** Rooms whose imports of packages are the same for all their folders. */
const packagesOfWholeRooms: readonly { readonly room: string; readonly never: RegExp }[] = [
  { room: "engine", never: lsp },
];

export interface Import {
  readonly from: string;
  /** A file relative to the root, or a package's name. */
  readonly to: string;
  readonly isFile: boolean;
}

/** Every file of the rooms below `rootDir`, as sorted paths relative to it. */
export function roomFiles(rootDir: string): string[] {
  const names = globSync("{kubefile,server,engine,client}/**/*.{ts,mts,mjs,js}", { cwd: rootDir });
  return names.map((name) => name.split(path.sep).join("/")).sort();
}

/** The imports of one file: static, dynamic, re-exports and types alike. */
export function importsOf(rootDir: string, file: string): Import[] {
  const text = withoutComments(readFileSync(path.join(rootDir, file), "utf8"));
  const specifiers = [
    ...text.matchAll(/^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']/gm),
    ...text.matchAll(/^\s*import\s*["']([^"']+)["']/gm),
    ...text.matchAll(/\bimport\s*\(\s*["']([^"']+)["']/g),
    ...text.matchAll(/\brequire\s*\(\s*["']([^"']+)["']/g),
  ].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => {
    const isFile = specifier.startsWith(".");
    const to = isFile ? path.posix.join(path.posix.dirname(file), specifier) : specifier;
    return { from: file, to, isFile };
  });
}

/** Blanks comments, so that an example in a doc comment is not taken for an import. Strings with `//` in them survive. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** The room a file stands in: the file's own row, else its folder's; other files right in `engine/` are the shared ones. */
export function roomOf(file: string): string | undefined {
  if (file in rules) return file;
  if (/^engine\/[^/]+\.ts$/.test(file)) return sharedFiles;
  return Object.keys(rules).find((room) => file.startsWith(`${room}/`));
}

/** What the walk found: one sentence per broken rule, each with the chain of files from an entry to the offence. */
export function brokenRules(rootDir: string): string[] {
  const files = roomFiles(rootDir);
  const graph = new Map(files.map((file) => [file, importsOf(rootDir, file)]));
  return files.flatMap((file) => {
    const room = roomOf(file);
    const rule = room === undefined ? undefined : rules[room];
    if (room === undefined || rule === undefined) return [`${file} stands in no room`];
    return [
      ...(graph.get(file) ?? []).flatMap((edge) => directOffence(graph, room, rule, edge)),
      ...reachedOffences(graph, file, room, rule),
    ];
  });
}

type Graph = ReadonlyMap<string, readonly Import[]>;

function directOffence(graph: Graph, room: string, rule: RoomRule, edge: Import): string[] {
  if (!edge.isFile) {
    const never = [
      rule.neverPackages,
      ...packagesOfWholeRooms.filter((whole) => isIn(room, whole.room)).map((w) => w.never),
    ];
    return never.some((pattern) => pattern?.test(edge.to))
      ? [`${room} must not import ${edge.to}: ${chainTo(graph, edge.from).join(" → ")} → ${edge.to}`]
      : [];
  }
  const allowed = isIn(edge.to, room) || rule.may.some((may) => isIn(edge.to, may));
  if (allowed && (graph.has(edge.to) || !/\.(ts|js)$/.test(edge.to))) return [];
  if (allowed) return [`${edge.from} imports ${edge.to}, which does not exist`];
  const target = roomOf(edge.to) ?? edge.to;
  return [`${room} may not import ${target}: ${chainTo(graph, edge.from).join(" → ")} → ${edge.to}`];
}

/** Forbidden rooms reached through allowed ones; told where the last allowed file steps over. */
function reachedOffences(graph: Graph, file: string, room: string, rule: RoomRule): string[] {
  const offences: string[] = [];
  const cameFrom = new Map<string, string | undefined>([[file, undefined]]);
  for (const current of cameFrom.keys()) {
    for (const edge of graph.get(current) ?? []) {
      if (!edge.isFile || cameFrom.has(edge.to)) continue;
      cameFrom.set(edge.to, current);
      const forbidden = rule.neverReach?.find((never) => isIn(edge.to, never) && edge.to !== "engine/protocol.ts");
      // A direct step is already told by the table.
      if (forbidden !== undefined && current !== file) {
        offences.push(`${room} must not reach ${forbidden}: ${walkBack(cameFrom, edge.to).join(" → ")}`);
      }
    }
  }
  return offences;
}

/** The shortest chain from a file nobody imports (an entry point) to this one. */
function chainTo(graph: Graph, file: string): string[] {
  const importedBy = new Map<string, string>();
  const queue = [file];
  for (const current of queue) {
    const importers = [...graph].filter(([, edges]) => edges.some((edge) => edge.isFile && edge.to === current));
    if (importers.length === 0) return walkForward(importedBy, current, file);
    for (const [importer] of importers) {
      if (importer === file || importedBy.has(importer)) continue;
      importedBy.set(importer, current);
      queue.push(importer);
    }
  }
  return [file];
}

function walkForward(next: ReadonlyMap<string, string>, from: string, to: string): string[] {
  const chain = [from];
  for (let at = from; at !== to; ) {
    const following = next.get(at);
    if (following === undefined) break;
    chain.push(following);
    at = following;
  }
  return chain;
}

function walkBack(cameFrom: ReadonlyMap<string, string | undefined>, to: string): string[] {
  const chain: string[] = [];
  for (let at: string | undefined = to; at !== undefined; at = cameFrom.get(at)) chain.unshift(at);
  return chain;
}

function isIn(file: string, room: string): boolean {
  return file === room || file.startsWith(`${room}/`) || (room === sharedFiles && roomOf(file) === sharedFiles);
}
