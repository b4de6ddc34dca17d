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
const NEVER_SENT: readonly (readonly [string, TypeDesc, unknown])[] = [
  ...[byte, ubyte, short, ushort, int, uint].flatMap((type): readonly (readonly [string, TypeDesc, unknown])[] => [
    [`text as ${type.scalar}`, type, '1'],
    [`half a ${type.scalar}`, type, 0.5],
    [`a ${type.scalar} that is too large`, type, 2 ** 32],
    [`a ${type.scalar} that is too small`, type, -(2 ** 31) - 1],
  ]),
  ['a number as long', long, 1],
  ['a long that is too large', long, 2n ** 63n],
  ['a ulong that is too small', ulong, -1n],
  ['a number as boolean', boolean, 1],
  ['text as double', double, '1.5'],
  ['nothing as float', float, null],
  ['a number as string', string, 1],
  ['a string past its bound', boundedString(3), 'abcd'],
  ['a string past its bound in bytes alone', boundedString(3), 'ää'],
  ['a list as array of double', arrayOf(double), [1, 2]],
  ['another array than that of its elements', arrayOf(int), new Float64Array(1)],
  ['numbers among booleans', arrayOf(boolean), [true, 1]],
  ['numbers among strings', arrayOf(string), ['a', 1]],
  ['more elements than the bound', boundedArrayOf(int, 2), new Int32Array(3)],
  ['fewer elements than the fixed size', fixedArrayOf(int, 3), new Int32Array(2)],
  ['more elements than the fixed size', fixedArrayOf(string, 1), ['a', 'b']],
  ['a member that the union has not', union({ a: int }), { select: 'b', value: 1 }],
  ['one structure as an array of them', arrayOf(structure({ a: int })), { a: 1 }],
];

describe.each([pva, msgpack])('the codec $name', (codec) => {
  const sent = (type: TypeDesc, value: PvValue): Uint8Array =>
    written(codec, { from: 'client', message: { ...CALL, argument: { type, value } } });
  const read = (bytes: Uint8Array): unknown => {
    const message = decodeMessage(frameOf(bytes), contextWith(undefined), codec);
    return message?.command === 'RPC' && 'argument' in message ? message.argument?.value : undefined;
  };

  test.each(NEVER_SENT)('never sends %s', (_, type, value) => {
    // The border: such values come from programs without types.
    expect(() => sent(type, value as PvValue)).toThrow(LocalProtocolError);
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
