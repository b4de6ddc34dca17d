// Do value codecs refuse what a type cannot hold, name the field, keep masks true, and bound what they allocate?

import { describe, expect, test } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { LimitError, PvaError, RemoteProtocolError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { Reader } from '../../src/protocol/reader.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { encodeType, TypeReceiver } from '../../src/protocol/types/wire.ts';
import { anyCodecOf, codecOf } from '../../src/protocol/values/codec.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { fromHex, toHex } from '../support/vectors.ts';

function encode(type: TypeDesc, value: unknown, bigEndian = true): string {
  const writer = new Writer(bigEndian);
  // Values of the wrong type are what these tests are about.
  anyCodecOf(type).encode(writer, value as PvValue, encodeType);
  return toHex(writer.view());
}

function decode(type: TypeDesc, hex: string, types = new TypeReceiver()): PvValue {
  return anyCodecOf(type).decode(new Reader(fromHex(hex), true), types);
}

function errorOf(act: () => unknown): PvaError {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof PvaError) return thrown;
    throw thrown;
  }
  throw new Error('an error was expected');
}

describe('encoding', () => {
  test.each<[string, TypeDesc, unknown, RegExp]>([
    ['text for a number', t.double, '1', /a number \(double\) expected, text '1' given/],
    ['a number for text', t.string, 1, /a string expected, number 1 given/],
    ['a number for a bigint', t.long, 1, /a bigint \(long\) expected, number 1 given/],
    ['a bigint for a number', t.int, 1n, /a number \(int\) expected, bigint 1 given/],
    ['an integer that is too large', t.byte, 128, /number 128 does not fit byte, whole numbers from -128 to 127 do/],
    ['a fraction for an integer', t.ushort, 1.5, /number 1.5 does not fit ushort/],
    ['a negative unsigned', t.ulong, -1n, /bigint -1 does not fit ulong/],
    ['a number for a boolean', t.boolean, 1, /a boolean expected/],
    ['too long a bounded string', t.boundedString(2), 'abc', /a string of at most 2 bytes expected/],
    ['bytes, not characters, past a bound', t.boundedString(2), '€', /\(3 bytes\)/],
    ['the wrong typed array', t.arrayOf(t.int), new Float64Array(1), /a Int32Array expected, a Float64Array given/],
    ['a plain list for a typed array', t.arrayOf(t.int), [1], /a Int32Array expected, a list of 1 given/],
    ['too many for a bounded array', t.boundedArrayOf(t.ubyte, 1), new Uint8Array(2), /at most 1 elements expected/],
    ['too few for a fixed array', t.fixedArrayOf(t.ubyte, 3), new Uint8Array(2), /exactly 3 elements expected/],
    ['a number in a list of booleans', t.arrayOf(t.boolean), [1], /a boolean expected/],
    ['no list of booleans', t.arrayOf(t.boolean), 'x', /a list of booleans expected/],
    ['a number in a list of strings', t.arrayOf(t.string), [1], /a string expected/],
    ['a list for a structure', t.structure({}), [], /a structure expected, a list of 0 given/],
    ['null for a structure', t.structure({}), null, /a structure expected, null given/],
    ['text for a structure', t.structure({}), 'x', /a structure expected, text 'x' given/],
    ['numbers for a structure', t.structure({}), new Int8Array(1), /a structure expected, a Int8Array given/],
    [
      'one structure for a list',
      t.arrayOf(t.structure({})),
      {},
      /an array of structure values expected, an object given/,
    ],
    ['one union for a list', t.arrayOf(t.union({})), {}, /an array of union values expected, an object given/],
    ['a number for a union', t.union({ a: t.int }), 1, /a union value \{ select, value \} or null expected, number 1/],
    ['a member alone', t.union({ a: t.int }), { select: 'a' }, /a union value \{ select, value \} or null expected/],
    ['what a member holds alone', t.union({ a: t.int }), { value: 1 }, /a union value \{ select, value \} or null/],
    ['a type alone', t.any, { type: t.int }, /a value with its type \{ type, value \} or null expected/],
    ['what an any holds alone', t.any, { value: 1 }, /a value with its type \{ type, value \} or null expected/],
    [
      'a union value without its member',
      t.union({ a: t.int }),
      { a: 1 },
      /a union value \{ select, value \} or null expected/,
    ],
    [
      'a member that the union lacks',
      t.union({ a: t.int, b: t.int }),
      { select: 'c', value: 1 },
      /union has no member 'c', it has a, b/,
    ],
    ['a member name that is no text', t.union({ a: t.int }), { select: 0, value: 1 }, /the name of a union member/],
    ['an any value without its type', t.any, 5, /a value with its type \{ type, value \} or null expected/],
    [
      'an any value whose type is none',
      t.any,
      { type: 'double', value: 1 },
      /a type that the builders made expected, text 'double' given/,
    ],
    ['no list for an array of any', t.anyArray, {}, /an array of any values expected/],
  ])('refuses %s', (_, type, value, message) => {
    expect(errorOf(() => encode(type, value)).message).toMatch(message);
  });

  test('names the path of the field that does not fit', () => {
    const type = t.structure({ rows: t.arrayOf(t.structure({ u: t.union({ n: t.byte }) })) });
    const error = errorOf(() => encode(type, { rows: [null, { u: { select: 'n', value: 200 } }] }));
    expect(error.fieldPath).toBe('rows[1].u.n');
  });

  test('writes the default for a field that is not given', () => {
    const type = t.structure({
      a: t.int,
      s: t.string,
      list: t.arrayOf(t.double),
      fixed: t.fixedArrayOf(t.short, 2),
      any: t.any,
      union: t.union({ a: t.int }),
      rows: t.arrayOf(t.structure({ a: t.int })),
      anys: t.anyArray,
    });
    expect(encode(type, {})).toBe('00000000' + '00' + '00' + '00000000' + 'ff' + 'ff' + '00' + '00');
  });

  test('never takes a field from the prototype', () => {
    expect(encode(t.structure({ constructor: t.string, toString: t.string }), {})).toBe('0000');
  });

  test('keeps a field named __proto__ as data', () => {
    const type = t.structure({ ['__proto__']: t.structure({ polluted: t.boolean }) });
    const value = decode(type, '01');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')).toEqual({
      value: { polluted: true },
      writable: true,
      enumerable: true,
      configurable: true,
    });
    expect(encode(type, value)).toBe('01');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('fills an unset fixed array with zeros, up to the size of a message', () => {
    expect(encode(t.fixedArrayOf(t.boolean, 3), [])).toBe('000000');
    expect(encode(t.fixedArrayOf(t.string, 2), [])).toBe('0000');
    expect(() => encode(t.fixedArrayOf(t.double, 0x7fff_ffff), new Float64Array(0))).toThrow(LimitError);
  });

  test('turns whole arrays to the other byte order and leaves the source as it was', () => {
    const values = Float64Array.of(1, -0, Number.NaN, 1e300);
    const before = values.slice();
    expect(encode(t.arrayOf(t.double), values, true)).toBe(
      '04' + '3ff0000000000000' + '8000000000000000' + '7ff8000000000000' + '7e37e43c8800759c',
    );
    expect(encode(t.arrayOf(t.double), values, false)).toBe(
      '04' + '000000000000f03f' + '0000000000000080' + '000000000000f87f' + '9c7500883ce4377e',
    );
    expect(values).toStrictEqual(before);
    expect(encode(t.arrayOf(t.ushort), Uint16Array.of(0x1234), true)).toBe('011234');
    expect(encode(t.arrayOf(t.int), Int32Array.of(0x12345678), true)).toBe('0112345678');
  });
});

