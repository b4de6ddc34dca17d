// Are equal types one object, and do builders refuse what the wire cannot carry?

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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
      t.union({ a: t.int }),
      t.union('id', { a: t.int }),
      t.arrayOf(t.structure({ a: t.int })),
      t.arrayOf(t.structure({ b: t.int })),
      t.arrayOf(t.union({ a: t.int })),
      t.any,
      t.anyArray,
      t.int,
      t.arrayOf(t.int),
      t.arrayOf(t.uint),
      t.boundedArrayOf(t.int, 2),
      t.boundedArrayOf(t.int, 3),
      t.fixedArrayOf(t.int, 2),
      t.boundedString(2),
      t.boundedString(3),
      t.string,
      // Names chosen to look like the punctuation of a careless key.
      t.structure({ 'a","b': t.int }),
    ];
    expect(new Set(types).size).toBe(types.length);
  });

  test('say what they are', () => {
    const leaf = { bitCount: 1, nodeCount: 1, depth: 0 };
    const fields = [{ name: 'x', type: t.int }];
    const members = { fields, indexOf: new Map([['x', 0]]), nodeCount: 2, depth: 1 };
    const list = { bitCount: 1, nodeCount: 3, depth: 2 };
    const [point, choice] = [t.structure({ x: t.int }), t.union('choice_t', { x: t.int })];
    expect(t.scalar('int')).toEqual({ kind: 'scalar', scalar: 'int', ...leaf });
    expect(t.boundedString(7)).toEqual({ kind: 'boundedString', bound: 7, ...leaf });
    expect(t.any).toEqual({ kind: 'any', ...leaf });
    expect(t.anyArray).toEqual({ kind: 'anyArray', ...leaf, nodeCount: 2 });
    const ints = { kind: 'scalarArray', scalar: 'int', ...leaf };
    expect(t.arrayOf(t.int)).toEqual({ ...ints, sizing: 'variable', size: 0 });
    expect(t.boundedArrayOf(t.int, 1)).toEqual({ ...ints, sizing: 'bounded', size: 1 });
    expect(t.fixedArrayOf(t.int, 0x7fff_ffff)).toEqual({ ...ints, sizing: 'fixed', size: 0x7fff_ffff });
    expect(point).toEqual({ kind: 'structure', id: '', ...members, bitCount: 2 });
    expect(choice).toEqual({ kind: 'union', id: 'choice_t', ...members, bitCount: 1 });
    expect(t.arrayOf(point)).toEqual({ kind: 'structureArray', element: point, ...list });
    expect(t.arrayOf(choice)).toEqual({ kind: 'unionArray', element: choice, ...list });
  });

  test('are told from all that only looks like one', () => {
    for (const type of [t.int, t.any, t.structure({}), t.arrayOf(t.double)]) expect(t.isType(type)).toBe(true);
    for (const other of [null, undefined, 'int', () => t.int, {}, { ...t.int }]) expect(t.isType(other)).toBe(false);
  });

  test('cannot be changed by those who share them', () => {
    const given = { x: t.int };
    const type = t.structure(given);
    Object.assign(given, { y: t.int });
    expect(type.fields).toEqual([{ name: 'x', type: t.int }]);
    for (const part of [type, type.fields, type.fields[0], t.int]) expect(Object.isFrozen(part)).toBe(true);
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
      { name: 'b', type: t.int },
      { name: 'a', type: t.int },
      { name: 'a', type: t.int },
    ];
    expect(() => t.structure('x_t', twice)).toThrow(new LocalProtocolError("two fields of one x_t are named 'a'"));
    expect(() => t.union('', twice)).toThrow(new LocalProtocolError("two fields of one type are named 'a'"));
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

test('types that nobody has any more are forgotten, and only those', async () => {
  setFlagsFromString('--expose-gc');
  // `gc` is there in contexts that are made from now on.
  const collect = runInNewContext('gc') as () => void;
  const make = () => t.structure('rare_t', { only: t.structure({ here: t.boundedString(77) }) });
  const first = new WeakRef(make());
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  collect();
  // Made anew before it is known that the first one went.
  const second = make();
  expect(first.deref()).toBe(undefined);
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(make()).toBe(second);
});
