/** `time.Parse`: text read by a reference layout. */
import { billion, daysFromCivil, type Instant, layoutPart, months, weekdays } from "./calendar.ts";
import { fixedZone, utc, type Zone } from "./zones.ts";

/** What a failed `time.Parse` says. */
export class TimeParseError extends Error {}

interface Reading {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: bigint;
  pm: boolean | undefined;
  offset: number | undefined;
  zoneName: string | undefined;
}

/** `time.ParseInLocation(layout, text, zone)`. @throws TimeParseError with Go's words */
export function parseTime(layout: string, text: string, zone: Zone): Instant {
  const reading: Reading = {
    year: 0,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0n,
    pm: undefined,
    offset: undefined,
    zoneName: undefined,
  };
  const fail = (part: string, rest: string, extra = ""): never => {
    const reason = extra === "" ? `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}` : extra;
    throw new TimeParseError(
      `parsing time ${JSON.stringify(text)}${extra === "" ? ` as ${JSON.stringify(layout)}` : ""}: ${reason}`,
    );
  };
  let rest = text;
  let from = 0;
  const parts = [...layout.matchAll(layoutPart)];
  for (const [i, found] of parts.entries()) {
    rest = skipLiteral(layout.slice(from, found.index), rest, fail);
    from = found.index + found[0].length;
    const fractionFollows = /^[.,][09]/.test(parts[i + 1]?.[0] ?? "");
    rest = readPart(found[0], rest, reading, fractionFollows, fail);
  }
  rest = skipLiteral(layout.slice(from), rest, fail);
  if (rest !== "") fail("", rest, `extra text: ${JSON.stringify(rest)}`);
  if (reading.pm === true && reading.hour < 12) reading.hour += 12;
  if (reading.pm === false && reading.hour === 12) reading.hour = 0;
  const lastDay = new Date(Date.UTC(2000 + (reading.year % 400), reading.month, 0)).getUTCDate();
  if (reading.day < 1 || reading.day > lastDay) fail("", "", "day out of range");
  return assemble(reading, zone);
}

function skipLiteral(literal: string, text: string, fail: (part: string, rest: string) => never): string {
  let rest = text;
  for (const char of literal) {
    if (char === " ") {
      if (rest !== "" && !rest.startsWith(" ")) fail(literal, rest);
      rest = rest.replace(/^ +/, "");
    } else if (rest.startsWith(char)) rest = rest.slice(1);
    else fail(literal, rest);
  }
  return rest;
}

const partPatterns: Readonly<Record<string, RegExp>> = {
  "2006": /^\d{4}/,
  "06": /^\d{2}/,
  "01": /^\d{2}/,
  "1": /^\d{1,2}/,
  "02": /^\d{2}/,
  _2: /^ ?\d{1,2}/,
  "2": /^\d{1,2}/,
  "15": /^\d{1,2}/,
  "03": /^\d{2}/,
  "3": /^\d{1,2}/,
  "04": /^\d{2}/,
  "4": /^\d{1,2}/,
  "05": /^\d{2}/,
  "5": /^\d{1,2}/,
  PM: /^[AP]M/,
  pm: /^[ap]m/,
  MST: /^(?:[A-Z]{3,5}|[+-]\d{2})/,
};

function readPart(
  part: string,
  text: string,
  reading: Reading,
  fractionFollows: boolean,
  fail: (part: string, rest: string, extra?: string) => never,
): string {
  const isName = /^(?:January|Jan|Monday|Mon)$/.test(part);
  const pattern = isName ? namePattern(part) : (partPatterns[part] ?? unusualPattern(part));
  const found = pattern.exec(text)?.[0];
  if (found === undefined) return fail(part, text);
  let rest = text.slice(found.length);
  const number = Number(found.trim());
  const within = (value: number, low: number, high: number, what: string): number => {
    return value < low || value > high ? fail(part, text, `${what} out of range`) : value;
  };
  switch (part) {
    case "2006":
      reading.year = number;
      break;
    case "06":
      reading.year = number + (number >= 69 ? 1900 : 2000);
      break;
    case "01":
    case "1":
      reading.month = within(number, 1, 12, "month");
      break;
    case "January":
    case "Jan":
      reading.month = months.findIndex((month) => month.toLowerCase().startsWith(found.toLowerCase())) + 1;
      break;
    case "02":
    case "_2":
    case "2":
      reading.day = number;
      break;
    case "15":
      reading.hour = within(number, 0, 23, "hour");
      break;
    case "03":
    case "3":
      reading.hour = within(number, 0, 12, "hour");
      break;
    case "04":
    case "4":
      reading.minute = within(number, 0, 59, "minute");
      break;
    case "05":
    case "5": {
      reading.second = within(number, 0, 59, "second");
      // A fraction is accepted after seconds even when the layout has none.
      const fraction = fractionFollows ? undefined : /^[.,]\d+/.exec(rest)?.[0];
      if (fraction !== undefined) {
        reading.nanosecond = nanosecondsOf(fraction);
        rest = rest.slice(fraction.length);
      }
      break;
    }
    case "PM":
    case "pm":
      reading.pm = found.toLowerCase() === "pm";
      break;
    case "MST":
      reading.zoneName = found;
      break;
    default:
      if (/^[.,]/.test(part)) reading.nanosecond = nanosecondsOf(found);
      else if (/07/.test(part)) reading.offset = offsetOf(found);
  }
  return rest;
}

function namePattern(part: string): RegExp {
  const names = part.startsWith("J") ? months : weekdays;
  const wanted = part.length === 3 ? names.map((name) => name.slice(0, 3)) : names;
  return new RegExp(`^(?:${wanted.join("|")})`, "i");
}

function unusualPattern(part: string): RegExp {
  if (/^[.,]0/.test(part)) return new RegExp(`^[.,]\\d{${part.length - 1}}`);
  if (/^[.,]9/.test(part)) return /^(?:[.,]\d+)?/;
  if (part === "002" || part === "__2") return /^[ \d]{3}/;
  const colon = part.includes(":") ? ":" : "";
  const groups = part.replace(/\D/g, "").length / 2;
  const digits = Array.from({ length: groups }, () => "\\d{2}").join(colon);
  return new RegExp(`^(?:${part.startsWith("Z") ? "Z|" : ""}[+-]${digits})`);
}

function nanosecondsOf(fraction: string): bigint {
  return BigInt(fraction.slice(1, 10).padEnd(9, "0"));
}

function offsetOf(text: string): number {
  if (text === "Z") return 0;
  const digits = text.replace(/\D/g, "").padEnd(6, "0");
  const size = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6));
  return text.startsWith("-") ? -size : size;
}

function assemble(reading: Reading, zone: Zone): Instant {
  const days = daysFromCivil(reading.year, reading.month, reading.day);
  const local = days * 86400 + reading.hour * 3600 + reading.minute * 60 + reading.second;
  const shown =
    reading.offset === undefined
      ? reading.zoneName === undefined || reading.zoneName === "UTC"
        ? reading.zoneName === "UTC"
          ? utc
          : zone
        : fixedZone(reading.zoneName, 0)
      : reading.offset === 0
        ? utc
        : fixedZone("", reading.offset);
  const offset = reading.offset ?? shown.at(local - shown.at(local).offset).offset;
  return { nanoseconds: (BigInt(local) - BigInt(offset)) * billion + reading.nanosecond, zone: shown };
}
