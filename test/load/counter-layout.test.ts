// Is a counter found where it stands in an update, as decoding the update finds it, and followed round its end?

import { describe, expect, it } from 'vitest';
import {
  counterFormOf,
  counterIn,
  counterLayoutOf,
  counterStep,
  packedCounterLayoutOf,
  valueBitOf,
  type CounterLayout,
} from '../../src/load/counter-layout.ts';
import { BitSet } from '../../src/protocol/bit-set.ts';
import { msgpack } from '../../src/protocol/codecs/msgpack.ts';
import { pva } from '../../src/protocol/codecs/pva.ts';
import { Framer } from '../../src/protocol/framer.ts';
import { encodeMessage } from '../../src/protocol/messages/index.ts';
import {
  boolean,
  byte,
  double,
  float,
  int,
  long,
  short,
  string,
  structure,
  ubyte,
  uint,
  ulong,
  ushort,
  type ScalarType,
  type StructureType,
} from '../../src/protocol/types/type-desc.ts';
import type { StructureValue } from '../../src/protocol/types/value-of.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { ownFrame } from '../support/transcript.ts';

/** An update of a monitor as a server writes it, and its frame. */
function makeUpdate(
  type: StructureType,
  value: StructureValue,
  changed: BitSet,
  { bigEndian = false, overrun = BitSet.empty(), codec = pva } = {},
) {
  const writer = new Writer(bigEndian);
  const update = { type, changed, value: { ...codecOf(type).defaultValue(), ...value } };
  encodeMessage(
    writer,
    { command: 'MONITOR', phase: 'update', ioid: 5, subcommand: 0, update, overrun },
    { fromServer: true, codec },
  );
  const bytes = Buffer.from(writer.copy());
  const frames: ReturnType<typeof ownFrame>[] = [];
  new Framer({ expectFromServer: true }).push(bytes, (frame) => frames.push(ownFrame(frame)));
  const [frame] = frames;
  if (frame === undefined) throw new Error('no message was written');
  return { bytes, frame };
}

function read(layout: CounterLayout | undefined, bytes: Buffer): number | undefined {
  if (layout === undefined) throw new Error('no layout');
  // Behind something else, as in a chunk of several updates.
  const chunk = Buffer.concat([Buffer.alloc(3), bytes]);
  return counterIn(layout, chunk, new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), 3);
}

const KINDS: readonly (readonly [string, ScalarType, number | bigint, number])[] = [
  ['byte', byte, -2, 0xfe],
  ['ubyte', ubyte, 254, 254],
  ['short', short, -2, 0xfffe],
  ['ushort', ushort, 65_534, 65_534],
  ['int', int, -2, 0xffff_fffe],
  ['uint', uint, 4_000_000_000, 4_000_000_000],
  ['long', long, -2n, 0xffff_fffe],
  ['ulong', ulong, 2n ** 40n + 7n, 7],
  ['float', float, 1_000_001, 1_000_001],
  ['double', double, 2 ** 52 + 1, 2 ** 52 + 1],
];

describe.each([false, true])('a counter, big endian %s,', (bigEndian) => {
  it.each(KINDS)('of type %s is read where it stands', (_name, scalar, value, expected) => {
    const type = structure({ value: scalar, time: structure({ seconds: long, nanoseconds: int }) });
    const changed = BitSet.of(1, 3, 4);
    const { bytes, frame } = makeUpdate(type, { value, time: { seconds: 9n, nanoseconds: 8 } }, changed, { bigEndian });
    const layout = counterLayoutOf(type, changed, frame);
    expect(read(layout, bytes)).toBe(expected);
    expect(counterFormOf(type)?.modulus).toBe(layout?.modulus);
  });

  it('is not read from an update that looks otherwise', () => {
    const type = structure({ value: int, severity: int });
    const { bytes, frame } = makeUpdate(type, { value: 7 }, BitSet.of(1), { bigEndian });
    const layout = counterLayoutOf(type, BitSet.of(1), frame);
    expect(read(layout, bytes)).toBe(7);
    const more = makeUpdate(type, { value: 7, severity: 2 }, BitSet.of(1, 2), { bigEndian });
    expect(read(layout, more.bytes)).toBeUndefined();
    // What was left out has to be counted.
    const squashed = makeUpdate(type, { value: 9 }, BitSet.of(1), { bigEndian, overrun: BitSet.of(1) });
    expect(read(layout, squashed.bytes)).toBeUndefined();
    const otherOrder = makeUpdate(type, { value: 7 }, BitSet.of(1), { bigEndian: !bigEndian });
    expect(read(layout, otherOrder.bytes)).toBeUndefined();
    const last = Buffer.from(bytes);
    last[8 + 4] = 0x10;
    expect(read(layout, last)).toBeUndefined();
  });
});

