// How many names a search datagram carries.

import { describe, expect, it } from 'vitest';
import { packSearches, SEARCH_BYTES, type SearchedName } from '../../../src/protocol/machines/search-packing.ts';

const FIXED_BYTES = 45;

function names(count: number, length: number): SearchedName[] {
  return Array.from({ length: count }, (_, cid) => ({ cid, pvName: 'x'.repeat(length) }));
}

describe('packSearches', () => {
  it('fills datagrams up to 1400 bytes and keeps the order', () => {
    const batches = [...packSearches(names(100, 40))];
    // 45 + 30 * (4 + 1 + 40) = 1395
    expect(batches.map((batch) => batch.length)).toEqual([30, 30, 30, 10]);
    expect(batches.flat().map(({ cid }) => cid)).toEqual(names(100, 40).map(({ cid }) => cid));
    expect(FIXED_BYTES + 30 * 45).toBeLessThanOrEqual(SEARCH_BYTES);
    expect(FIXED_BYTES + 31 * 45).toBeGreaterThan(SEARCH_BYTES);
  });

  it('sends a name that fits nowhere alone', () => {
    const list = [...names(1, 10), { cid: 7, pvName: 'y'.repeat(2000) }, ...names(1, 10)];
    expect([...packSearches(list)].map((batch) => batch.length)).toEqual([1, 1, 1]);
  });

  it('counts bytes, not characters', () => {
    const list = Array.from({ length: 10 }, (_, cid) => ({ cid, pvName: '€'.repeat(80) }));
    expect([...packSearches(list)].map((batch) => batch.length)).toEqual([5, 5]);
  });

  it('makes nothing of nothing', () => {
    expect([...packSearches([])]).toEqual([]);
  });
});
