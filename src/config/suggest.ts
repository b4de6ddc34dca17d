// Which known word did someone mean who wrote this unknown one?

/** The nearest of `known`, or undefined where none is near: at most one change in three characters, and three in all. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const plain = plainForm(word);
  const same = known.find((candidate) => plainForm(candidate) === plain);
  if (same !== undefined) return same;
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain, plainForm(candidate), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const found = suggest(word, known);
  return found === undefined ? '' : `; did you mean ${JSON.stringify(found)}?`;
}

/** `tcp-port`, `tcpPort` and `TCP_PORT` are one word. */
function plainForm(word: string): string {
  return word.replace(/[-_\s]/g, '').toLowerCase();
}

/** Changes from one word to the other, a swap of neighbours being one; some number of at least `enough` if it is that far. */
function editDistance(a: string, b: string, enough: number): number {
  // Also the bound of the work: a long unknown word is never compared in full.
  if (Math.abs(a.length - b.length) >= enough) return enough;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const cost = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(
        Math.min(
          cost(row - 1, column - 1) + (isSame ? 0 : 1),
          cost(row - 1, column) + 1,
          cost(row, column - 1) + 1,
          isSwap ? cost(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return cost(a.length, b.length);
}
