// Which types do plain JavaScript values get?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { LocalProtocolError } from '../../src/protocol/errors.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { coerce } from '../../src/protocol/values/coerce.ts';
import { inferType } from '../../src/protocol/values/infer-type.ts';
import { isPlainObject } from '../../src/protocol/values/plain-object.ts';

describe('the inferred type', () => {
  const point = t.structure({ x: t.double });

  test.each<[value: unknown, type: TypeDesc]>([
    [1, t.double],
    [1.5, t.double],
    [Number.NaN, t.double],
    [1n, t.long],
    [-(2n ** 63n), t.long],
    [2n ** 63n, t.ulong],
    ['text', t.string],
    [true, t.boolean],
    [null, t.any],
    [{ type: t.short, value: 1 }, t.any],
    [Int8Array.of(1), t.arrayOf(t.byte)],
    [Buffer.of(1), t.arrayOf(t.ubyte)],
    [Uint8ClampedArray.of(1), t.arrayOf(t.ubyte)],
    [new Float32Array(0), t.arrayOf(t.float)],
    [BigUint64Array.of(1n), t.arrayOf(t.ulong)],
    [[1, 2], t.arrayOf(t.double)],
    [[1n, 2n], t.arrayOf(t.long)],
    [[1n, 2n ** 63n], t.arrayOf(t.ulong)],
    [[-1n, 2n ** 63n], t.anyArray],
    [['a'], t.arrayOf(t.string)],
    [[true], t.arrayOf(t.boolean)],
    [[1, 'a'], t.anyArray],
    [[1, null], t.anyArray],
    [[1n, 2n ** 63n, null], t.anyArray],
    [[null], t.anyArray],
    [[[1], [2]], t.anyArray],
    [[{ x: 1 }, { x: 2 }], t.arrayOf(point)],
    [[{ x: 1 }, null], t.arrayOf(point)],
    [[{ x: 1 }, { y: 1 }], t.anyArray],
    [{ a: 1, b: 'x', gone: undefined, p: { x: 1 } }, t.structure({ a: t.double, b: t.string, p: point })],
    [{}, t.structure({})],
    [JSON.parse('{"__proto__": 1}'), t.structure('', [{ name: '__proto__', type: t.double }])],
  ])('of %o', (value, type) => {
    expect(inferType(value)).toBe(type);
  });

  test.each<[value: unknown, path: string, message: string]>([
    [undefined, '', 'a value that has a type expected, nothing given'],
    [() => 1, '', 'a value that has a type expected, a function given'],
    [new Map(), '', 'a value that has a type expected, a Map given'],
    [{ a: [] }, 'a', 'a: a list with elements, or { type, value } expected, a list of 0 given'],
    [{ a: [{ b: 2n ** 64n }] }, 'a[0].b', 'a[0].b: a number of 64 bits expected, bigint 18446744073709551616 given'],
    [[new DataView(new ArrayBuffer(1))], '[0]', '[0]: a value that has a type expected, a DataView given'],
  ])('of %o is refused', (value, path, message) => {
    const refused = new LocalProtocolError(message);
    refused.fieldPath = path;
    expect(() => inferType(value)).toThrow(refused);
  });

  test('of an object that contains itself is refused', () => {
    const loop: Record<string, unknown> = {};
    loop['again'] = [{ loop }];
    expect(() => inferType(loop, 'query.a')).toThrow(/^query\.a\.again\[0\]\.loop.*levels of a value: 21 asked/);
  });

  test('of any JSON takes the JSON', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('[]'));
    fc.assert(
      fc.property(json, (value) => {
        const type = inferType(value);
        expect(() => coerce(type, value)).not.toThrow();
      }),
    );
  });
});

describe('a plain object', () => {
  test('is data, of this realm or another', () => {
    class Sample {
      value = 1;
    }
    expect(isPlainObject({})).toBe(true);
    expect(isPlainObject(Object.create(null))).toBe(true);
    expect(isPlainObject(Object.create(Object.create(null) as object))).toBe(true);
    expect(isPlainObject(new Sample())).toBe(false);
    expect(isPlainObject([])).toBe(false);
    expect(isPlainObject(null)).toBe(false);
    expect(isPlainObject('text')).toBe(false);
  });
});
