/** `time.Format`: an instant written by a reference layout. */
import { type Civil, civil, type Instant, layoutPart, months, pad, weekdays } from "./calendar.ts";

/** `Time.Format(layout)`. */
export function formatTime(time: Instant, layout: string): string {
  const at = civil(time);
  return layout.replace(layoutPart, (part) => formatPart(part, at));
}

/** The parts of a layout that stand for one field. */
const fields: ReadonlyMap<string, (at: Civil) => string> = new Map<string, (at: Civil) => string>([
  ["January", ({ month }) => months[month - 1] ?? ""],
  ["Jan", ({ month }) => (months[month - 1] ?? "").slice(0, 3)],
  ["Monday", ({ weekday }) => weekdays[weekday] ?? ""],
  ["Mon", ({ weekday }) => (weekdays[weekday] ?? "").slice(0, 3)],
  ["MST", ({ abbreviation, offset }) => (abbreviation === "" ? offsetText("-0700", offset) : abbreviation)],
  ["2006", ({ year }) => (year < 0 ? `-${pad(-year, 4)}` : pad(year, 4))],
  ["06", ({ year }) => pad(((year % 100) + 100) % 100, 2)],
  ["01", ({ month }) => pad(month, 2)],
  ["1", ({ month }) => String(month)],
  ["02", ({ day }) => pad(day, 2)],
  ["_2", ({ day }) => String(day).padStart(2)],
  ["2", ({ day }) => String(day)],
  ["__2", ({ yearDay }) => String(yearDay).padStart(3)],
  ["002", ({ yearDay }) => pad(yearDay, 3)],
  ["15", ({ hour }) => pad(hour, 2)],
  ["03", ({ hour }) => pad(hour12(hour), 2)],
  ["3", ({ hour }) => String(hour12(hour))],
  ["04", ({ minute }) => pad(minute, 2)],
  ["4", ({ minute }) => String(minute)],
  ["05", ({ second }) => pad(second, 2)],
  ["5", ({ second }) => String(second)],
  ["PM", ({ hour }) => (hour >= 12 ? "PM" : "AM")],
  ["pm", ({ hour }) => (hour >= 12 ? "pm" : "am")],
]);

function hour12(hour: number): number {
  return hour % 12 === 0 ? 12 : hour % 12;
}

function formatPart(part: string, at: Civil): string {
  const field = fields.get(part);
  if (field !== undefined) return field(at);
  return /^[.,]/.test(part) ? fractionText(part, at.nanosecond) : offsetText(part, at.offset);
}

function fractionText(part: string, nanosecond: number): string {
  const digits = pad(nanosecond, 9)
    .slice(0, part.length - 1)
    .padEnd(part.length - 1, "0");
  if (part[1] === "0") return part[0] + digits;
  const trimmed = digits.replace(/0+$/, "");
  return trimmed === "" ? "" : part[0] + trimmed;
}

/** An offset from UTC as a layout part wants it. */
export function offsetText(part: string, offset: number): string {
  if (part.startsWith("Z") && offset === 0) return "Z";
  const size = Math.abs(offset);
  const colon = part.includes(":") ? ":" : "";
  const digits = part.replace(/\D/g, "").length;
  let text = `${offset < 0 ? "-" : "+"}${pad(Math.floor(size / 3600), 2)}`;
  if (digits >= 4) text += colon + pad(Math.floor((size % 3600) / 60), 2);
  return digits >= 6 ? text + colon + pad(size % 60, 2) : text;
}
