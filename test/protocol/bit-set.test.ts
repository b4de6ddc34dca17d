// How much of a BitSet is read that is longer than its type?
import { expect, test } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { fromHex } from '../support/vectors.ts';

test.each([false, true])('groups of eight bytes past the last field are skipped, big endian %s', (bigEndian) => {
  const bytes = fromHex('12' + 'ff'.repeat(18) + '2a');
  const reader = new Reader(bytes, bigEndian);
  const set = BitSet.decode(reader, 3);
  expect(set.size).toBe(64);
  expect(reader.u8()).toBe(0x2a);
  expect(BitSet.decode(new Reader(bytes, bigEndian)).size).toBe(18 * 8);
  expect(BitSet.decode(new Reader(bytes, bigEndian), 65).size).toBe(128);
  expect(BitSet.decode(new Reader(bytes, bigEndian), 129).size).toBe(18 * 8);
});

test('a mask of megabytes takes no memory', () => {
  const bytes = new Uint8Array(8_000_000 + 5).fill(0xff);
  bytes.set(fromHex('fe 00 12 7a 00'.replaceAll(' ', '')));
  const set = BitSet.decode(new Reader(bytes, false), 10);
  expect(set.size).toBe(64);
});
