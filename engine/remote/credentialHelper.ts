/**
 * Credential helpers: programs named `docker-credential-NAME` that keep secrets in a keychain. A request goes in on
 * standard input and the answer comes back as JSON, so no secret is ever an argument.
 *
 * @see https://github.com/docker/docker-credential-helpers
 */
import { spawn } from "node:child_process";
import { EngineError } from "../errors.ts";
import type { Credential } from "./credentials.ts";

type Verb = "get" | "store" | "erase" | "list";

/** What helpers answer with status 1 when they simply have nothing; the wording is part of the protocol. */
const notFound = "credentials not found in native keychain";

const answerLimitBytes = 1024 * 1024;

/** The username by which a helper says that the secret is an identity token. */
const tokenUser = "<token>";

/** A helper by its name, as docker's configuration spells it (`pass`, `osxkeychain`, `ecr-login`). */
export interface CredentialHelper {
  readonly name: string;
  /** The environment the helper runs in: it needs PATH, HOME and its own variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Asks a helper for the secret of a server.
 *
 * @param server the key in docker's spelling, see `serverKeys`
 * @throws EngineError CREDENTIAL_HELPER_FAILED when the helper is missing or fails in any other way than having nothing
 */
export async function getFromHelper(
  helper: CredentialHelper,
  server: string,
  signal: AbortSignal,
): Promise<Credential | undefined> {
  const answer = await runHelper(helper, "get", server, signal);
  if (answer.status !== 0) {
    if (answer.output.trim() === notFound) return undefined;
    throw failed(helper, "get", `it ended with status ${answer.status}`);
  }
  const { Username: username, Secret: secret } = parseAnswer(helper, answer.output);
  if (secret === "") return undefined;
  return username === tokenUser
    ? { kind: "identityToken", token: secret }
    : { kind: "password", username, password: secret };
}

/** Gives a helper a secret to keep. Registry tokens have no place in this protocol and are refused by the caller. */
export async function storeInHelper(
  helper: CredentialHelper,
  server: string,
  credential: Exclude<Credential, { kind: "registryToken" }>,
  signal: AbortSignal,
): Promise<void> {
  const [username, secret] =
    credential.kind === "password" ? [credential.username, credential.password] : [tokenUser, credential.token];
  const request = JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
  const answer = await runHelper(helper, "store", request, signal);
  if (answer.status !== 0) throw failed(helper, "store", `it ended with status ${answer.status}`);
}

/** Makes a helper forget a server. Forgetting what it never knew is no failure. */
export async function eraseFromHelper(helper: CredentialHelper, server: string, signal: AbortSignal): Promise<void> {
  const answer = await runHelper(helper, "erase", server, signal);
  if (answer.status !== 0 && answer.output.trim() !== notFound) {
    throw failed(helper, "erase", `it ended with status ${answer.status}`);
  }
}

interface Answer {
  readonly status: number;
  readonly output: string;
}

/** What a helper prints on failure is not passed on: it could hold anything, a secret too. */
function failed(helper: CredentialHelper, verb: Verb, reason: string, cause?: unknown): EngineError {
  return new EngineError("CREDENTIAL_HELPER_FAILED", { helper: helper.name, verb, reason }, { cause });
}

function parseAnswer(helper: CredentialHelper, text: string): { Username: string; Secret: string } {
  try {
    const { Username, Secret } = JSON.parse(text) as { Username?: unknown; Secret?: unknown };
    if (typeof Username === "string" && typeof Secret === "string") return { Username, Secret };
  } catch {
    // Said below in our own words: a parser's message would quote the text, and the text is a secret.
  }
  throw failed(helper, "get", "its answer is not the JSON object the protocol asks for");
}

function runHelper(helper: CredentialHelper, verb: Verb, input: string, signal: AbortSignal): Promise<Answer> {
  if (!/^[A-Za-z0-9._-]+$/.test(helper.name)) {
    return Promise.reject(failed(helper, verb, "its name is not a plain file name"));
  }
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper.name}`, [verb], {
      env: { ...helper.environment },
      stdio: ["pipe", "pipe", "ignore"],
      signal,
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= answerLimitBytes) chunks.push(chunk);
      else child.kill();
    });
    child.once("error", (error) => reject(signal.aborted ? signal.reason : notStarted(helper, verb, error)));
    child.once("close", (status) => {
      if (length > answerLimitBytes) reject(failed(helper, verb, "its answer is longer than 1 MiB"));
      else resolve({ status: status ?? -1, output: Buffer.concat(chunks).toString("utf8") });
    });
    // A helper that does not read its input breaks the pipe; its status tells the rest.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

function notStarted(helper: CredentialHelper, verb: Verb, error: Error): EngineError {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const reason = missing ? `docker-credential-${helper.name} is not on PATH` : "it could not be started";
  return failed(helper, verb, reason, error);
}
