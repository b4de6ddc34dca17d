// Does a BitSet do what a set of numbers does, and how much of one is read that is longer than its type?
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { fromHex } from '../support/vectors.ts';
import { spaced } from '../support/wire-text.ts';

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

describe('two sets', () => {
  // Of one word, of several, and where one is longer than the other.
  const bits = fc.uniqueArray(fc.integer({ min: 0, max: 130 }), { maxLength: 12 });
  const both = fc.tuple(bits, bits);

  test('have a bit in common, or all of them, as sets of numbers have', () => {
    fc.assert(
      fc.property(both, ([one, other]) => {
        expect(BitSet.from(one).intersects(BitSet.from(other))).toBe(one.some((bit) => other.includes(bit)));
        expect(BitSet.from(one).includes(BitSet.from(other))).toBe(other.every((bit) => one.includes(bit)));
        expect(BitSet.from(one).includes(BitSet.from(one.slice(1)))).toBe(true);
      }),
    );
  });

  test.each([
    ['in the first word', [3], [3, 200], [4]],
    ['in the second', [40], [40, 200], [72]],
    ['in the last of the longer one', [1, 200], [1, 200, 201], [1, 199]],
  ])('%s', (_where, one, larger, others) => {
    const set = BitSet.from(one);
    expect(set.intersects(BitSet.from(larger))).toBe(true);
    expect(BitSet.from(larger).includes(set)).toBe(true);
    expect(set.includes(BitSet.from(larger))).toBe(false);
    expect(set.includes(BitSet.from(others))).toBe(false);
    expect(BitSet.from(others).includes(set)).toBe(false);
  });

  test('share nothing once one is changed, and an empty one is in every other', () => {
    expect(BitSet.of(5, 70).intersects(BitSet.of(6, 71))).toBe(false);
    expect(BitSet.of(5).intersects(BitSet.empty())).toBe(false);
    expect(BitSet.of(5).includes(BitSet.empty())).toBe(true);
    const set = BitSet.of(5, 70);
    const copy = set.clone();
    copy.delete(70).add(90);
    expect([...set]).toEqual([5, 70]);
  });
});

test.each([0, 31, 32, 63, 64, 95, 96])('bit %i is added and taken out alone', (bit) => {
  const others = [0, 31, 32, 63, 64, 95, 96].filter((other) => other !== bit);
  const set = BitSet.from(others);
  expect(set.has(bit)).toBe(false);
  set.add(bit);
  expect([...set]).toEqual([...others, bit].toSorted((a, b) => a - b));
  set.delete(bit);
  expect([...set]).toEqual(others);
  // Where there is no room for it, there is nothing to take out.
  expect([...BitSet.of(1).delete(bit === 0 ? 32 : bit)]).toEqual([1]);
});

describe('any set', () => {
  const bits = fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: 40 });

  test('agrees with a set of numbers in everything it does', () => {
    fc.assert(
      fc.property(bits, bits, fc.nat(300), fc.nat(300), (left, right, from, to) => {
        const plain = new Set(left);
        const other = new Set(right);
        const sorted = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b);
        const set = BitSet.from(left);
        expect([...set]).toEqual(sorted(plain));
        expect(set.size).toBe(plain.size);
        expect(set.isEmpty()).toBe(plain.size === 0);
        expect(set.has(from)).toBe(plain.has(from));
        expect(set.next(from)).toBe(sorted(plain).find((bit) => bit >= from) ?? -1);
        expect(set.hasAny(from, to)).toBe(left.some((bit) => bit >= from && bit < to));
        expect([...set.clone().or(BitSet.from(right))]).toEqual(sorted(new Set([...left, ...right])));
        expect([...set.clone().and(BitSet.from(right))]).toEqual(sorted(left.filter((bit) => other.has(bit))));
        expect(set.equals(BitSet.from(right))).toBe(sorted(plain).join() === sorted(other).join());
        expect([...set.clone().delete(from)]).toEqual(sorted(left.filter((bit) => bit !== from)));
        expect(String(set)).toBe(`{${sorted(plain).join(', ')}}`);
        expect(set.clone().clear().isEmpty()).toBe(true);
      }),
    );
  });

  test('comes back from the wire in both byte orders, also with zeros behind it', () => {
    fc.assert(
      fc.property(bits, fc.boolean(), (given, bigEndian) => {
        const writer = new Writer(bigEndian);
        BitSet.from(given).encode(writer);
        expect(BitSet.decode(new Reader(writer.view(), bigEndian)).equals(BitSet.from(given))).toBe(true);
      }),
    );
    expect([...BitSet.decode(new Reader(fromHex('09 8000000000000000 00'), true))]).toEqual([63]);
  });

  test('fills ranges', () => {
    expect([...BitSet.empty().addRange(30, 35)]).toEqual([30, 31, 32, 33, 34]);
  });
});

describe.each([false, true])('on the wire, big endian %s,', (bigEndian) => {
  // From the specification (Protocol-Encoding, BitSet): 64 bits a time in the byte order, what is left byte by byte.
  test.each([
    [[], '00'],
    [[0], '01 01'],
    [[1], '01 02'],
    [[7], '01 80'],
    [[8], '02 00 01'],
    [[15], '02 00 80'],
    [[55], '07 00 00 00 00 00 00 80'],
    [[31], '04 00 00 00 80'],
    [[32], '05 00 00 00 00 01'],
  ])('%j is %s', (bits, hex) => {
    const writer = new Writer(bigEndian);
    BitSet.from(bits).encode(writer);
    expect(spaced(writer.view())).toBe(hex);
    // Bits that were taken out again leave nothing behind.
    const after = new Writer(bigEndian);
    BitSet.from([...bits, 200])
      .delete(200)
      .encode(after);
    expect(spaced(after.view())).toBe(hex);
  });

  test.each([
    [[56], '08 00 00 00 00 00 00 00 01', '08 01 00 00 00 00 00 00 00'],
    [[63], '08 00 00 00 00 00 00 00 80', '08 80 00 00 00 00 00 00 00'],
    [[0, 64], '09 01 00 00 00 00 00 00 00 01', '09 00 00 00 00 00 00 00 01 01'],
    [[8, 32, 72], '0a 00 01 00 00 01 00 00 00 00 01', '0a 00 00 00 01 00 00 01 00 00 01'],
  ])('%j is %s, or %s', (bits, little, big) => {
    const writer = new Writer(bigEndian);
    BitSet.from(bits).encode(writer);
    expect(spaced(writer.view())).toBe(bigEndian ? big : little);
    expect([...BitSet.decode(new Reader(writer.view(), bigEndian))]).toEqual(bits);
  });
});

test.each([
  [[5], 5, 6, true],
  [[5], 4, 5, false],
  [[5], 6, 9, false],
  [[5], 5, 5, false],
  [[40], 0, 40, false],
  [[40], 0, 41, true],
  [[40], 33, 64, true],
  [[40], 41, 300, false],
  [[], 0, 300, false],
])('whether %j has any from %i up to, not including, %i: %s', (bits, start, end, hasAny) => {
  expect(BitSet.from(bits).hasAny(start, end)).toBe(hasAny);
});
