// What does a codec say of values that do not fit their type, and of arrays of a size that other values do not have?

import { describe, expect, test } from 'vitest';
import { BitSet } from '../../../src/protocol/bit-set.ts';
import type { Codec } from '../../../src/protocol/codecs/codec.ts';
import { msgpack } from '../../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../../src/protocol/codecs/pva.ts';
import { LocalProtocolError, RemoteProtocolError } from '../../../src/protocol/errors.ts';
import { decodeMessage } from '../../../src/protocol/messages/index.ts';
import {
  arrayOf,
  boolean,
  boundedArrayOf,
  boundedString,
  byte,
  double,
  fixedArrayOf,
  float,
  int,
  long,
  short,
  string,
  structure,
  ubyte,
  uint,
  ulong,
  union,
  ushort,
  type TypeDesc,
} from '../../../src/protocol/types/type-desc.ts';
import { OK } from '../../../src/protocol/status.ts';
import type { PvValue } from '../../../src/protocol/types/value-of.ts';
import { contextWith, frameOf, IOID, written } from './codec-suite.ts';

const CALL = { command: 'RPC', phase: 'exec', sid: 1, ioid: 2, subcommand: 0 } as const;
const INTEGERS = [
  [byte, -128, 127],
  [ubyte, 0, 255],
  [short, -32_768, 32_767],
  [ushort, 0, 65_535],
  [int, -2_147_483_648, 2_147_483_647],
  [uint, 0, 4_294_967_295],
] as const;
const LONGS = [
  [long, -(2n ** 63n), 2n ** 63n - 1n],
  [ulong, 0n, 2n ** 64n - 1n],
] as const;

type NeverSent = readonly [what: string, type: TypeDesc, value: unknown, why: string];

const NEVER_SENT: readonly NeverSent[] = [
  ...INTEGERS.flatMap(([type, low, high]): readonly NeverSent[] => {
    const range = `does not fit ${type.scalar}, whole numbers from ${low} to ${high} do`;
    return [
      [`text as ${type.scalar}`, type, '1', `a number (${type.scalar}) expected, text '1' given`],
      [`half a ${type.scalar}`, type, 0.5, `number 0.5 ${range}`],
      [`a ${type.scalar} that is too large`, type, high + 1, `number ${high + 1} ${range}`],
      [`a ${type.scalar} that is too small`, type, low - 1, `number ${low - 1} ${range}`],
    ];
  }),
  ...LONGS.flatMap(([type, low, high]): readonly NeverSent[] => {
    const range = `does not fit ${type.scalar}, whole numbers from ${low} to ${high} do`;
    return [
      [`a number as ${type.scalar}`, type, 1, `a bigint (${type.scalar}) expected, number 1 given`],
      [`a ${type.scalar} that is too large`, type, high + 1n, `bigint ${high + 1n} ${range}`],
      [`a ${type.scalar} that is too small`, type, low - 1n, `bigint ${low - 1n} ${range}`],
    ];
  }),
  ['a number as boolean', boolean, 1, 'a boolean expected, number 1 given'],
  ['text as double', double, '1.5', "a number (double) expected, text '1.5' given"],
  ['nothing as float', float, null, 'a number (float) expected, null given'],
  ['a number as string', string, 1, 'a string expected, number 1 given'],
  [
    'a string past its bound',
    boundedString(3),
    'abcd',
    "a string of at most 3 bytes expected, text 'abcd (4 bytes)' given",
  ],
  [
    'a string past its bound in bytes alone',
    boundedString(3),
    'ää',
    "a string of at most 3 bytes expected, text 'ää (4 bytes)' given",
  ],
  ['a list as array of double', arrayOf(double), [1, 2], 'a Float64Array expected, a list of 2 given'],
  [
    'another array than that of its elements',
    arrayOf(int),
    new Float64Array(1),
    'a Int32Array expected, a Float64Array given',
  ],
  ['numbers among booleans', arrayOf(boolean), [true, 1], 'a boolean expected, number 1 given'],
  ['numbers among strings', arrayOf(string), ['a', 1], 'a string expected, number 1 given'],
  ['text as booleans', arrayOf(boolean), 'x', "a list of booleans expected, text 'x' given"],
  ['text as strings', arrayOf(string), 'x', "a list of strings expected, text 'x' given"],
  [
    'more elements than the bound',
    boundedArrayOf(int, 2),
    new Int32Array(3),
    'at most 2 elements expected, a Int32Array given',
  ],
  [
    'fewer elements than the fixed size',
    fixedArrayOf(int, 3),
    new Int32Array(2),
    'exactly 3 elements expected, a Int32Array given',
  ],
  [
    'more elements than the fixed size',
    fixedArrayOf(string, 1),
    ['a', 'b'],
    'exactly 1 elements expected, a list of 2 given',
  ],
  [
    'a member that the union has not',
    union({ a: int }),
    { select: 'b', value: 1 },
    "union has no member 'b', it has a",
  ],
  [
    'one structure as an array of them',
    arrayOf(structure({ a: int })),
    { a: 1 },
    'an array of structure values expected, an object given',
  ],
];