describe('a counter as MessagePack', () => {
  const time = structure({ seconds: long, nanoseconds: int });
  const packed = { bigEndian: true, codec: msgpack };
  /** The first of these numbers needs so many bytes, and the last no more. */
  const WIDE: readonly (readonly [string, ScalarType, readonly (number | bigint)[]])[] = [
    ['byte', byte, []],
    ['ubyte', ubyte, [128, 255]],
    ['short', short, [128, 255, 256, 32_767]],
    ['ushort', ushort, [128, 255, 256, 65_535]],
    ['int', int, [128, 255, 256, 65_535, 65_536, 2_147_483_647]],
    ['uint', uint, [128, 256, 65_536, 4_294_967_295]],
    ['long', long, [128n, 256n, 65_536n, 4_294_967_295n]],
    ['ulong', ulong, [128n, 256n, 65_536n, 4_294_967_295n]],
    ['float', float, [0, 1, 1_000_001]],
    ['double', double, [0, 1, 2 ** 52 + 1]],
  ];

  it.each(WIDE)('of type %s is read where it stands, however wide it is', (_name, scalar, values) => {
    const type = structure({ value: scalar, time });
    for (const value of values) {
      const changed = BitSet.of(1, 3, 4);
      const fields = { value, time: { seconds: 9n, nanoseconds: 8 } };
      const { bytes, frame } = makeUpdate(type, fields, changed, packed);
      expect(read(packedCounterLayoutOf(type, frame), bytes)).toBe(Number(value));
      expect(packedCounterLayoutOf(type, frame)?.modulus).toBe(counterFormOf(type)?.modulus);
    }
  });

  it('of 64 bits is read by its lower half, as in pvAccess', () => {
    const type = structure({ value: ulong });
    const { bytes, frame } = makeUpdate(type, { value: 2n ** 40n + 7n }, BitSet.of(1), packed);
    expect(read(packedCounterLayoutOf(type, frame), bytes)).toBe(7);
  });

  it.each([0, 127, -1, -32, -33, -129, -40_000])('of %i has no byte before it that is always there', (value) => {
    const type = structure({ value: int });
    const { frame } = makeUpdate(type, { value }, BitSet.of(1), packed);
    expect(packedCounterLayoutOf(type, frame)).toBeUndefined();
  });

  it('is found beside text, which says itself how long it is', () => {
    const type = structure({ value: int, message: string });
    const { bytes, frame } = makeUpdate(type, { value: 700, message: 'abc' }, BitSet.of(1, 2), packed);
    expect(read(packedCounterLayoutOf(type, frame), bytes)).toBe(700);
  });

  it('is not read from an update that looks otherwise', () => {
    const type = structure({ value: int, severity: int });
    const { bytes, frame } = makeUpdate(type, { value: 700 }, BitSet.of(1), packed);
    const layout = packedCounterLayoutOf(type, frame);
    expect(read(layout, bytes)).toBe(700);
    for (const other of [
      makeUpdate(type, { value: 700, severity: 2 }, BitSet.of(1, 2), packed),
      makeUpdate(type, { value: 70_000 }, BitSet.of(1), packed),
      makeUpdate(type, { value: 900 }, BitSet.of(1), { ...packed, overrun: BitSet.of(1) }),
      makeUpdate(type, { severity: 900 }, BitSet.of(2), packed),
    ]) {
      expect(read(layout, other.bytes)).toBeUndefined();
    }
  });

  it.each<[string, StructureType, BitSet]>([
    ['did not change', structure({ value: int, other: int }), BitSet.of(2)],
    ['comes behind another field', structure({ other: int, value: int }), BitSet.of(1, 2)],
    ['is text', structure({ value: string }), BitSet.of(1)],
    ['is true or false', structure({ value: boolean }), BitSet.of(1)],
    ['is a structure', structure({ value: structure({ index: int }) }), BitSet.of(1)],
  ])('has no layout where the value %s', (_what, type, changed) => {
    expect(packedCounterLayoutOf(type, makeUpdate(type, {}, changed, packed).frame)).toBeUndefined();
  });
});

describe('an update has no layout', () => {
  const alarm = structure({ severity: int, message: string });

  it.each<[string, StructureType, BitSet]>([
    ['without a value', structure({ other: int }), BitSet.of(1)],
    ['whose value is text', structure({ value: string }), BitSet.of(1)],
    ['whose value is true or false', structure({ value: boolean }), BitSet.of(1)],
    ['whose value is a structure', structure({ value: structure({ index: int }) }), BitSet.of(1)],
    ['whose value did not change', structure({ value: int, other: int }), BitSet.of(2)],
    ['where another field comes first', structure({ other: int, value: int }), BitSet.of(1, 2)],
    ['with text behind the value', structure({ value: int, alarm }), BitSet.of(1, 4)],
    ['with a structure that holds text', structure({ value: int, alarm }), BitSet.of(1, 2)],
  ])('%s', (_what, type, changed) => {
    const { frame } = makeUpdate(type, {}, changed);
    expect(counterLayoutOf(type, changed, frame)).toBeUndefined();
  });

  it('where all of a structure is told by its one bit, in which the value does not come first', () => {
    const type = structure({ value: int });
    const { frame } = makeUpdate(type, { value: 3 }, BitSet.of(0));
    expect(counterLayoutOf(type, BitSet.of(0), frame)).toBeUndefined();
  });

  it('but has one when the text did not change, or a structure of numbers did', () => {
    const type = structure({ value: int, alarm, time: structure({ seconds: long }) });
    const changed = BitSet.of(1, 3, 5);
    const { bytes, frame } = makeUpdate(type, { value: 3 }, changed);
    expect(read(counterLayoutOf(type, changed, frame), bytes)).toBe(3);
    expect(valueBitOf(type)).toBe(1);
    expect(valueBitOf(structure({ alarm, value: int }))).toBe(4);
  });
});

describe('a step', () => {
  const small = { read: () => 0, modulus: 256 };

  it.each([
    [5, 6, 1],
    [5, 9, 4],
    [5, 5, 0],
    [9, 5, -4],
    [255, 0, 1],
    [254, 3, 5],
    [0, 255, -1],
    [3, 254, -5],
    [0, 128, 128],
    [128, 0, -128],
  ])('from %i to %i is %i, modulo 256', (before, now, step) => {
    expect(counterStep(small, before, now)).toBe(step);
  });
});
