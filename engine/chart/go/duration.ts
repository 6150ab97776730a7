/** Go's `time.Duration`: nanoseconds, its text and its parser. */

const second = 1_000_000_000n;
const minute = 60n * second;
const hour = 60n * minute;

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: second,
  m: minute,
  h: hour,
};

/** `Duration.String()`: "1h30m0s", "1.5s", "0s". */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < 1000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${withFraction(size, 1000n)}µs`;
  if (size < second) return `${sign}${withFraction(size, 1_000_000n)}ms`;
  const hours = size / hour;
  const minutes = (size / minute) % 60n;
  const seconds = `${withFraction(size % minute, second)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

function withFraction(size: bigint, unit: bigint): string {
  const digits = (size % unit)
    .toString()
    .padStart(unit.toString().length - 1, "0")
    .replace(/0+$/, "");
  return `${size / unit}${digits === "" ? "" : `.${digits}`}`;
}

/** `time.ParseDuration`; undefined when the text is no duration. */
export function parseDuration(text: string): bigint | undefined {
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0n;
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, number = "", unit = ""] of body.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = units[unit] ?? 0n;
    const [whole = "", fraction = ""] = number.split(".");
    total += BigInt(whole === "" ? "0" : whole) * size;
    if (fraction !== "") total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  if (total > (1n << 63n) - 1n) return undefined;
  return text.startsWith("-") ? -total : total;
}
