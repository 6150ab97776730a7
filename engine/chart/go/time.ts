/**
 * Go's `time.Time` as templates use it: an instant in a zone, formatted and parsed by reference layouts.
 * @see https://pkg.go.dev/time#pkg-constants
 */
import { GoFunction, goInt, goInt64, Int, Named, type Value } from "./value.ts";

/** An instant: nanoseconds since 1970 and the zone it is shown in. */
export class GoTime extends Named {
  readonly nanoseconds: bigint;
  readonly zone: Zone;

  constructor(nanoseconds: bigint, zone: Zone) {
    super({
      goType: "time.Time",
      kind: "struct",
      text: () => timeText(this),
      methods: new LazyMethods(() => this),
    });
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }
}

/** Where a time is shown: UTC, a fixed offset, or a zone of the IANA database. */
export interface Zone {
  readonly name: string;
  /** Offset in seconds east of UTC and the abbreviation at an instant. */
  readonly at: (seconds: number) => { readonly offset: number; readonly abbreviation: string };
}

export const utc: Zone = { name: "UTC", at: () => ({ offset: 0, abbreviation: "UTC" }) };

/** A zone of a fixed offset in seconds. */
export function fixedZone(name: string, offset: number): Zone {
  return { name, at: () => ({ offset, abbreviation: name }) };
}

/**
 * `time.LoadLocation`; undefined for a name that is no zone. "Local" is UTC: a render must not depend on the machine.
 */
export function loadZone(name: string): Zone | undefined {
  if (name === "" || name === "UTC" || name === "Local") return utc;
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return undefined;
  try {
    const shape = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
    const short = ["en-US", regionalEnglish(name)].map((locale) => {
      return new Intl.DateTimeFormat(locale, { timeZone: name, timeZoneName: "short" });
    });
    return { name, at: (seconds) => zoneAt(shape, short, seconds) };
  } catch {
    return undefined;
  }
}

/** English as spoken there knows the abbreviations of its own zones. */
function regionalEnglish(zone: string): string {
  if (zone.startsWith("Europe/")) return "en-GB";
  if (zone.startsWith("Australia/")) return "en-AU";
  if (zone === "Pacific/Auckland") return "en-NZ";
  if (zone === "Asia/Kolkata" || zone === "Asia/Calcutta") return "en-IN";
  return zone.startsWith("Africa/") ? "en-ZA" : "en-US";
}

function zoneAt(
  shape: Intl.DateTimeFormat,
  short: readonly Intl.DateTimeFormat[],
  seconds: number,
): { offset: number; abbreviation: string } {
  const date = new Date(seconds * 1000);
  const name = (format: Intl.DateTimeFormat | undefined): string => {
    return format?.formatToParts(date).find((part) => part.type === "timeZoneName")?.value ?? "";
  };
  const [, sign = "+", hours = "0", minutes = "0", secs = "0"] =
    /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(name(shape)) ?? [];
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(secs);
  const offset = sign === "-" ? -size : size;
  const abbreviation = short.map(name).find((text) => !/^GMT[+-]/.test(text));
  const numeric = `${sign}${hours}${minutes === "00" ? "" : minutes}`;
  return { offset, abbreviation: abbreviation ?? numeric };
}

/** Civil fields of an instant in its zone. */
interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  readonly weekday: number;
  readonly yearDay: number;
  readonly offset: number;
  readonly abbreviation: string;
}

const billion = 1_000_000_000n;

function floorDivide(a: bigint, b: bigint): bigint {
  return a >= 0n || a % b === 0n ? a / b : a / b - 1n;
}

/** Seconds since 1970, rounded down. */
export function unixSeconds(time: GoTime): bigint {
  return floorDivide(time.nanoseconds, billion);
}

function civil(time: GoTime): Civil {
  const seconds = unixSeconds(time);
  const { offset, abbreviation } = time.zone.at(Number(seconds));
  const local = Number(seconds) + offset;
  const days = Math.floor(local / 86400);
  const rest = local - days * 86400;
  const date = civilFromDays(days);
  return {
    ...date,
    hour: Math.floor(rest / 3600),
    minute: Math.floor((rest % 3600) / 60),
    second: rest % 60,
    nanosecond: Number(time.nanoseconds - seconds * billion),
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - daysFromCivil(date.year, 1, 1) + 1,
    offset,
    abbreviation,
  };
}

