/** Time zones: UTC, fixed offsets, and those of the IANA database. */

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