describe('decoding', () => {
  test('names the field path and the offset of what is missing', () => {
    const type = t.structure({ a: t.int, inner: t.structure({ s: t.string }) });
    const error = errorOf(() => decode(type, '00000001 05 6162'));
    expect(error.fieldPath).toBe('inner.s');
    expect(error.message).toBe('5 bytes expected at offset 5, 2 are there');
  });

  test('names the element, and the member of its union, in which something is missing', () => {
    const type = t.structure({ rows: t.arrayOf(t.union({ n: t.int, s: t.string })) });
    expect(errorOf(() => decode(type, '02 01 00 00000001 01 01 05 6162')).fieldPath).toBe('rows[1].s');
    expect(errorOf(() => decode(type, '02 01 00 00000001')).fieldPath).toBe('rows[1]');
  });

  test('refuses a member that the union has not', () => {
    const type = t.structure({ choice: t.union({ n: t.int, s: t.string }) });
    const error = errorOf(() => decode(type, '02 00000001'));
    expect(error).toBeInstanceOf(RemoteProtocolError);
    expect([error.message, error.fieldPath]).toEqual([
      'union selector 2 before offset 1, the union has 2 members',
      'choice',
    ]);
    expect(decode(type, 'ff')).toEqual({ choice: null });
  });

  test('makes arrays of their own, whatever becomes of the bytes', () => {
    const bytes = fromHex('02 00000001 00000002');
    const value = codecOf(t.arrayOf(t.int)).decode(new Reader(bytes, true), new TypeReceiver());
    bytes.fill(0xff);
    expect(value).toStrictEqual(Int32Array.of(1, 2));
  });

  test('reads from a view that starts in the middle of shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(16));
    shared.set(fromHex('01 00000007'), 3);
    const value = codecOf(t.arrayOf(t.int)).decode(new Reader(shared.subarray(3, 8), true), new TypeReceiver());
    expect(value).toStrictEqual(Int32Array.of(7));
  });

  test('refuses what is longer than its bound', () => {
    expect(() => decode(t.boundedString(2), '03 616263')).toThrow(
      new RemoteProtocolError('string of 3 bytes at offset 0, at most 2 expected'),
    );
    expect(decode(t.boundedString(3), '03 616263')).toBe('abc');
    // Each byte that is not UTF-8 becomes three: such a value could be read, and never be sent on.
    expect(() => decode(t.boundedString(2), '02 ffff')).toThrow('not UTF-8, and longer than 2 bytes once read');
    expect(decode(t.boundedString(6), '02 ffff')).toBe('\ufffd\ufffd');
    expect(() => decode(t.boundedArrayOf(t.ubyte, 1), '02 0102')).toThrow(
      /2 elements before offset 1, at most 1 expected/,
    );
  });

  test('bounds the objects that one message may become', () => {
    hitsLimit('maxValueNodes');
    const limits = { ...DEFAULT_LIMITS, maxValueNodes: 10 };
    const types = (): TypeReceiver => new TypeReceiver({ limits });
    const empty = t.structure({ a: t.structure({}), b: t.structure({}) });
    expect(decode(t.arrayOf(empty), '02 01 01', types())).toHaveLength(2);
    expect(() => decode(t.arrayOf(empty), '03 01 01 01', types())).toThrow(LimitError);
    // What is not there is one object and no more.
    expect(decode(t.arrayOf(empty), '0a' + '00'.repeat(10), types())).toHaveLength(10);
    expect(() => decode(t.arrayOf(empty), '0b' + '00'.repeat(11), types())).toThrow(LimitError);
    expect(() => decode(t.arrayOf(t.string), '0b' + '00'.repeat(11), types())).toThrow(LimitError);
    expect(() => decode(t.fixedArrayOf(t.string, 11), '00'.repeat(11), types())).toThrow(LimitError);
    expect(() => decode(t.arrayOf(t.boolean), '51' + '00'.repeat(81), types())).toThrow(LimitError);
    expect(() => decode(t.fixedArrayOf(t.boolean, 81), '00'.repeat(81), types())).toThrow(LimitError);
    expect(decode(t.arrayOf(t.boolean), '50' + '00'.repeat(80), types())).toHaveLength(80);
    expect(() => decode(t.anyArray, '0a' + '01 08 01 00'.repeat(10), types())).toThrow(LimitError);
    expect(decode(t.arrayOf(t.ubyte), '0b' + '00'.repeat(11), types())).toHaveLength(11);
    const again = types();
    for (let message = 0; message < 5; message++) {
      again.beginMessage();
      expect(decode(t.arrayOf(t.string), '0a' + '00'.repeat(10), again)).toHaveLength(10);
    }
  });

  test('reads the mask of an image of 4k x 4k', () => {
    const count = 4_096 * 4_096;
    const bytes = new Uint8Array(5 + count).fill(1);
    bytes.set([0xfe, 0x01, 0, 0, 0]);
    const reader = new Reader(bytes, true);
    const types = new TypeReceiver();
    types.beginMessage(bytes.length);
    const mask = codecOf(t.arrayOf(t.boolean)).decode(reader, types);
    expect([mask.length, mask.at(-1)]).toEqual([count, true]);
  });

  test('accepts any inside any up to the limit, and forgets a level that failed', () => {
    hitsLimit('maxTypeNesting');
    const types = new TypeReceiver();
    const nested = (levels: number): string => '82'.repeat(levels) + '20 07';
    expect(decode(t.any, nested(19), types)).not.toBeNull();
    expect(() => decode(t.any, nested(20), types)).toThrow(/maxTypeNesting/);
    expect(decode(t.any, nested(19), types)).not.toBeNull();
  });
});

