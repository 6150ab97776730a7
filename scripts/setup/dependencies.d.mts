/** Installs a folder's npm packages when they differ from its lockfile; answers whether anything had to be installed. */
export function ensureDependencies(dir: string, what: string): Promise<boolean>;
