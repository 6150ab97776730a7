/** Sprig's date functions. The clock is the render's own `now`, never the machine's. */

import { unixSeconds } from "../go/calendar.ts";
import { durationText, parseDuration } from "../go/duration.ts";
import { parseInt64 } from "../go/floats.ts";
import { GoTime, timeOf, zeroTime } from "../go/time.ts";
import { formatTime } from "../go/timeFormat.ts";
import { TimeParseError } from "../go/timeParse.ts";
import { Int, type Value } from "../go/value.ts";
import { loadZone, utc } from "../go/zones.ts";
import { GoError } from "../template/failure.ts";
import { type FunctionTable, fn } from "./define.ts";

const second = 1_000_000_000n;

/** The instant a value stands for; the render's now for what is neither time nor integer. */
function instant(value: Value, now: GoTime): GoTime {
  if (value instanceof GoTime) return value;
  const isSeconds = value instanceof Int && /^int(?:32|64)?$/.test(value.kind);
  return isSeconds ? new GoTime(value.value * second, utc) : now;
}

function inZone(layout: string, value: Value, zone: string, now: GoTime): string {
  return formatTime(new GoTime(instant(value, now).nanoseconds, loadZone(zone) ?? utc), layout);
}

function durationOf(value: Value, now: GoTime): bigint {
  if (typeof value === "string") return parseDuration(value) ?? 0n;
  if (value instanceof Int && value.kind === "int64") return value.value;
  return value instanceof GoTime ? now.nanoseconds - value.nanoseconds : 0n;
}

const hour = 3600n * second;
const spans: readonly (readonly [bigint, string])[] = [
  [hour * 24n * 365n, "y"],
  [hour * 24n * 30n, "mo"],
  [hour * 24n, "d"],
  [hour, "h"],
  [60n * second, "m"],
  [second, "s"],
];

function roundedDuration(duration: bigint): string {
  const size = duration < 0n ? -duration : duration;
  const span = spans.find(([length]) => size > length);
  return span === undefined ? "0s" : `${size / span[0]}${span[1]}`;
}

/** `Duration.Round(time.Second)`: half away from zero. */
function toWholeSeconds(duration: bigint): bigint {
  const size = duration < 0n ? -duration : duration;
  const rounded = ((size + second / 2n) / second) * second;
  return duration < 0n ? -rounded : rounded;
}

function modified(text: string, time: GoTime): GoTime | undefined {
  const by = parseDuration(text);
  return by === undefined ? undefined : new GoTime(time.nanoseconds + by, time.zone);
}

const invalidDuration = (text: string): GoError => new GoError(`time: invalid duration ${JSON.stringify(text)}`);
const dateModify = fn(["string", "time"], ([text, time]) => modified(text, time) ?? time);
const mustDateModify = fn(["string", "time"], ([text, time]) => {
  const result = modified(text, time);
  if (result === undefined) throw invalidDuration(text);
  return result;
});
const dateInZone = fn(["string", "any", "string"], ([layout, value, zone], host) => {
  return inZone(layout, value, zone, host.now);
});

export const dateFunctions: FunctionTable = {
  now: fn([], (_, host) => host.now),
  date: fn(["string", "any"], ([layout, value], host) => inZone(layout, value, "Local", host.now)),
  dateInZone,
  date_in_zone: dateInZone,
  htmlDate: fn(["any"], ([value], host) => inZone("2006-01-02", value, "Local", host.now)),
  htmlDateInZone: fn(["any", "string"], ([value, zone], host) => inZone("2006-01-02", value, zone, host.now)),
  dateModify,
  date_modify: dateModify,
  mustDateModify,
  must_date_modify: mustDateModify,
  ago: fn(["any"], ([value], host) => {
    return durationText(toWholeSeconds(host.now.nanoseconds - instant(value, host.now).nanoseconds));
  }),
  duration: fn(["any"], ([value]) => {
    if (typeof value === "string") return durationText((parseInt64(value, 10) ?? 0n) * second);
    return durationText(value instanceof Int && value.kind === "int64" ? value.value * second : 0n);
  }),
  durationRound: fn(["any"], ([value], host) => roundedDuration(durationOf(value, host.now))),
  unixEpoch: fn(["time"], ([time]) => unixSeconds(time).toString()),
  toDate: fn(["string", "string"], ([layout, text]) => {
    try {
      return timeOf(layout, text, utc);
    } catch (error) {
      if (error instanceof TimeParseError) return zeroTime();
      throw error;
    }
  }),
  mustToDate: fn(["string", "string"], ([layout, text]) => {
    try {
      return timeOf(layout, text, utc);
    } catch (error) {
      throw error instanceof TimeParseError ? new GoError(error.message) : error;
    }
  }),
};
