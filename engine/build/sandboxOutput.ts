import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Longest line handed over in one piece; UTF-16 units. */
const maximumLine = 64 * 1024;

/** Cuts a stream of text into lines without their line feeds; resolves when it has ended. Lines above 64 KiB come in pieces. */
export function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) emit(line, onLine);
    while (rest.length > maximumLine) {
      onLine(rest.slice(0, maximumLine));
      rest = rest.slice(maximumLine);
    }
  };
  return new Promise((resolve, reject) => {
    stream.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
    stream.on("error", reject);
    stream.on("end", () => {
      take(decoder.end());
      if (rest !== "") onLine(rest);
      resolve();
    });
  });
}

function emit(line: string, onLine: (line: string) => void): void {
  for (let at = 0; at === 0 || at < line.length; at += maximumLine) onLine(line.slice(at, at + maximumLine));
}
