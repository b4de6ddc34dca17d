// A table that a peer fills forgets what is oldest.

import { expect, it } from 'vitest';

import { BoundedMap } from '../../../src/protocol/trace/bounded-map.ts';

it('keeps the entries that were set last', () => {
  const map = new BoundedMap<number, string>(2);
  map.set(1, 'a');
  map.set(2, 'b');
  map.set(1, 'A');
  map.set(3, 'c');
  expect([1, 2, 3].map((key) => map.get(key))).toEqual(['A', undefined, 'c']);
});