describe('masks', () => {
  const type = t.structure({ a: t.int, inner: t.structure({ x: t.int, y: t.int }), b: t.string });
  const codec = codecOf(type);
  const base = { a: 1, inner: { x: 2, y: 3 }, b: 'four' };
  const update = { a: 10, inner: { x: 20, y: 30 }, b: 'forty' };

  test.each<[readonly number[], unknown]>([
    [[], base],
    [[0], update],
    [[1], { ...base, a: 10 }],
    [[2], { ...base, inner: update.inner }],
    [[3], { ...base, inner: { x: 20, y: 3 } }],
    [[2, 4], { ...base, inner: update.inner }],
    [[1, 4, 5], { a: 10, inner: { x: 2, y: 30 }, b: 'forty' }],
    [[5, 99], { ...base, b: 'forty' }],
  ])('bits %j select what is taken from an update, on the wire and in memory', (bits, expected) => {
    const mask = BitSet.from(bits);
    expect(codec.merge(base, update, mask)).toStrictEqual(expected);
    const writer = new Writer(false);
    codec.encodeMasked(writer, update, mask, encodeType);
    const reader = new Reader(writer.view(), false);
    expect(codec.decodeMasked(reader, mask, new TypeReceiver(), base)).toStrictEqual(expected);
    expect(reader.remaining).toBe(0);
  });

  test('merging shares what did not change and leaves its arguments alone', () => {
    const merged = codec.merge(base, update, BitSet.of(1));
    expect(merged.inner).toBe(base.inner);
    expect(base).toStrictEqual({ a: 1, inner: { x: 2, y: 3 }, b: 'four' });
    expect(codec.merge(base, update, BitSet.of(99))).toBe(base);
  });

  test('reading over a value shares what did not change and leaves it alone', () => {
    const reader = new Reader(fromHex('00000005'), true);
    const read = codec.decodeMasked(reader, BitSet.of(1), new TypeReceiver(), base);
    expect(read).toStrictEqual({ ...base, a: 5 });
    expect(read.inner).toBe(base.inner);
    expect(base).toStrictEqual({ a: 1, inner: { x: 2, y: 3 }, b: 'four' });
  });

  // Values of programs without types, in which something is missing.
  const partial = (value: unknown) => value as typeof base;

  test('what is missing from a value is its default', () => {
    const writer = new Writer(true);
    codec.encodeMasked(writer, partial({}), BitSet.of(1, 4, 5), encodeType);
    expect(toHex(writer.view())).toBe('00000000' + '00000000' + '00');
    const none = { a: 0, inner: { x: 0, y: 0 }, b: '' };
    expect(codec.merge(partial({}), update, BitSet.of(1))).toStrictEqual({ ...none, a: 10 });
    expect(codec.merge(partial({}), update, BitSet.of(3))).toStrictEqual({ ...none, inner: { x: 20, y: 0 } });
    expect(codec.merge(partial({}), partial({}), BitSet.of(1))).toStrictEqual(none);
  });

  test('what is missing from an update is as it was', () => {
    expect(codec.merge(base, partial({ b: 'forty' }), BitSet.of(1, 4, 5))).toStrictEqual({ ...base, b: 'forty' });
  });

  test('what is not selected is not looked at', () => {
    const writer = new Writer(true);
    codec.encodeMasked(writer, partial({ a: 10, inner: 'wrong', b: 4 }), BitSet.of(1), encodeType);
    expect(toHex(writer.view())).toBe('0000000a');
    expect(codec.merge(base, partial({ a: 10, inner: 'wrong', b: 4 }), BitSet.of(1))).toStrictEqual({ ...base, a: 10 });
  });

  test('of what is no structure have one bit', () => {
    const number = codecOf(t.int);
    const written = (mask: BitSet): string => {
      const writer = new Writer(true);
      number.encodeMasked(writer, 7, mask, encodeType);
      return toHex(writer.view());
    };
    expect([written(BitSet.of(0)), written(BitSet.of(1))]).toEqual(['00000007', '']);
    const read = (mask: BitSet, before?: number) =>
      number.decodeMasked(new Reader(fromHex('00000007'), true), mask, new TypeReceiver(), before);
    expect([read(BitSet.of(0), 3), read(BitSet.of(1), 3), read(BitSet.of(1))]).toEqual([7, 3, 0]);
    expect([number.merge(3, 7, BitSet.of(0)), number.merge(3, 7, BitSet.of(1))]).toEqual([7, 3]);
  });

  test('an update without a base starts from the defaults', () => {
    const reader = new Reader(fromHex('00000005'), true);
    expect(codec.decodeMasked(reader, BitSet.of(3), new TypeReceiver())).toStrictEqual({
      a: 0,
      inner: { x: 5, y: 0 },
      b: '',
    });
  });

  test('errors inside a masked field carry its path', () => {
    const reader = new Reader(fromHex('0000'), true);
    expect(errorOf(() => codec.decodeMasked(reader, BitSet.of(4), new TypeReceiver())).fieldPath).toBe('inner.y');
    const wrong = { ...update, inner: { x: 1, y: 'no' } } as unknown as typeof update;
    expect(errorOf(() => codec.encodeMasked(new Writer(true), wrong, BitSet.of(4), encodeType)).fieldPath).toBe(
      'inner.y',
    );
  });
});
