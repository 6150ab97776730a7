/** Reading a password: from a terminal without showing it, or from whatever standard input is. */

const longestBytes = 64 * 1024;

/**
 * Reads one line of standard input.
 *
 * @param prompt shown on standard error before asking at a terminal; undefined reads without a word
 * @returns undefined when there is a prompt and no terminal to ask at
 */
export async function readSecret(prompt: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  const { stdin } = process;
  if (prompt === undefined) return firstLine(await readAll(signal));
  if (!stdin.isTTY) return undefined;
  process.stderr.write(prompt);
  stdin.setRawMode(true);
  try {
    return await readTyped(signal);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    process.stderr.write("\n");
  }
}

async function readAll(signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of process.stdin.iterator({ destroyOnReturn: false })) {
    signal.throwIfAborted();
    parts.push(part as Buffer);
    length += (part as Buffer).length;
    if (length > longestBytes) break;
  }
  return Buffer.concat(parts).toString("utf8");
}

function firstLine(text: string): string {
  return /^[^\r\n]*/.exec(text)?.[0] ?? "";
}

/** Keys as they come: Enter ends, Backspace takes back, Ctrl-C gives up. */
async function readTyped(signal: AbortSignal): Promise<string | undefined> {
  let typed = "";
  for await (const part of process.stdin.iterator({ destroyOnReturn: false })) {
    signal.throwIfAborted();
    for (const key of (part as Buffer).toString("utf8")) {
      if (key === "\r" || key === "\n") return typed;
      if (key === "\u0003" || key === "\u0004") return undefined;
      typed = key === "\u007f" || key === "\b" ? typed.slice(0, -1) : typed + key;
    }
  }
  return typed;
}
