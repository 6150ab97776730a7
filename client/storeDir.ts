import path from "node:path";

/** The store the command line uses too: KUBEFILE_STORE, else `kubefile` where a person's data lies. */
export function defaultStoreDir(env: NodeJS.ProcessEnv, home: string): string {
  if (env["KUBEFILE_STORE"]) return path.resolve(env["KUBEFILE_STORE"]);
  const data = env["XDG_DATA_HOME"];
  return path.join(data !== undefined && path.isAbsolute(data) ? data : path.join(home, ".local", "share"), "kubefile");
}
