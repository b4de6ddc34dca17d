// Are items read byte by byte as the specification has them (Protocol-Encoding), and never past their end?

import { describe, expect, test } from 'vitest';
import { PvaError, RemoteProtocolError, TruncatedError } from '../../src/protocol/errors.ts';
import { Reader } from '../../src/protocol/reader.ts';
import { fromHex } from '../support/vectors.ts';

type Item = Exclude<
  { [K in keyof Reader]: Reader[K] extends () => unknown ? K : never }[keyof Reader],
  'sizeOrNull' | 'size' | 'string'
>;

/** Each with its bytes in big endian order. */
const ITEMS: readonly (readonly [Item, string, number | bigint | boolean])[] = [
  ['u8', 'fe', 254],
  ['i8', 'fe', -2],
  ['u16', 'fe dc', 0xfedc],
  ['i16', 'fe dc', -292],
  ['u32', 'fe dc ba 98', 0xfedc_ba98],
  ['i32', 'fe dc ba 98', -19_088_744],
  ['u64', 'fe dc ba 98 76 54 32 10', 0xfedc_ba98_7654_3210n],
  ['i64', 'ff ff ff ff ff ff ff fe', -2n],
  ['f32', 'c0 48 00 00', -3.125],
  ['f64', 'c0 09 00 00 00 00 00 00', -3.125],
  ['boolean', '00', false],
  ['boolean', '01', true],
  ['boolean', '80', true],
];

const reversed = (hex: string): string => hex.split(' ').toReversed().join(' ');

/** A reader in the middle of other bytes, which it must not see. */
function readerOf(hex: string, bigEndian = false): Reader {
  const bytes = fromHex(hex);
  const around = new Uint8Array(bytes.length + 7).fill(0xee);
  around.set(bytes, 3);
  return new Reader(around.subarray(3, 3 + bytes.length), bigEndian);
}

/** What is thrown, which must be an error of ours. */
function errorOf(act: () => unknown): PvaError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof PvaError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

describe.each(ITEMS)('%s of %s', (item, hex, value) => {
  test.each([true, false])('is read, big endian %s, and claims its bytes', (bigEndian) => {
    const reader = readerOf(`00 ${bigEndian ? hex : reversed(hex)} 00`, bigEndian);
    reader.skip(1);
    expect(reader[item]()).toBe(value);
    expect([reader.offset, reader.remaining]).toEqual([1 + hex.split(' ').length, 1]);
  });

  test('is refused where a byte is missing, and nothing is claimed then', () => {
    const bytes = hex.split(' ');
    const reader = readerOf(['00', ...bytes.slice(1)].join(' '));
    reader.skip(1);
    const error = errorOf(() => reader[item]());
    expect(error).toBeInstanceOf(TruncatedError);
    expect(error.message).toBe(`${bytes.length} bytes expected at offset 1, ${bytes.length - 1} are there`);
    expect(reader.offset).toBe(1);
  });
});

describe('a size', () => {
  test.each([
    ['00', 0],
    ['01', 1],
    ['fd', 253],
    ['fe fe 00 00 00', 254],
    ['fe 00 00 01 00', 65_536],
    // The same size may be written the long way.
    ['fe 05 00 00 00', 5],
    ['fe ff ff ff 7f', 0x7fff_ffff],
    ['ff', null],
  ])('%s is %j', (hex, size) => {
    const reader = readerOf(hex);
    expect(reader.sizeOrNull()).toBe(size);
    expect(reader.remaining).toBe(0);
  });

  test('of more than 31 bits is refused, with its place', () => {
    const reader = readerOf('00 fe 00 00 00 80');
    reader.skip(1);
    const error = errorOf(() => reader.sizeOrNull());
    expect(error).toBeInstanceOf(RemoteProtocolError);
    expect(error.message).toBe('size 2147483648 at offset 2, at most 2147483647 expected');
  });

  test('of nothing is refused where a count is needed, with its place', () => {
    const reader = readerOf('05 ff');
    expect(reader.size()).toBe(5);
    const error = errorOf(() => reader.size());
    expect(error).toBeInstanceOf(RemoteProtocolError);
    expect(error.message).toBe('null size at offset 1, a count expected');
  });
});

describe('a count', () => {
  test('is as large as the bytes behind it allow', () => {
    expect(readerOf('02 00 00 00 00').count(2)).toBe(2);
    expect(readerOf('04 00 00 00 00').count(1)).toBe(4);
    expect(readerOf('00').count(8)).toBe(0);
  });

  test.each([
    ['03 00 00 00 00', 2, '3 elements of at least 2 bytes claimed at offset 1, 4 bytes are there'],
    ['05 00 00 00 00', 1, '5 elements of at least 1 bytes claimed at offset 1, 4 bytes are there'],
    ['fe ff ff ff 7f 00', 8, '2147483647 elements of at least 8 bytes claimed at offset 5, 1 bytes are there'],
  ])('that claims more is refused: %s', (hex, elementBytes, message) => {
    const error = errorOf(() => readerOf(hex).count(elementBytes));
    expect(error).toBeInstanceOf(TruncatedError);
    expect(error.message).toBe(message);
  });
});

describe('text', () => {
  test.each([
    ['00', ''],
    ['ff', ''],
    ['03 61 62 63', 'abc'],
    ['02 c3 a9', 'é'],
    ['04 f0 9f 98 80', '😀'],
    ['02 61 ff', 'a\uFFFD'],
    // Text, not a mark of the byte order.
    ['04 ef bb bf 61', '\uFEFFa'],
  ])('%s is %j', (hex, text) => {
    const reader = readerOf(`${hex} 07`);
    expect(reader.string()).toBe(text);
    expect(reader.u8()).toBe(7);
  });

  test('that is cut short is refused', () => {
    expect(errorOf(() => readerOf('03 61 62').string()).message).toBe('3 bytes expected at offset 1, 2 are there');
  });
});

describe('bytes', () => {
  test('are seen as they are, or copied', () => {
    const reader = readerOf('01 02 03 04 05');
    const seen = reader.view(2);
    const copied = new Uint8Array(reader.copy(2));
    reader.bytes.fill(9);
    expect([...seen]).toEqual([9, 9]);
    expect([...copied]).toEqual([3, 4]);
    expect(reader.offset).toBe(4);
    expect(errorOf(() => reader.view(2))).toBeInstanceOf(TruncatedError);
    expect(errorOf(() => reader.copy(2))).toBeInstanceOf(TruncatedError);
    expect(errorOf(() => reader.skip(2))).toBeInstanceOf(TruncatedError);
    expect(reader.view(1)).toHaveLength(1);
  });

  test('of shared memory are copied into memory of their own', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    shared.set([1, 2, 3, 4]);
    const reader = new Reader(shared, false);
    reader.skip(1);
    const copied = reader.copy(2);
    expect(copied).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(copied)]).toEqual([2, 3]);
  });

  test('are read between two places only', () => {
    const reader = readerOf('01 02 03 04 05');
    expect(reader.narrow(1, 3)).toBe(reader);
    expect([reader.offset, reader.remaining]).toEqual([1, 2]);
    expect([reader.u8(), reader.u8()]).toEqual([2, 3]);
    expect(errorOf(() => reader.u8()).message).toBe('1 bytes expected at offset 3, 0 are there');
    // It may be moved again, but never past its bytes.
    expect(reader.narrow(4, 99).remaining).toBe(1);
    expect(reader.u8()).toBe(5);
    expect(errorOf(() => reader.u8())).toBeInstanceOf(TruncatedError);
  });
});
