/** What the page is to open. */
export interface WorkbenchTarget {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Absolute path of a file to open in it. */
  readonly file?: string;
  readonly token?: string;
  /** An extension under development and the suite to run in its host; needs the server's smoke test switch. */
  readonly development?: { readonly extensionDir: string; readonly suite: string };
}

/** The address of VS Code's workbench on a loopback server. */
export function workbenchUrl(port: number, target: WorkbenchTarget): string {
  const remote = (path: string): string => `vscode-remote://127.0.0.1:${port}${path}`;
  const payload: string[][] = [["skipWelcome", "true"]];
  if (target.file) payload.push(["openFile", remote(target.file)]);
  if (target.development) {
    payload.push(["extensionDevelopmentPath", remote(target.development.extensionDir)]);
    payload.push(["extensionTestsPath", remote(target.development.suite)]);
  }
  const query = new URLSearchParams({ folder: target.folder, payload: JSON.stringify(payload) });
  if (target.token) query.set("tkn", target.token);
  return `http://127.0.0.1:${port}/?${query}`;
}
