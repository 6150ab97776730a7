const size = 64;

/**
 * Calls `work` for consecutive ranges, `from` up to but without `to`, that cover `length` items. A loop over all items of a
 * long file is compiled while it runs, several times over and with everything it calls; a function that is called again is
 * compiled once. That is a third of the time from opening a long file to its first problems.
 */
export function inBatches(length: number, work: (from: number, to: number) => void): void {
  for (let from = 0; from < length; from += size) work(from, Math.min(length, from + size));
}
