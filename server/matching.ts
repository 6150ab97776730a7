/** As editors match: every letter of `query` comes in `name`, in the same order, in any case. */
export function holdsInOrder(name: string, query: string): boolean {
  const letters = query.toLowerCase();
  let at = 0;
  for (const letter of name.toLowerCase()) if (letter === letters[at]) at++;
  return at >= letters.length;
}
