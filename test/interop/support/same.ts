// Do two clients see the same value, although it may move between the two reads?

import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

import type { Tagged } from './tagged.ts';

/** A PV that changes every 10 ms is met at rest well before. */
const MAX_TRIES = 100;

/** Reads with one and the other until both saw the same; what never agrees is shown as a difference. */
export async function expectSame(
  pvName: string,
  one: () => Promise<Tagged>,
  other: () => Promise<Tagged>,
): Promise<void> {
  let [first, second] = [await one(), await other()];
  for (let tries = 1; tries < MAX_TRIES && !isDeepStrictEqual(first, second); tries++) {
    [first, second] = [await one(), await other()];
  }
  expect(first, pvName).toEqual(second);
}
