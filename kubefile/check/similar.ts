/** The candidate that looks most like `word`, if one looks enough like it to be what was meant. Case does not count. */
export function similar(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length < 2 || wanted.length > 40) return undefined;
  let best: string | undefined;
  let least = wanted.length <= 3 ? 1 : wanted.length <= 5 ? 2 : 3;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= least + 1) continue;
    const cost = distance(wanted, candidate.toLowerCase());
    if (cost < least || (cost === least && best === undefined && cost < 3)) {
      best = candidate;
      least = cost;
    }
  }
  return best;
}

/** Looks words up among the same candidates; a file with very many wrong words gets no more hints than a reader can use. */
export function guesser(candidates: () => Iterable<string>): (word: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (word) => {
    if (!known.has(word)) known.set(word, known.size < 50 ? similar(word, candidates()) : undefined);
    return known.get(word);
  };
}

/** How many letters must be put in, taken out, changed or swapped with their neighbour. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (rows[i - 1]?.[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? Number.MAX_SAFE_INTEGER;
}
