// Which known word did someone mean who wrote this unknown one?

/** The nearest of `known`, or undefined where none is near: at most one change in three characters, and three in all. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const plain = plainForm(word);
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const form = plainForm(candidate);
    if (form === plain) return candidate;
    const distance = editDistance(plain, form, bestDistance);
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

/**
 * Changes from one word to the other, a swap of neighbours being one; `enough` if it is that far, or farther. Of the table of
 * all their beginnings only a band along the diagonal is filled, as far down as something in it is near: names of 500
 * characters are compared as fast as short ones.
 */
function editDistance(a: string, b: string, enough: number): number {
  const band = enough - 1;
  if (Math.abs(a.length - b.length) > band) return enough;
  const width = 2 * band + 1;
  let before: number[] = [];
  let above = Array.from({ length: width }, (_, cell) => (cell < band ? enough : cell - band));
  let current: number[] = [];
  for (let row = 1; row <= a.length; row++) {
    let least = enough;
    for (let cell = 0; cell < width; cell++) {
      const column = row + cell - band;
      let cost = enough;
      if (column === 0) cost = row;
      else if (column > 0 && column <= b.length) {
        const isSame = a[row - 1] === b[column - 1];
        const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
        cost = Math.min(
          (above[cell] ?? enough) + (isSame ? 0 : 1),
          (above[cell + 1] ?? enough) + 1,
          (current[cell - 1] ?? enough) + 1,
          isSwap ? (before[cell] ?? enough) + 1 : enough,
        );
      }
      current[cell] = Math.min(cost, enough);
      least = Math.min(least, cost);
    }
    if (least >= enough) return enough;
    [before, above, current] = [above, current, before];
  }
  return above[b.length - a.length + band] ?? enough;
}
