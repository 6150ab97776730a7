/** Bytes for people: `12.3 MiB`. */
export function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** Bytes of a size as people write it, `4GiB`, `700M` (powers of 1024) or `4GB` (of 1000); undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, number = "", unit = "", suffix = ""] = /^([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(iB|B)?$/i.exec(text.trim()) ?? [];
  if (number === "") return undefined;
  const base = suffix.toLowerCase() === "b" && unit !== "" ? 1000 : 1024;
  const bytes = Math.floor(Number(number) * base ** ["", "K", "M", "G", "T"].indexOf(unit.toUpperCase()));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Milliseconds for people: `0.4 s`, `2 min 5 s`. */
export function durationText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** How long ago something was: `3 hours ago`. */
export function ageText(ms: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ];
  for (const [length, name] of steps) {
    const count = Math.floor(ms / length);
    if (count > 0) return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return "just now";
}

/** The first digits of a digest, as every tool shows it to people. */
export function shortText(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}

/** Columns, each as wide as its widest cell, two blanks between; no blanks at line ends. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
