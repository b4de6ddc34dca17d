// Is everything written as another implementation of MessagePack writes it, in the shortest form there is, at its edges?

import { encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import * as pack from '../../../src/protocol/codecs/msgpack-writer.ts';
import { LocalProtocolError } from '../../../src/protocol/errors.ts';
import { Writer } from '../../../src/protocol/writer.ts';
import { toHex } from '../../support/vectors.ts';

/** What is written, behind a byte that was there before. */
function written(write: (out: Writer) => void): string {
  const out = new Writer(true, 1);
  out.u8(0xee);
  write(out);
  return toHex(out.view().subarray(1));
}

/** The same by the package. */
function theirs(value: unknown): string {
  return toHex(encode(value, { useBigInt64: true }));
}

/** Compares the beginning for people to read, and all of it in a word: the difference of long ones takes seconds to tell. */
function expectTheirs(ours: string, value: unknown): void {
  const expected = theirs(value);
  expect(ours.slice(0, 20)).toBe(expected.slice(0, 20));
  expect(ours === expected).toBe(true);
}

/** A number and its neighbours. */
const around = (edge: number): readonly number[] => [edge - 1, edge, edge + 1];

describe('a whole number', () => {
  const edges = [-0x8000_0000 + 1, -0x8000, -0x80, -0x20, 0, 0x7f, 0xff, 0xffff, 0xffff_ffff - 1].flatMap(around);

  test.each(edges)('of 32 bits: %i', (value) => {
    expect(written((out) => pack.writeInteger(out, value))).toBe(theirs(value));
    expect(written((out) => pack.writeLong(out, BigInt(value)))).toBe(theirs(value));
  });

  test.each([-(2n ** 63n), -(2n ** 31n) - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n])('of 64 bits: %s', (value) => {
    expect(written((out) => pack.writeLong(out, value))).toBe(theirs(value));
  });
});

test('nothing, truth values and floats', () => {
  expect(written((out) => pack.writeNil(out))).toBe(theirs(null));
  expect(written((out) => pack.writeBoolean(out, true))).toBe(theirs(true));
  expect(written((out) => pack.writeBoolean(out, false))).toBe(theirs(false));
  expect(written((out) => pack.writeDouble(out, 0.1))).toBe(theirs(0.1));
  expect(written((out) => pack.writeFloat(out, 0.1))).toBe(toHex(encode(0.1, { forceFloat32: true })));
});

describe('text', () => {
  test.each([0, 1, 31, 32, 255, 256, 65_535, 65_536])('of %i characters of ASCII', (length) => {
    const text = 'x'.repeat(length);
    expectTheirs(
      written((out) => pack.writeText(out, text)),
      text,
    );
  });

  // The last three of 31, 32 and 93 bytes, of which the first two tell at their end that they are no ASCII.
  test.each(['°C', `${'x'.repeat(29)}°`, `${'x'.repeat(30)}°`, '€'.repeat(31)])('of other characters: %s', (text) => {
    expectTheirs(
      written((out) => pack.writeText(out, text)),
      text,
    );
  });
});

test.each([0, 1, 255, 256, 65_535, 65_536])('%i bytes', (length) => {
  const bytes = new Uint8Array(length).fill(7);
  expectTheirs(
    written((out) => pack.writeBytes(out, bytes)),
    bytes,
  );
});

describe('the head', () => {
  test.each([0, 15, 16, 65_535, 65_536])('of %i elements', (count) => {
    const array = theirs(Array.from({ length: count }, () => 7));
    expect(written((out) => pack.writeArrayHead(out, count))).toBe(array.slice(0, array.length - 2 * count));
    const map = theirs(Object.fromEntries(Array.from({ length: count }, (_, index) => [10_000 + index, 7])));
    // A key of five characters is six bytes.
    expect(written((out) => pack.writeMapHead(out, count))).toBe(map.slice(0, map.length - 14 * count));
  });

  // Spec: https://github.com/msgpack/msgpack/blob/master/spec.md, "ext format family".
  test.each([
    [0, 'c7 00 21'],
    [1, 'd4 21'],
    [2, 'd5 21'],
    [3, 'c7 03 21'],
    [4, 'd6 21'],
    [8, 'd7 21'],
    [16, 'd8 21'],
    [255, 'c7 ff 21'],
    [256, 'c8 01 00 21'],
    [65_535, 'c8 ff ff 21'],
    [65_536, 'c9 00 01 00 00 21'],
    [0xffff_ffff, 'c9 ff ff ff ff 21'],
  ])('of an extension of %i bytes', (length, hex) => {
    expect(written((out) => pack.writeExtensionHead(out, 0x21, length))).toBe(hex.replaceAll(' ', ''));
  });

  test('of more than MessagePack can count is refused', () => {
    expect(() => written((out) => pack.writeExtensionHead(out, 0x21, 2 ** 32))).toThrow(
      new LocalProtocolError('4294967296 does not fit MessagePack, at most 4294967295 does'),
    );
  });
});
