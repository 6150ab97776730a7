/** The proleptic Gregorian calendar, and the names Go uses in it. */
import type { Zone } from "./zones.ts";

/** A point in time and the zone it is shown in. */
export interface Instant {
  readonly nanoseconds: bigint;
  readonly zone: Zone;
}

/** Civil fields of an instant in its zone. */
export interface Civil {
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

/** Nanoseconds in a second. */
export const billion = 1_000_000_000n;

/** Division that rounds down. */
export function floorDivide(a: bigint, b: bigint): bigint {
  return a >= 0n || a % b === 0n ? a / b : a / b - 1n;
}

/** The calendar and clock an instant shows in its zone. */
export function civil(time: Instant): Civil {
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
export function daysFromCivil(year: number, month: number, day: number): number {
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

export const months: readonly string[] =
  "January February March April May June July August September October November December".split(" ");
export const weekdays: readonly string[] = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** The parts of a layout that stand for something. */
export const layoutPart: RegExp =
  /January|Jan|Monday|Mon|MST|2006|__2|_2|002|01|02|03|04|05|06|15|[.,]0+(?!\d)|[.,]9+(?!\d)|PM|pm|Z07:00:00|Z07:00|Z070000|Z0700|Z07|-07:00:00|-07:00|-070000|-0700|-07|1|2|3|4|5/g;

/** A number with leading zeros. */
export const pad: (value: number, width: number) => string = (value: number, width: number): string =>
  String(value).padStart(width, "0");

/** Seconds since 1970, rounded down. */
export function unixSeconds(time: Instant): bigint {
  return floorDivide(time.nanoseconds, billion);
}
