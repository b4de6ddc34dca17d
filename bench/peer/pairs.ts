// In which order are two servers measured, and which runs count? A B A B, and none while the machine was slow.

import type { PeerName } from './peers.ts';

/** One run of each, as near in time as can be. */
export interface Pair<T> {
  readonly pvkit: T;
  readonly pvxs: T;
  /** Echoes a second of the slower of the two readings around it. */
  readonly gauge: number;
}

export interface Gauging {
  read(): Promise<number>;
  isSlow(perSecond: number): boolean;
}

export interface Pairs<T> {
  readonly pairs: readonly Pair<T>[];
  /** Pairs that were measured again because the machine was slow meanwhile. */
  readonly repeated: number;
  /** Pairs that count although it was: there was no better time. */
  readonly disturbed: number;
}

/**
 * Measures `count` pairs. A pair during which the gauge was slow is repeated; after half as many such repetitions as there
 * are pairs the rest is taken as it is, for a machine that stays slow has to be measured, too.
 */
export async function measurePairs<T>(
  count: number,
  gauge: Gauging,
  measure: (name: PeerName) => Promise<T>,
): Promise<Pairs<T>> {
  const pairs: Pair<T>[] = [];
  let repeated = 0;
  let before = await gauge.read();
  while (pairs.length < count) {
    const pvkit = await measure('pvkit');
    const pvxs = await measure('pvxs');
    const after = await gauge.read();
    const slower = Math.min(before, after);
    before = after;
    if (gauge.isSlow(slower) && repeated < count / 2) repeated++;
    else pairs.push({ pvkit, pvxs, gauge: slower });
  }
  const disturbed = pairs.filter((pair) => gauge.isSlow(pair.gauge)).length;
  return { pairs, repeated, disturbed };
}
