/** `.Files`: the files of a chart, and only those. */
import { basePath } from "./functions/paths.ts";
import { goRegex } from "./functions/regex.ts";
import { globPattern } from "./glob.ts";
import { textOf } from "./go/bytes.ts";
import { GoFunction, Named, stringList, type Value, type ValueMap } from "./go/value.ts";
import { RegexSyntaxError } from "./regexp/syntax.ts";
import type { Meter } from "./template/meter.ts";
import { writeYaml } from "./yaml/write.ts";

/** The value of `.Files`, and of what `.Files.Glob` answers. */
export function filesValue(files: ReadonlyMap<string, Uint8Array>, meter: Meter): Value {
  const method = (call: (argument: string) => Value): GoFunction => {
    return new GoFunction(["string"], undefined, ([argument]) => call(String(argument)));
  };
  const noArgument = (call: () => Value): GoFunction => new GoFunction([], undefined, call);
  const yaml = (encode: (bytes: Uint8Array) => string): string => {
    const map: ValueMap = new Map();
    for (const [path, bytes] of files) map.set(basePath(path), encode(bytes));
    return writeYaml(map, (length) => meter.room(length)).replace(/\n$/, "");
  };
  return new Named({
    goType: "engine.files",
    kind: "map",
    underlying: new Map(files),
    methods: new Map([
      ["Get", method((path) => textOf(files.get(path) ?? new Uint8Array()))],
      ["GetBytes", method((path) => files.get(path) ?? new Uint8Array())],
      ["Glob", method((pattern) => filesValue(matching(files, pattern, meter), meter))],
      ["Lines", method((path) => linesOf(files.get(path)))],
      ["AsConfig", noArgument(() => yaml(textOf))],
      ["AsSecrets", noArgument(() => yaml((bytes) => Buffer.from(bytes).toString("base64")))],
    ]),
  });
}

function linesOf(bytes: Uint8Array | undefined): Value {
  if (bytes === undefined || bytes.length === 0) return stringList([]);
  return stringList(textOf(bytes).replace(/\n$/, "").split("\n"));
}

function matching(
  files: ReadonlyMap<string, Uint8Array>,
  pattern: string,
  meter: Meter,
): ReadonlyMap<string, Uint8Array> {
  let regex: ReturnType<typeof goRegex>;
  try {
    regex = goRegex(globPattern(pattern) ?? "(?s)^.*$");
  } catch (error) {
    if (error instanceof RegexSyntaxError) return new Map();
    throw error;
  }
  const spend = (steps: number): void => meter.spend(steps);
  return new Map([...files].filter(([path]) => regex.find(path, 0, spend) !== undefined));
}
