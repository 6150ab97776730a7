import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { bcryptMatches, isBcryptHash } from "../bcrypt.ts";
import { EngineError } from "../errors.ts";
import { type Answer, refuse } from "./answer.ts";
import { Lru } from "./lru.ts";

/** Who may use a registry. Absent members mean: nobody by that way. */
export interface AccessRules {
  /** User → bcrypt hash, from an htpasswd file. */
  readonly users?: ReadonlyMap<string, string>;
  /** Tokens that nodes send as `Authorization: Bearer …`, each allowing what users may. */
  readonly tokens?: readonly string[];
  /** Whether pulling needs no login. */
  readonly anonymousPull: boolean;
}

/** Decides about requests. */
export interface Access {
  /** `undefined` when the request may go on; else the answer that refuses it. */
  check(method: string, authorization: string | undefined): Promise<Answer | undefined>;
}

const challenge = { "WWW-Authenticate": 'Basic realm="kubefile"' };
/** bcrypt is slow on purpose: whoever asks more often at a time has to wait. */
const mostWaiting = 32;
const stepsPerTurn = 4;

/**
 * Access by password and by token. A password that was right once is known by a keyed hash from then on, so that bcrypt runs once per user
 * and not once per request; wrong ones are tried one after the other.
 */
export function openAccess(rules: AccessRules): Access {
  const key = randomBytes(32);
  const known = new Lru<string, true>(4096);
  let line: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const keyed = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const tokens = (rules.tokens ?? []).map(keyed);

  const inTurn = async (act: () => Promise<boolean>): Promise<boolean> => {
    waiting += 1;
    const turn = line.then(act);
    line = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      waiting -= 1;
    }
  };

  const isUser = async (credentials: string): Promise<boolean | "busy"> => {
    const print = keyed(credentials).toString("base64");
    if (known.get(print) === true) return true;
    if (waiting >= mostWaiting) return "busy";
    const { user, password } = splitCredentials(credentials);
    // An unknown user costs what a known one does, or its absence could be timed.
    const hash = rules.users?.get(user) ?? rules.users?.values().next().value;
    const matches = await inTurn(() => verified(Buffer.from(password), hash ?? ""));
    const right = matches && rules.users?.has(user) === true;
    if (right) known.set(print, true);
    return right;
  };

  const withPassword = async (value: string): Promise<Answer | undefined> => {
    const allowed = await isUser(Buffer.from(value, "base64").toString("utf8"));
    if (allowed === "busy")
      return refuse("TOOMANYREQUESTS", "Too many logins at once.", { headers: { "Retry-After": "2" } });
    return allowed ? undefined : unauthorized();
  };
  const withToken = (value: string): Answer | undefined => {
    const sent = keyed(value);
    return tokens.some((token) => timingSafeEqual(token, sent)) ? undefined : unauthorized();
  };

  return {
    async check(method, authorization) {
      const pulls = method === "GET" || method === "HEAD";
      if (authorization === undefined) return rules.anonymousPull && pulls ? undefined : unauthorized();
      const [scheme = "", value = ""] = authorization.split(" ", 2);
      if (scheme.toLowerCase() === "bearer") return withToken(value);
      return scheme.toLowerCase() === "basic" ? withPassword(value) : unauthorized();
    },
  };
}

function unauthorized(): Answer {
  return refuse("UNAUTHORIZED", "This registry asks for a login.", { headers: challenge });
}

function splitCredentials(text: string): { readonly user: string; readonly password: string } {
  const colon = text.indexOf(":");
  return { user: text.slice(0, Math.max(0, colon)), password: text.slice(colon + 1) };
}

async function verified(password: Uint8Array, hash: string): Promise<boolean> {
  const steps = bcryptMatches(password, hash);
  for (let count = 1; ; count += 1) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (count % stepsPerTurn === 0) await nextTurn();
  }
}

/**
 * Reads an htpasswd file, as `htpasswd -B` writes it.
 *
 * Throws `REGISTRY_USERS_INVALID` for anything but bcrypt, without showing a hash.
 */
export function parseHtpasswd(text: string, file: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const hash = line.slice(colon + 1).trim();
    if (colon <= 0 || !isBcryptHash(hash)) {
      const problem = `line ${index + 1} is not a user with a bcrypt hash of cost 4 to 16`;
      throw new EngineError("REGISTRY_USERS_INVALID", { file, problem });
    }
    users.set(line.slice(0, colon), hash);
  }
  if (users.size === 0) throw new EngineError("REGISTRY_USERS_INVALID", { file, problem: "it names no user" });
  return users;
}

/** Whether only this machine can reach an address to listen on. */
export function isLoopbackAddress(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * Refuses to serve other machines in the clear or to strangers.
 *
 * Throws `REGISTRY_UNGUARDED`, which says all that is missing.
 */
export function requireGuards(
  address: { readonly host: string; readonly port: number },
  guards: {
    readonly tls: boolean;
    readonly login: boolean;
    readonly readOnly: boolean;
    readonly anonymousPull: boolean;
  },
): void {
  if (isLoopbackAddress(address.host)) return;
  const missing: string[] = [];
  if (!guards.tls) missing.push("TLS is missing (--tls-cert and --tls-key)");
  const open = guards.anonymousPull && guards.readOnly;
  if (!guards.login && !open)
    missing.push("a login is missing (--htpasswd or --token-file; or --read-only with --anonymous-pull)");
  if (missing.length === 0) return;
  throw new EngineError("REGISTRY_UNGUARDED", {
    address: `${address.host}:${address.port}`,
    missing: missing.join(", and "),
  });
}
