/** The candidate that looks most like `word`, if one looks enough like it to be what was meant. Case does not count. */
export function similar(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length < 2 || wanted.length > 40) return undefined;
  let best: string | undefined;
  let least = wanted.length <= 3 ? 1 : wanted.length <= 5 ? 2 : 3;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= least + 1) continue;
    const cost = distance(wanted, candidate.toLowerCase(), least);
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

const longest = 44;
const width = longest + 1;
/** The rows of the table: that of this letter, the one before, and the one before that. Filled anew by each call. */
const table: Uint8Array = new Uint8Array(3 * width);

/**
 * How many letters must be put in, taken out, changed or swapped with their neighbour; something above `most` when it is
 * more than that. Only the cells near the diagonal are looked at: the others cost more than `most`.
 */
function distance(a: string, b: string, most: number): number {
  const far = most + 1;
  if (b.length > longest) return far;
  for (let j = 0; j <= b.length; j++) table[j] = Math.min(j, far);
  for (let i = 1; i <= a.length; i++) if (fillRow(a, i, b, most) > most) return far;
  return cell((a.length % 3) * width + b.length);
}

/** Fills the row of the letter that ends at `i`; gives the least of its cells. */
function fillRow(a: string, i: number, b: string, most: number): number {
  const far = most + 1;
  const row = (i % 3) * width;
  const above = ((i + 2) % 3) * width;
  const before = ((i + 1) % 3) * width;
  const from = Math.max(1, i - most);
  const to = Math.min(b.length, i + most);
  table[row + from - 1] = from === 1 ? Math.min(i, far) : far;
  let least = far;
  for (let j = from; j <= to; j++) {
    const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
    const changed = cell(above + j - 1) + (same ? 0 : 1);
    // To the right of the band nothing is known of the row above.
    const left = Math.min(cell(row + j - 1), j < i + most ? cell(above + j) : far) + 1;
    const swapped = !same && isSwap(a, i, b, j) ? cell(before + j - 2) + 1 : far;
    const cost = Math.min(changed, left, swapped, far);
    table[row + j] = cost;
    if (cost < least) least = cost;
  }
  return least;
}

function cell(index: number): number {
  return table[index] ?? longest;
}

/** Whether the two letters that end at `i` and at `j` are the same, the other way round. */
function isSwap(a: string, i: number, b: string, j: number): boolean {
  if (i < 2 || j < 2) return false;
  return a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1);
}
