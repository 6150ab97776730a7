/** Where the helm program is, once `ensureOracle` ran. */
export const helmPath: string;

/** Whether this machine can run the oracle at all: the package holds programs for Linux on amd64 only. */
export const oracleRunsHere: boolean;

/** Makes helm runnable; returns at once when it is. Answers the path of the program. */
export function ensureOracle(): Promise<string>;
