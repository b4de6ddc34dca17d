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

  it.each([
    // Id, size and text; from 254 bytes on a size takes five bytes.
    [0, 4 + 1 + 0],
    [40, 4 + 1 + 40],
    [253, 4 + 1 + 253],
    [254, 4 + 5 + 254],
  ])('fills them to the last byte with names of %i bytes', (length, cost) => {
    const sizes = (maxBytes: number) => [...packSearches(names(4, length), maxBytes)].map((batch) => batch.length);
    expect(sizes(FIXED_BYTES + 4 * cost)).toEqual([4]);
    expect(sizes(FIXED_BYTES + 4 * cost - 1)).toEqual([3, 1]);
    expect(sizes(FIXED_BYTES + 2 * cost)).toEqual([2, 2]);
    expect(sizes(FIXED_BYTES + 2 * cost - 1)).toEqual([1, 1, 1, 1]);
  });

  it('sends a name that fits nowhere alone', () => {
    const list = [...names(1, 10), { cid: 7, pvName: 'y'.repeat(2000) }, ...names(1, 10)];
    expect([...packSearches(list)].map((batch) => batch.length)).toEqual([1, 1, 1]);
    expect([...packSearches(list.slice(1))].map((batch) => batch.length)).toEqual([1, 1]);
  });

  it('counts bytes, not characters', () => {
    const list = Array.from({ length: 10 }, (_, cid) => ({ cid, pvName: '€'.repeat(80) }));
    expect([...packSearches(list)].map((batch) => batch.length)).toEqual([5, 5]);
  });

  it('makes nothing of nothing', () => {
    expect([...packSearches([])]).toEqual([]);
  });
});
