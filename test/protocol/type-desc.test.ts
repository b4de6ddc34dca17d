// Are equal types one object, and do builders refuse what the wire cannot carry?

import { describe, expect, expectTypeOf, test } from 'vitest';

import { LocalProtocolError } from '../../src/protocol/errors.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import type { PvValue, ValueOf } from '../../src/protocol/types/value-of.ts';

describe('types', () => {
  test('that are equal are the same object', () => {
    const make = (): TypeDesc =>
      t.structure('a_t', { x: t.arrayOf(t.structure({ y: t.int })), u: t.union({ s: t.string }), a: t.anyArray });
    expect(make()).toBe(make());
    expect(t.boundedString(4)).toBe(t.boundedString(4));
    expect(t.arrayOf(t.any)).toBe(t.anyArray);
  });

  test('that differ in anything are different objects', () => {
    const types = [
      t.structure('', {}),
      t.union('', {}),
      t.structure({ a: t.int }),
      t.structure({ b: t.int }),
      t.structure('id', { a: t.int }),
      t.structure({ a: t.uint }),
      t.structure({ a: t.int, b: t.int }),
      t.structure({ b: t.int, a: t.int }),
      t.arrayOf(t.int),
      t.boundedArrayOf(t.int, 2),
      t.fixedArrayOf(t.int, 2),
      t.boundedString(2),
      t.string,
      // Names chosen to look like the punctuation of a careless key.
      t.structure({ 'a","b': t.int }),
    ];
    expect(new Set(types).size).toBe(types.length);
  });

  test('know their bits, nodes and depth', () => {
    const inner = t.structure({ x: t.double, y: t.double });
    const type = t.structure({
      a: inner,
      list: t.arrayOf(inner),
      choice: t.union({ i: t.int, s: t.string }),
      any: t.any,
    });
    expect(type.bitCount).toBe(1 + 3 + 1 + 1 + 1);
    expect(type.nodeCount).toBe(1 + 3 + 4 + 3 + 1);
    expect(type.depth).toBe(3);
  });

  test('keep the order of fields whose names look like numbers when they come as a list', () => {
    const type = t.structure('', [
      { name: '2', type: t.int },
      { name: '1', type: t.int },
    ]);
    expect(type.fields.map(({ name }) => name)).toEqual(['2', '1']);
  });

  test('cannot have two fields of one name', () => {
    const twice = [
      { name: 'a', type: t.int },
      { name: 'a', type: t.int },
    ];
    expect(() => t.structure('x_t', twice)).toThrow(new LocalProtocolError("two fields of one x_t are named 'a'"));
    expect(() => t.union('', twice)).toThrow(/two fields of one type are named 'a'/);
  });

  test.each([0, -1, 1.5, 2 ** 31, Number.NaN])('cannot have a bound of %d', (bound) => {
    expect(() => t.boundedString(bound)).toThrow(
      /bound of a string is .*, a whole number from 1 to 2147483647 expected/,
    );
    expect(() => t.boundedArrayOf(t.int, bound)).toThrow(/bound of an array/);
    expect(() => t.fixedArrayOf(t.int, bound)).toThrow(/size of an array/);
  });

  test('are made by builders only', () => {
    const forged = {
      kind: 'structure',
      id: '',
      fields: [],
      indexOf: new Map(),
      bitCount: 1,
      nodeCount: 1,
      depth: 1,
    } as const;
    expect(() => t.arrayOf(forged)).toThrow(/none of the builders made/);
  });

  test('infer the TypeScript type of their values', () => {
    const type = t.structure('epics:nt/NTScalar:1.0', {
      value: t.double,
      count: t.ulong,
      samples: t.arrayOf(t.float),
      names: t.arrayOf(t.string),
      choice: t.union({ number: t.int, text: t.string }),
      rows: t.arrayOf(t.structure({ ok: t.boolean })),
    });
    type Value = ValueOf<typeof type>;
    expectTypeOf<Value['value']>().toEqualTypeOf<number>();
    expectTypeOf<Value['count']>().toEqualTypeOf<bigint>();
    expectTypeOf<Value['samples']>().toEqualTypeOf<Float32Array>();
    expectTypeOf<Value['names']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<Value['choice']>().toEqualTypeOf<
      { readonly select: 'number'; readonly value: number } | { readonly select: 'text'; readonly value: string } | null
    >();
    expectTypeOf<Value['rows']>().toEqualTypeOf<readonly ({ readonly ok: boolean } | null)[]>();
    expectTypeOf<ValueOf<TypeDesc>>().toEqualTypeOf<PvValue>();
    expect(type.fields.length).toBe(6);
  });
});
