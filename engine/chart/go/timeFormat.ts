/** `time.Format`: an instant written by a reference layout. */
import { type Civil, civil, type Instant, layoutPart, months, pad, weekdays } from "./calendar.ts";

/** `Time.Format(layout)`. */
export function formatTime(time: Instant, layout: string): string {
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
