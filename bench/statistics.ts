// What do several runs say together? Least, middle and greatest of their ratios.

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @throws RangeError without any number */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError('no runs to compare');
  return { min, median: medianOf(sorted), max };
}

/** One to one: what happened at the same time is compared, so that a machine that changes its speed does not count. */
export function ratiosOf(pairs: readonly { readonly pvkit: number; readonly pvxs: number }[]): readonly number[] {
  return pairs.map(({ pvkit, pvxs }) => pvkit / pvxs);
}

/** What a ratio has to be. */
export interface Target {
  readonly bound: 'atLeast' | 'atMost';
  readonly value: number;
}

/** Whether the middle of the runs keeps to it: one lucky run is no success, one disturbed run no failure. */
export function isReached({ median }: Spread, { bound, value }: Target): boolean {
  return bound === 'atLeast' ? median >= value : median <= value;
}

function medianOf(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
