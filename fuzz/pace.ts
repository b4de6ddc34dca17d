// How fast is the machine just now? What an input may take is said for one machine while it is quiet.

import { isDeepStrictEqual } from 'node:util';

/** What `yardstickMs` says there; see `npm run fuzz`, which prints it. */
const NOMINAL_MS = 3;
const TRIES = 3;
const ROWS = 2_000;

/** How many times as long as on the quiet machine things take here and now; at least 1. */
export function pace(): number {
  return Math.max(1, yardstickMs() / NOMINAL_MS);
}

/** The least time, of a few tries, of what decoders do, too: many small objects are made, written as text, read and compared. */
export function yardstickMs(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES; tries++) {
    const before = performance.now();
    const rows = Array.from({ length: ROWS }, (_none, row) => ({ row, name: `row ${row}`, parts: [row, row / 3] }));
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(rows)), rows)) throw new Error('rows differ from themselves');
    least = Math.min(least, performance.now() - before);
  }
  return least;
}