describe.each([pva, msgpack])('the codec $name', (codec) => {
  const sent = (type: TypeDesc, value: PvValue): Uint8Array =>
    written(codec, { from: 'client', message: { ...CALL, argument: { type, value } } });
  const read = (bytes: Uint8Array): unknown => {
    const message = decodeMessage(frameOf(bytes), contextWith(undefined), codec);
    return message?.command === 'RPC' && 'argument' in message ? message.argument?.value : undefined;
  };

  test.each(NEVER_SENT)('never sends %s', (_, type, value, why) => {
    // The border: such values come from programs without types.
    expect(() => sent(type, value as PvValue)).toThrow(new LocalProtocolError(`RPC: ${why}`));
  });

  test.each([...INTEGERS, ...LONGS])('sends the lowest and the highest of %o', (type, low, high) => {
    expect([read(sent(type, low)), read(sent(type, high))]).toEqual([low, high]);
  });

  test('sends what is as long as its bound', () => {
    expect(read(sent(boundedString(3), 'äb'))).toBe('äb');
    expect(read(sent(boundedArrayOf(int, 2), Int32Array.of(1, 2)))).toEqual(Int32Array.of(1, 2));
  });

  test('sends no array of a fixed size that nobody set, and that is larger than a message', () => {
    const most = 64 * 1024 * 1024;
    expect(() => sent(fixedArrayOf(byte, most + 1), new Int8Array(0))).toThrow('maxBodyBytes allows 67108864');
  });

  test('sends an array of a fixed size that nobody set as zeros', () => {
    expect(read(sent(fixedArrayOf(short, 3), new Int16Array(0)))).toEqual(new Int16Array(3));
    expect(read(sent(fixedArrayOf(boolean, 2), []))).toEqual([false, false]);
    expect(read(sent(fixedArrayOf(string, 2), []))).toEqual(['', '']);
  });

  test.each([
    ['more elements than the bound', arrayOf(int), new Int32Array(3), boundedArrayOf(int, 2)],
    ['more strings than the bound', arrayOf(string), ['a', 'b'], boundedArrayOf(string, 1)],
    ['more bytes of text than the bound', string, 'abcd', boundedString(3)],
  ] as const)('refuses to read %s', (_, theirs, value, ours) => {
    expect(across(codec, theirs, value, ours)).toThrow(RemoteProtocolError);
  });
});

test('MessagePack refuses what is longer than its bound, and says where', () => {
  const whyOf = (theirs: TypeDesc, value: PvValue, ours: TypeDesc): unknown => {
    try {
      return across(msgpack, theirs, value, ours)();
    } catch (thrown) {
      return thrown instanceof RemoteProtocolError ? thrown.message.replace(/^.*, field a: /u, '') : thrown;
    }
  };
  expect(whyOf(arrayOf(int), new Int32Array(3), boundedArrayOf(int, 2))).toBe(
    '3 elements at offset 11, at most 2 expected',
  );
  expect(whyOf(arrayOf(string), ['a', 'b'], boundedArrayOf(string, 1))).toBe(
    '2 elements at offset 11, at most 1 expected',
  );
  expect(whyOf(string, 'abcd', boundedString(3))).toBe('text of 4 bytes at offset 11, at most 3 expected');
  expect(whyOf(double, 1e39, float)).toBe('1e+39 at offset 11, a float up to 3.4e38 expected');
});

test('MessagePack tells the count of an array of a fixed size, too: another one is refused', () => {
  const read = across(msgpack, arrayOf(int), new Int32Array(2), fixedArrayOf(int, 3));
  expect(read).toThrow(/2 elements at offset \d+, exactly 3 expected/u);
});

/** Reads what a peer sent whose type has no bound as one that has. */
function across(codec: Codec, theirs: TypeDesc, value: PvValue, ours: TypeDesc): () => unknown {
  const update = { type: structure({ a: theirs }), changed: BitSet.of(1), value: { a: value } };
  const message = { command: 'GET', phase: 'exec', ioid: IOID, subcommand: 0, status: OK, update } as const;
  const frame = frameOf(written(codec, { from: 'server', message }));
  return () => decodeMessage(frame, contextWith({ command: 'GET', type: structure({ a: ours }) }), codec);
}
