// Is a server's type taken where it has what the caller expects, and is the first difference named where it has not?

import { describe, expect, it } from 'vitest';
import { requireExpected } from '../../src/client/expected-type.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { StructureType, TypeDesc } from '../../src/protocol/types/type-desc.ts';

const point = t.structure('point/1.0', { x: t.double, y: t.double });

describe('a type', () => {
  it.each<[string, StructureType, StructureType | undefined]>([
    ['nothing is expected', point, undefined],
    ['it is the very type', point, point],
    ['it has another id', t.structure('other', { x: t.double, y: t.double }), point],
    ['it has more fields', t.structure({ a: t.int, x: t.double, b: point, y: t.double }), point],
    ['its fields stand in another order', t.structure({ y: t.double, x: t.double }), point],
    [
      'a structure in it has more',
      t.structure({ p: t.structure({ x: t.double, y: t.double, z: t.double }) }),
      t.structure({ p: point }),
    ],
  ])('will do when %s', (_why, type, expected) => {
    expect(() => requireExpected('pv', type, expected)).not.toThrow();
  });

  it('is refused where a field is missing, at the top and below', () => {
    expect(() => requireExpected('pv', t.structure({ x: t.double }), point)).toThrow(LocalProtocolError);
    expect(() => requireExpected('pv', t.structure({ x: t.double }), point)).toThrow(
      /^pv: the channel has no y, double expected$/u,
    );
    const below = t.structure({ p: t.structure({ x: t.double }) });
    expect(() => requireExpected('pv', below, t.structure({ p: point }))).toThrow(
      /^pv: field p has no y, double expected$/u,
    );
    expect(() => requireExpected('pv', t.structure({ q: point }), t.structure({ p: point }))).toThrow(
      'the channel has no p, structure point/1.0 expected',
    );
  });

  it.each<[TypeDesc, string]>([
    [t.int, 'int'],
    [t.string, 'string'],
    [t.arrayOf(t.int), 'int[]'],
    [t.boundedArrayOf(t.int, 5), 'int[] (bounded 5)'],
    [t.fixedArrayOf(t.int, 5), 'int[] (fixed 5)'],
    [t.boundedString(40), 'string of at most 40'],
    [point, 'structure point/1.0'],
    [t.structure({ a: t.int }), 'structure'],
    [t.union({ a: t.int }), 'union'],
    [t.arrayOf(point), 'structure point/1.0[]'],
    [t.arrayOf(t.union({ a: t.int })), 'union[]'],
    [t.any, 'any'],
    [t.arrayOf(t.any), 'any[]'],
  ])('is named in words: %#', (type, name) => {
    const own = t.structure({ value: type });
    expect(() => requireExpected('pv', own, t.structure({ value: t.float }))).toThrow(
      `pv: field value is ${name}, float expected`,
    );
    expect(() => requireExpected('pv', t.structure({ value: t.float }), own)).toThrow(
      `pv: field value is float, ${name} expected`,
    );
  });
});
