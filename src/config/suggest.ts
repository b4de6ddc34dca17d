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

/** Levenshtein distance; some number of at least `enough` once it cannot be less. */
function editDistance(a: string, b: string, enough: number): number {
  // Also the bound of the work: a long unknown word is never compared in full.
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      const costs = [previous[column - 1] ?? 0, previous[column] ?? 0, current[column - 1] ?? 0];
      current.push(Math.min((costs[0] ?? 0) + change, (costs[1] ?? 0) + 1, (costs[2] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
