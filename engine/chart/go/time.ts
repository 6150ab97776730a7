/**
 * Go's `time.Time` as templates use it: an instant in a zone, formatted and parsed by reference layouts.
 * @see https://pkg.go.dev/time#pkg-constants
 */
import { billion, type Civil, civil, daysFromCivil, floorDivide, months, unixSeconds, weekdays } from "./calendar.ts";
import { formatTime } from "./timeFormat.ts";
import { parseTime } from "./timeParse.ts";
import { GoFunction, goInt, goInt64, Int, Named, type Value } from "./value.ts";
import { utc, type Zone } from "./zones.ts";

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

/** `time.ParseInLocation(layout, text, zone)`. @throws TimeParseError with Go's words */
export function timeOf(layout: string, text: string, zone: Zone): GoTime {
  const { nanoseconds, zone: shown } = parseTime(layout, text, zone);
  return new GoTime(nanoseconds, shown);
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