/** Days since 1970 of a proleptic Gregorian date; months and days may overflow. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const doe = z - era * 146097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yoe + era * 400 + (month <= 2 ? 1 : 0), month, day: doy - Math.floor((153 * mp + 2) / 5) + 1 };
}

const months = "January February March April May June July August September October November December".split(" ");
const weekdays = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

const layoutPart =
  /January|Jan|Monday|Mon|MST|2006|__2|_2|002|01|02|03|04|05|06|15|[.,]0+(?!\d)|[.,]9+(?!\d)|PM|pm|Z07:00:00|Z07:00|Z070000|Z0700|Z07|-07:00:00|-07:00|-070000|-0700|-07|1|2|3|4|5/g;

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

/** `Time.Format(layout)`. */
export function formatTime(time: GoTime, layout: string): string {
  const at = civil(time);
  return layout.replace(layoutPart, (part) => formatPart(part, at));
}

function formatPart(part: string, at: Civil): string {
  const hour12 = at.hour % 12 === 0 ? 12 : at.hour % 12;
  switch (part) {
    case "January":
      return months[at.month - 1] ?? "";
    case "Jan":
      return (months[at.month - 1] ?? "").slice(0, 3);
    case "Monday":
      return weekdays[at.weekday] ?? "";
    case "Mon":
      return (weekdays[at.weekday] ?? "").slice(0, 3);
    case "MST":
      return at.abbreviation === "" ? offsetText("-0700", at.offset) : at.abbreviation;
    case "2006":
      return at.year < 0 ? `-${pad(-at.year, 4)}` : pad(at.year, 4);
    case "06":
      return pad(((at.year % 100) + 100) % 100, 2);
    case "01":
      return pad(at.month, 2);
    case "1":
      return String(at.month);
    case "02":
      return pad(at.day, 2);
    case "_2":
      return String(at.day).padStart(2);
    case "2":
      return String(at.day);
    case "__2":
      return String(at.yearDay).padStart(3);
    case "002":
      return pad(at.yearDay, 3);
    case "15":
      return pad(at.hour, 2);
    case "03":
      return pad(hour12, 2);
    case "3":
      return String(hour12);
    case "04":
      return pad(at.minute, 2);
    case "4":
      return String(at.minute);
    case "05":
      return pad(at.second, 2);
    case "5":
      return String(at.second);
    case "PM":
      return at.hour >= 12 ? "PM" : "AM";
    case "pm":
      return at.hour >= 12 ? "pm" : "am";
    default:
      return /^[.,]/.test(part) ? fractionText(part, at.nanosecond) : offsetText(part, at.offset);
  }
}

function fractionText(part: string, nanosecond: number): string {
  const digits = pad(nanosecond, 9)
    .slice(0, part.length - 1)
    .padEnd(part.length - 1, "0");
  if (part[1] === "0") return part[0] + digits;
  const trimmed = digits.replace(/0+$/, "");
  return trimmed === "" ? "" : part[0] + trimmed;
}

