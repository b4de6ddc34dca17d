// Are values kept leaf by leaf read back as they were, and refused where they do not fit their type?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireStructure, unset } from '../../../src/channels/standard-fields.ts';
import { decodeLeaves, encodeLeaves } from '../../../src/channels/stores/stored-leaves.ts';
import { BitSet } from '../../../src/protocol/bit-set.ts';
import * as t from '../../../src/protocol/types/type-desc.ts';
import { anyCodecOf } from '../../../src/protocol/values/codec.ts';
import { leafMask } from '../../../src/protocol/values/leaf-mask.ts';
import { isSameValue, masksOf, structureTypes, valuesOf } from '../../support/arbitraries.ts';

const TYPE = t.structure({
  value: t.double,
  alarm: t.structure({ severity: t.int, message: t.string }),
  'a.b\\c': t.int,
  choice: t.union({ x: t.int }),
});

describe('stored leaves', () => {
  it('have paths and little-endian bytes', () => {
    const value = { value: 1.5, alarm: { severity: 2, message: 'hi' }, 'a.b\\c': 3, choice: { select: 'x', value: 4 } };
    const leaves = encodeLeaves(TYPE, { changed: BitSet.of(0), value });
    expect([...leaves].map(([path, bytes]) => [path, Buffer.from(bytes).toString('hex')])).toEqual([
      ['value', '000000000000f83f'],
      ['alarm.severity', '02000000'],
      ['alarm.message', '026869'],
      ['a\\.b\\\\c', '03000000'],
      ['choice', '0004000000'],
    ]);
  });

  it('come back as they were, over what there is', () => {
    const samples = structureTypes().chain((type) =>
      fc.tuple(fc.constant(type), valuesOf(type), valuesOf(type), masksOf(type)),
    );
    fc.assert(
      fc.property(samples, ([type, before, after, mask]) => {
        const base = requireStructure(before);
        const changed = leafMask(type, mask);
        const leaves = encodeLeaves(type, { changed: mask, value: requireStructure(after) });
        const decoded = decodeLeaves('a', type, leaves, base);
        expect(decoded.changed.equals(changed)).toBe(true);
        const expected = anyCodecOf(type).merge(before, after, changed);
        expect(isSameValue(decoded.value, expected)).toBe(true);
      }),
    );
  });

  it('are the defaults where nothing is stored', () => {
    expect(decodeLeaves('a', TYPE, []).value).toEqual(unset(TYPE).value);
  });

  it.each([
    ['a leaf that the type does not have', 'alarm.status', '00000000', /'alarm\.status' .*no such leaf/u],
    ['a structure instead of its leaves', 'alarm', '00000000', /no such leaf/u],
    ['a leaf of a prototype', 'constructor', '00', /no such leaf/u],
    ['too few bytes', 'value', '0000', /'value' does not fit.*8 bytes expected/u],
    ['too many bytes', 'value', '000000000000f83f00', /1 bytes are left over/u],
    ['a member that the union does not have', 'choice', '0700000000', /'choice' does not fit/u],
    ['a text that claims more than there is', 'alarm.message', 'feffffff7f', /'alarm\.message' does not fit/u],
  ])('are refused by name with %s', (_, path, hex, why) => {
    const decode = () => decodeLeaves('lab:x', TYPE, [[path, Buffer.from(hex, 'hex')]]);
    expect(decode).toThrow(why);
    expect(decode).toThrow(/channel 'lab:x'/u);
  });

  it('are refused where one has the bytes of another, also if all together have as many as they should', () => {
    const stored = (value: string, severity: string): (readonly [string, Uint8Array])[] => [
      ['value', Buffer.from(value, 'hex')],
      ['alarm.severity', Buffer.from(severity, 'hex')],
    ];
    expect(decodeLeaves('x', TYPE, stored('000000000000f83f', '02000000')).value).toMatchObject({
      value: 1.5,
      alarm: { severity: 2 },
    });
    expect(() => decodeLeaves('x', TYPE, stored('000000000000f8', '3f02000000'))).toThrow(/leaf 'value' does not fit/u);
    expect(() => decodeLeaves('x', TYPE, stored('000000000000f83f02', '000000'))).toThrow(/1 bytes are left over/u);
  });
});