function offsetText(part: string, offset: number): string {
  if (part.startsWith("Z") && offset === 0) return "Z";
  const size = Math.abs(offset);
  const colon = part.includes(":") ? ":" : "";
  const digits = part.replace(/\D/g, "").length;
  let text = `${offset < 0 ? "-" : "+"}${pad(Math.floor(size / 3600), 2)}`;
  if (digits >= 4) text += colon + pad(Math.floor((size % 3600) / 60), 2);
  return digits >= 6 ? text + colon + pad(size % 60, 2) : text;
}

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
export function parseTime(layout: string, text: string, zone: Zone): GoTime {
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

function assemble(reading: Reading, zone: Zone): GoTime {
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
  return new GoTime((BigInt(local) - BigInt(offset)) * billion + reading.nanosecond, shown);
}

/** `Time.String()`. */
function timeText(time: GoTime): string {
  return formatTime(time, "2006-01-02 15:04:05.999999999 -0700 MST");
}

function date(year: number, month: number, day: number, time: GoTime): GoTime {
  const at = civil(time);
  const carried = new Date(Date.UTC(2000, month - 1, 1));
  const years = year + carried.getUTCFullYear() - 2000;
  const days = daysFromCivil(years, carried.getUTCMonth() + 1, 1) + day - 1;
  const seconds = days * 86400 + at.hour * 3600 + at.minute * 60 + at.second - at.offset;
  return new GoTime(BigInt(seconds) * billion + BigInt(at.nanosecond), time.zone);
}

/** The methods of a time, made only when a template calls one. */
class LazyMethods extends Map<string, GoFunction> {
  readonly #time: () => GoTime;

  constructor(time: () => GoTime) {
    super();
    this.#time = time;
  }

  override get(name: string): GoFunction | undefined {
    return timeMethod(this.#time(), name);
  }
}

const method = (call: (args: readonly Value[]) => Value, params: readonly string[] = []): GoFunction => {
  return new GoFunction(params, undefined, call);
};

function timeMethod(time: GoTime, name: string): GoFunction | undefined {
  const field = (key: keyof Civil): GoFunction => method(() => goInt(Number(civil(time)[key])));
  const other = (call: (that: GoTime) => Value): GoFunction => {
    return method(([that]) => (that instanceof GoTime ? call(that) : false), ["time.Time"]);
  };
  switch (name) {
    case "Format":
      return method(([layout]) => formatTime(time, String(layout)), ["string"]);
    case "String":
      return method(() => timeText(time));
    case "Unix":
      return method(() => goInt64(unixSeconds(time)));
    case "UnixMilli":
      return method(() => goInt64(floorDivide(time.nanoseconds, 1_000_000n)));
    case "UnixNano":
      return method(() => goInt64(time.nanoseconds));
    case "Year":
      return field("year");
    case "Month":
      return method(() => monthValue(civil(time).month));
    case "Day":
      return field("day");
    case "Hour":
      return field("hour");
    case "Minute":
      return field("minute");
    case "Second":
      return field("second");
    case "Nanosecond":
      return field("nanosecond");
    case "YearDay":
      return field("yearDay");
    case "Weekday":
      return method(() => namedInt("time.Weekday", weekdays[civil(time).weekday] ?? ""));
    case "UTC":
    case "Local":
      return method(() => new GoTime(time.nanoseconds, utc));
    case "IsZero":
      return method(() => time.nanoseconds === zeroNanoseconds);
    case "AddDate":
      return method(
        ([years, months_, days]) => {
          const at = civil(time);
          const by = (value: Value): number => (value instanceof Int ? Number(value.value) : 0);
          return date(at.year + by(years), at.month + by(months_), at.day + by(days), time);
        },
        ["int", "int", "int"],
      );
    case "Add":
      return method(
        ([by]) => new GoTime(time.nanoseconds + (by instanceof Int ? by.value : 0n), time.zone),
        ["time.Duration"],
      );
    case "Sub":
      return other((that) => new Int("time.Duration", time.nanoseconds - that.nanoseconds));
    case "Before":
      return other((that) => time.nanoseconds < that.nanoseconds);
    case "After":
      return other((that) => time.nanoseconds > that.nanoseconds);
    case "Equal":
      return other((that) => time.nanoseconds === that.nanoseconds);
    default:
      return undefined;
  }
}

function monthValue(month: number): Value {
  return namedInt("time.Month", months[month - 1] ?? "");
}

function namedInt(goType: string, text: string): Value {
  return new Named({ goType, kind: "struct", text: () => text, methods: new Map([["String", method(() => text)]]) });
}

const zeroNanoseconds = BigInt(daysFromCivil(1, 1, 1)) * 86400n * billion;

/** Go's zero time: year 1 in UTC. */
export const zeroTime: () => GoTime = () => new GoTime(zeroNanoseconds, utc);
