// Does what people and programs give become the value they mean, or a sentence that says what, where and what instead?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntNdArray } from '../../src/protocol/normative/nt-nd-array.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { enumType } from '../../src/protocol/normative/substructures.ts';
import { Reader } from '../../src/protocol/reader.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { StructureType, TypeDesc } from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { encodeType, TypeReceiver } from '../../src/protocol/types/wire.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { coerce, coercePartial } from '../../src/protocol/values/coerce.ts';
import { leafMask } from '../../src/protocol/values/leaf-mask.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { isSameValue, masksOf, structureTypes, typedValues, valuesOf } from '../support/arbitraries.ts';

const SCALAR = ntScalar(t.double, { display: true });
const GROUP = t.structure('demo/1.0', {
  n: t.int,
  choice: t.union({ i: t.int, s: t.string }),
  anything: t.any,
  list: t.arrayOf(t.structure('item_t', { name: t.string, size: t.int })),
  choices: t.arrayOf(t.union({ i: t.int, s: t.string })),
  anys: t.anyArray,
  inner: t.structure({ x: t.double, deep: t.structure({ flag: t.boolean }), 'a.b': t.int }),
});

function refusal(run: () => unknown): LocalProtocolError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof LocalProtocolError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

describe('a scalar', () => {
  test.each<[type: TypeDesc, input: unknown, value: PvValue]>([
    [t.boolean, true, true],
    [t.boolean, 1, true],
    [t.boolean, 0n, false],
    [t.boolean, 'true', true],
    [t.boolean, ' FALSE ', false],
    [t.boolean, '1', true],
    [t.boolean, '0', false],
    [t.byte, -128, -128],
    [t.ubyte, 255n, 255],
    [t.short, '-32768', -32_768],
    [t.ushort, '+65535', 65_535],
    [t.int, ' 12 ', 12],
    [t.int, '0x7fffffff', 0x7fff_ffff],
    [t.int, '-0x80000000', -0x8000_0000],
    [t.int, -0, 0],
    [t.uint, 4_294_967_295, 4_294_967_295],
    [t.long, 5, 5n],
    [t.long, '9223372036854775807', 2n ** 63n - 1n],
    [t.long, Number.MIN_SAFE_INTEGER, BigInt(Number.MIN_SAFE_INTEGER)],
    [t.ulong, '0xffffffffffffffff', 2n ** 64n - 1n],
    [t.float, 0.1, Math.fround(0.1)],
    [t.float, '1e-3', Math.fround(0.001)],
    [t.float, 'NaN', Number.NaN],
    [t.double, 3n, 3],
    [t.double, '-.5', -0.5],
    [t.double, '7.', 7],
    [t.double, 'Infinity', Infinity],
    [t.double, '-inf', -Infinity],
    [t.double, ' nan ', Number.NaN],
    [t.double, 2n ** 60n, 2 ** 60],
    [t.string, 'text', 'text'],
    [t.string, 1.5, '1.5'],
    [t.string, 2n ** 63n, '9223372036854775808'],
    [t.string, false, 'false'],
    [t.boundedString(4), 'üü', 'üü'],
    [t.boundedString(4), 12, '12'],
  ])('%o of %o', (type, input, value) => {
    expect(coerce(type, input)).toBe(value);
  });

  test.each<[type: TypeDesc, input: unknown, message: string]>([
    [t.boolean, 2, 'true or false expected, number 2 given'],
    [t.boolean, 'yes', "true or false expected, text 'yes' given"],
    [t.boolean, null, 'true or false expected, null given'],
    [t.byte, 128, 'number 128 does not fit byte, whole numbers from -128 to 127 do'],
    [t.ubyte, -1n, 'bigint -1 does not fit ubyte, whole numbers from 0 to 255 do'],
    [t.int, 1.5, 'number 1.5 does not fit int, whole numbers from -2147483648 to 2147483647 do'],
    [t.int, Number.NaN, 'number NaN does not fit int, whole numbers from -2147483648 to 2147483647 do'],
    [t.int, '1.0', "a whole number (int) expected, text '1.0' given"],
    [t.int, '', "a whole number (int) expected, text '' given"],
    [t.int, true, 'a whole number (int) expected, boolean true given'],
    [t.int, '99999999999', "text '99999999999' does not fit int, whole numbers from -2147483648 to 2147483647 do"],
    [t.long, 2 ** 53, 'a bigint or text for a number past 2^53 (long) expected, number 9007199254740992 given'],
    [t.long, 0.5, 'a whole number (long) expected, number 0.5 given'],
    [t.long, [], 'a whole number (long) expected, a list of 0 given'],
    [
      t.long,
      2n ** 63n,
      'bigint 9223372036854775808 does not fit long, whole numbers from -9223372036854775808 to 9223372036854775807 do',
    ],
    [t.ulong, '-1', "text '-1' does not fit ulong, whole numbers from 0 to 18446744073709551615 do"],
    [t.double, 2n ** 53n + 1n, 'a number that double holds exactly expected, bigint 9007199254740993 given'],
    [t.double, 10n ** 400n, `a number that double holds exactly expected, bigint 1${'0'.repeat(59)}… given`],
    [t.float, -(10n ** 400n), `a number that float holds exactly expected, bigint -1${'0'.repeat(58)}… given`],
    [t.double, '1e999', "a number up to 1.8e308 (double) expected, text '1e999' given"],
    [t.double, '0x10', "a number (double) expected, text '0x10' given"],
    [t.double, {}, 'a number (double) expected, an object given'],
    [t.float, 1e39, 'a number up to 3.4e38 (float) expected, number 1e+39 given'],
    [t.float, Symbol('s'), 'a number (float) expected, a symbol given'],
    [t.string, null, 'a string expected, null given'],
    [t.string, undefined, 'a string expected, nothing given'],
    [t.boundedString(3), 'üü', "a string of at most 3 bytes expected, text 'üü (4 bytes)' given"],
  ])('%o refuses %o', (type, input, message) => {
    expect(refusal(() => coerce(type, input)).message).toBe(message);
  });

  test('refuses a long text that is nearly a number at once', () => {
    const before = performance.now();
    expect(() => coerce(t.double, `${'1'.repeat(100_000)}x`)).toThrow('a number (double) expected');
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe('an array', () => {
  test.each<[type: TypeDesc, input: unknown, value: PvValue]>([
    [t.arrayOf(t.int), [1, 2n, '3'], Int32Array.of(1, 2, 3)],
    [t.arrayOf(t.int), new Float64Array([1, 2]), Int32Array.of(1, 2)],
    [t.arrayOf(t.double), Int16Array.of(1, -2), Float64Array.of(1, -2)],
    [t.arrayOf(t.float), [0.1], Float32Array.of(0.1)],
    [t.arrayOf(t.long), [1, 2n], BigInt64Array.of(1n, 2n)],
    [t.arrayOf(t.ulong), Uint8Array.of(7), BigUint64Array.of(7n)],
    [t.arrayOf(t.ubyte), Uint8ClampedArray.of(7), Uint8Array.of(7)],
    [t.arrayOf(t.ubyte), Buffer.from('ab'), Uint8Array.of(97, 98)],
    [t.arrayOf(t.boolean), [true, 'false', 1], [true, false, true]],
    [t.arrayOf(t.boolean), Uint8Array.of(0, 1), [false, true]],
    [t.arrayOf(t.string), ['a', 1, true], ['a', '1', 'true']],
    [t.arrayOf(t.string), [], []],
    [t.boundedArrayOf(t.int, 2), [1, 2], Int32Array.of(1, 2)],
    [t.fixedArrayOf(t.int, 2), [1, 2], Int32Array.of(1, 2)],
    [t.fixedArrayOf(t.int, 2), [], Int32Array.of()],
  ])('%o of %o', (type, input, value) => {
    expect(coerce(type, input)).toStrictEqual(value);
  });

  test('is not copied when it is one already', () => {
    const samples = Float64Array.of(1, 2);
    expect(coerce(t.arrayOf(t.double), samples)).toBe(samples);
    const bytes = Buffer.from('ab');
    expect(coerce(t.arrayOf(t.ubyte), bytes)).toHaveProperty('buffer', bytes.buffer);
  });

  test('is copied out of shared memory', () => {
    const shared = new Int32Array(new SharedArrayBuffer(8));
    expect(coerce(t.arrayOf(t.int), shared)).toStrictEqual(new Int32Array(2));
  });

  test.each<[type: TypeDesc, input: unknown, path: string, message: string]>([
    [t.arrayOf(t.ubyte), [1, 256], '[1]', '[1]: number 256 does not fit ubyte, whole numbers from 0 to 255 do'],
    [
      t.arrayOf(t.int),
      Float64Array.of(0.5),
      '[0]',
      '[0]: number 0.5 does not fit int, whole numbers from -2147483648 to 2147483647 do',
    ],
    [t.arrayOf(t.string), ['a', null], '[1]', '[1]: a string expected, null given'],
    [t.arrayOf(t.double), Array(1), '[0]', '[0]: a number (double) expected, nothing given'],
    [t.arrayOf(t.double), 5, '', 'a list (double[]) expected, number 5 given'],
    [t.arrayOf(t.double), new DataView(new ArrayBuffer(8)), '', 'a list (double[]) expected, a DataView given'],
    [t.boundedArrayOf(t.int, 2), [1, 2, 3], '', 'at most 2 elements expected, 3 given'],
    [t.fixedArrayOf(t.int, 2), [1], '', 'exactly 2 elements expected, 1 given'],
  ])('%o refuses %o', (type, input, path, message) => {
    const { message: sentence, fieldPath } = refusal(() => coerce(type, input));
    expect(sentence).toBe(message);
    expect(fieldPath).toBe(path);
  });
});

describe('a structure', () => {
  test('takes the fields that are named and has defaults for the others', () => {
    expect(coerce(SCALAR, { value: 2, alarm: { severity: 1 } })).toEqual({
      value: 2,
      alarm: { severity: 1, status: 0, message: '' },
      timeStamp: { secondsPastEpoch: 0n, nanoseconds: 0, userTag: 0 },
      display: { limitLow: 0, limitHigh: 0, description: '', units: '' },
    });
  });

  test('keeps the fields of the current value, whose objects it shares and never changes', () => {
    const current = coerce(SCALAR, { value: 2, alarm: { severity: 1, message: 'kept' } });
    const next = coerce(SCALAR, { alarm: { status: 3 } }, '', current);
    expect(next).toMatchObject({ value: 2, alarm: { severity: 1, status: 3, message: 'kept' } });
    expect(current).toMatchObject({ alarm: { status: 0 } });
    expect((next as Record<string, unknown>)['timeStamp']).toBe((current as Record<string, unknown>)['timeStamp']);
  });

  test('takes paths, objects without a prototype, and leaves undefined out', () => {
    const bare = Object.assign(Object.create(null) as object, { 'inner.deep.flag': true, n: undefined });
    expect(coerce(GROUP, bare)).toMatchObject({ n: 0, inner: { deep: { flag: true } } });
    expect(coerce(GROUP, { 'inner.x': 1, inner: { x: 2 } })).toMatchObject({ inner: { x: 2 } });
    expect(coerce(GROUP, { 'inner.a.b': 3 })).toMatchObject({ inner: { 'a.b': 3 } });
    const nameless = t.structure({ '': t.structure({ x: t.int, '': t.int }) });
    expect(coerce(nameless, { '.x': 1, '.': 2 })).toEqual({ '': { x: 1, '': 2 } });
  });

  test('paths of nothing but dots are refused at once', () => {
    const before = performance.now();
    for (let count = 16_000; count < 16_020; count++) {
      expect(() => coercePartial(GROUP, { ['.'.repeat(count)]: 1 })).toThrow('no such field');
    }
    expect(performance.now() - before).toBeLessThan(1_000);
    const dotted = t.structure('', [{ name: '.', type: t.structure({ '..': t.int }) }]);
    expect(coerce(dotted, { '....': 7 })).toEqual({ '.': { '..': 7 } });
  });

  test('takes the bare value where it is a normative scalar or array', () => {
    expect(coerce(SCALAR, '2.5')).toMatchObject({ value: 2.5 });
    expect(coerce(ntScalar(t.string), 'text')).toMatchObject({ value: 'text' });
    expect(coerce(ntScalarArray(t.int), [1, 2])).toMatchObject({ value: Int32Array.of(1, 2) });
    expect(coerce(t.structure({ x: SCALAR }), { x: 3 })).toMatchObject({ x: { value: 3 } });
  });

  test.each<[input: unknown, path: string, message: string]>([
    [{ valeu: 1 }, 'valeu', 'valeu: no such field, epics:nt/NTScalar:1.0 has value, alarm, timeStamp, display'],
    [{ alarm: { sev: 1 } }, 'alarm.sev', 'alarm.sev: no such field, alarm_t has severity, status, message'],
    [{ 'alarm.sev': 1 }, 'alarm.sev', 'alarm.sev: no such field, alarm_t has severity, status, message'],
    [{ 'value.x': 1 }, 'value.x', 'value.x: no such field, epics:nt/NTScalar:1.0 has value, alarm, timeStamp, display'],
    [{ alarm: 3 }, 'alarm', 'alarm: an object with fields severity, status, message expected, number 3 given'],
    [{ alarm: null }, 'alarm', 'alarm: an object with fields severity, status, message expected, null given'],
    [{ 'alarm.severity': 'x' }, 'alarm.severity', "alarm.severity: a whole number (int) expected, text 'x' given"],
    [new Map([['value', 1]]), 'value', 'value: a number (double) expected, a Map given'],
    [{ '': 1 }, '', 'no such field, epics:nt/NTScalar:1.0 has value, alarm, timeStamp, display'],
  ])('refuses %o', (input, path, message) => {
    const { message: sentence, fieldPath } = refusal(() => coerce(SCALAR, input));
    expect(sentence).toBe(message);
    expect(fieldPath).toBe(path);
  });

  test('says what a structure without an id, without fields or with many fields has', () => {
    const many = t.structure(
      '',
      Array.from({ length: 40 }, (_, index) => ({ name: `f${index}`, type: t.int })),
    );
    expect(refusal(() => coerce(many, { x: 1 })).message).toMatch(
      /^x: no such field, the structure has f0, .*, f11 and 28 more$/,
    );
    expect(refusal(() => coerce(t.structure({}), { x: 1 })).message).toBe('x: no such field, the structure has none');
    expect(refusal(() => coerce(GROUP, new Date(0))).message).toMatch(
      /^an object with fields n, .* expected, a Date given$/,
    );
  });

  test('takes nothing from prototypes and puts nothing into them', () => {
    expect(refusal(() => coerce(SCALAR, JSON.parse('{"__proto__": {"value": 1}}'))).fieldPath).toBe('__proto__');
    expect(refusal(() => coerce(SCALAR, { constructor: 1 })).fieldPath).toBe('constructor');
    const heir = Object.create({ value: 5 }) as object;
    expect(refusal(() => coerce(SCALAR, heir)).message).toBe('value: a number (double) expected, an object given');
    const odd = t.structure('', [{ name: '__proto__', type: t.structure({ polluted: t.int }) }]);
    const value = coerce(odd, JSON.parse('{"__proto__": {"polluted": 1}}'));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toEqual({ polluted: 1 });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('puts the path it is given before every other', () => {
    const { message, fieldPath } = refusal(() => coerce(SCALAR, { value: 'x' }, 'channels[3]'));
    expect(fieldPath).toBe('channels[3].value');
    expect(message).toBe("channels[3].value: a number (double) expected, text 'x' given");
  });
});

describe('an enum', () => {
  const current = coerce(ntEnum, { value: { index: 0, choices: ['Off', 'On', '7'] } });

  test.each<[input: unknown, index: number]>([
    ['On', 1],
    [1, 1],
    [2n, 2],
    ['1', 1],
    ['7', 2],
    [{ value: 'On' }, 1],
    [{ value: { index: 9 } }, 9],
  ])('of %o', (input, index) => {
    expect(coerce(ntEnum, input, '', current)).toMatchObject({ value: { index, choices: ['Off', 'On', '7'] } });
  });

  test.each<[input: unknown, given: string]>([
    ['on', "text 'on'"],
    [3, 'number 3'],
    [-1, 'number -1'],
    [0.5, 'number 0.5'],
    [-1n, 'bigint -1'],
    [true, 'boolean true'],
    [['On'], 'a list of 1'],
  ])('refuses %o and names the choices', (input, given) => {
    expect(refusal(() => coerce(ntEnum, input, '', current)).message).toBe(
      `value: one of 'Off', 'On', '7', or an index from 0 to 2 expected, ${given} given`,
    );
  });

  test('without known choices takes an index and no label', () => {
    expect(coerce(ntEnum, 5)).toMatchObject({ value: { index: 5 } });
    expect(refusal(() => coerce(ntEnum, 'On')).message).toBe(
      "value: the index of a choice (no labels are known) expected, text 'On' given",
    );
    expect(refusal(() => coerce(ntEnum, 2 ** 31)).fieldPath).toBe('value');
  });

  test('alone is one too, and a long list of choices is shown by its beginning', () => {
    const choices = Array.from({ length: 20 }, (_, index) => `choice ${index}`);
    const many = coerce(enumType, { choices });
    expect(coerce(enumType, 'choice 19', '', many)).toMatchObject({ index: 19 });
    expect(refusal(() => coerce(enumType, 'x', '', many)).message).toMatch(
      /'choice 15' and 4 more, or an index from 0 to 19/,
    );
  });
});

describe('a union', () => {
  const type = t.union({
    i: t.int,
    l: t.long,
    s: t.string,
    b: t.boolean,
    bytes: t.arrayOf(t.ubyte),
    words: t.arrayOf(t.string),
    point: t.structure({ x: t.double }),
    points: t.arrayOf(t.structure({ x: t.double })),
  });

  test.each<[input: unknown, value: PvValue]>([
    [null, null],
    [
      { select: 's', value: 5 },
      { select: 's', value: '5' },
    ],
    [5, { select: 'i', value: 5 }],
    [5n, { select: 'l', value: 5n }],
    ['5', { select: 's', value: '5' }],
    [true, { select: 'b', value: true }],
    [Uint8Array.of(1), { select: 'bytes', value: Uint8Array.of(1) }],
    [[1, 2], { select: 'bytes', value: Uint8Array.of(1, 2) }],
    [['a'], { select: 'words', value: ['a'] }],
    [{ x: 1 }, { select: 'point', value: { x: 1 } }],
    [[{ x: 1 }, null], { select: 'points', value: [{ x: 1 }, null] }],
    [Int16Array.of(3), null],
  ])('of %o', (input, value) => {
    if (input instanceof Int16Array) {
      // Nothing looks like it, and both arrays could hold it.
      expect(refusal(() => coerce(type, input)).message).toBe(
        '{ select, value } expected, because bytes, words could all take the value',
      );
      return;
    }
    expect(coerce(type, input)).toStrictEqual(value);
  });

  test('takes what only one member can read, though it looks like none', () => {
    const short = t.union('', [
      { name: 'text', type: t.boundedString(3) },
      { name: 'n', type: t.any },
    ]);
    expect(coerce(short, 'abc')).toStrictEqual({ select: 'text', value: 'abc' });
    expect(coerce(t.union({ i: t.int, w: t.arrayOf(t.string) }), '5')).toStrictEqual({ select: 'i', value: 5 });
    expect(
      coerce(t.union({ u: t.union({ i: t.int }), l: t.arrayOf(t.union({ i: t.int })), a: t.anyArray }), 5),
    ).toStrictEqual({
      select: 'u',
      value: { select: 'i', value: 5 },
    });
  });

  test.each<[input: unknown, message: string]>([
    [
      { select: 'x', value: 1 },
      "the name of a member (i, l, s, b, bytes, words, point, points) expected, text 'x' given",
    ],
    [{ select: 'i', value: 'x' }, "i: a whole number (int) expected, text 'x' given"],
    [[], '{ select, value } expected, because bytes, words, points could all take the value'],
    [
      () => 1,
      'a value that a member takes (i, l, s, b, bytes, words, point, points), or null expected, a function given',
    ],
  ])('refuses %o', (input, message) => {
    expect(refusal(() => coerce(type, input)).message).toBe(message);
  });

  test('of an image is chosen by the kind of its array', () => {
    expect(coerce(ntNdArray, { value: Uint16Array.of(1) })).toMatchObject({ value: { select: 'ushortValue' } });
    expect(coerce(ntNdArray, { value: BigInt64Array.of(1n) })).toMatchObject({ value: { select: 'longValue' } });
  });

  test('does not hide what is no refusal', () => {
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new TypeError('trap');
        },
      },
    );
    expect(() => coerce(t.union({ s: t.structure({ x: t.int }) }), trap)).toThrow(new TypeError('trap'));
  });
});

describe('an any', () => {
  test('takes null, a value with its type, or infers the type', () => {
    expect(coerce(t.any, null)).toBeNull();
    expect(coerce(t.any, { type: t.short, value: '7' })).toStrictEqual({ type: t.short, value: 7 });
    expect(coerce(t.any, 7)).toStrictEqual({ type: t.double, value: 7 });
    expect(coerce(t.any, { type: 'short', value: 7 })).toStrictEqual({
      type: t.structure({ type: t.string, value: t.double }),
      value: { type: 'short', value: 7 },
    });
    expect(coerce(t.anyArray, [1, null, 'x'])).toStrictEqual([
      { type: t.double, value: 1 },
      null,
      { type: t.string, value: 'x' },
    ]);
  });

  test('says where in it a value does not fit', () => {
    expect(refusal(() => coerce(t.any, { type: t.short, value: 1e6 })).message).toMatch(
      /^number 1000000 does not fit short/,
    );
    expect(
      refusal(() => coerce(GROUP, { anys: [{ type: SCALAR, value: { alarm: { severity: 'x' } } }] })).fieldPath,
    ).toBe('anys[0].alarm.severity');
  });

  test('that contains itself is refused', () => {
    const loop: Record<string, unknown> = { type: t.any };
    loop['value'] = loop;
    expect(refusal(() => coerce(t.any, loop)).message).toBe('any inside any: 21 asked, maxTypeNesting allows 20');
  });
});

describe('a list', () => {
  test('of structures, unions or any has what its elements have, and null', () => {
    expect(
      coerce(GROUP, { list: [{ name: 'a' }, null, { size: 2 }], choices: [1, null, 'x', { select: 's', value: 1 }] }),
    ).toMatchObject({
      list: [{ name: 'a', size: 0 }, null, { name: '', size: 2 }],
      choices: [{ select: 'i', value: 1 }, null, { select: 's', value: 'x' }, { select: 's', value: '1' }],
    });
  });

  test('names the element that does not fit', () => {
    expect(refusal(() => coerce(GROUP, { list: [{}, { size: 'x' }] })).message).toBe(
      "list[1].size: a whole number (int) expected, text 'x' given",
    );
    expect(refusal(() => coerce(GROUP, { list: {} })).message).toBe(
      'list: a list of structure values expected, an object given',
    );
    expect(refusal(() => coerce(GROUP, { list: Array(1) })).fieldPath).toBe('list[0]');
  });
});

describe('a partial value', () => {
  test.each<[type: StructureType, patch: unknown, changed: readonly number[]]>([
    [SCALAR, 1, [1]],
    [SCALAR, { value: 1 }, [1]],
    [SCALAR, {}, []],
    [SCALAR, { value: undefined, alarm: {} }, []],
    [SCALAR, { alarm: { severity: 1 } }, [3]],
    [SCALAR, { 'alarm.severity': 1, 'alarm.message': '' }, [3, 5]],
    [SCALAR, { alarm: { severity: 0, status: 0, message: '' }, display: { units: 'V' } }, [3, 4, 5, 14]],
    [ntEnum, 1, [2]],
    [ntEnum, { value: 1 }, [2]],
    [ntEnum, { value: { choices: ['a', 'b'] } }, [3]],
    [GROUP, { choice: 5, anything: { a: 1 }, list: [{ size: 1 }], inner: { deep: { flag: 1 } } }, [2, 3, 4, 10]],
    [t.structure({ nothing: t.structure({}), n: t.int }), { nothing: {} }, [1]],
  ])('%# names the leaves it sets', (type, patch, changed) => {
    const update = coercePartial(type, patch);
    expect([...update.changed]).toEqual(changed);
    expect(leafMask(type, update.changed).equals(update.changed)).toBe(true);
  });

  test('of what is no structure is the whole', () => {
    expect(coercePartial(t.int, '5')).toEqual({ changed: BitSet.of(0), value: 5 });
  });

  test('is full, with the rest from the current value', () => {
    const current = coerce(ntEnum, { value: { choices: ['Off', 'On'] }, alarm: { message: 'kept' } });
    expect(coercePartial(ntEnum, 'On', current).value).toMatchObject({
      value: { index: 1, choices: ['Off', 'On'] },
      alarm: { message: 'kept' },
    });
  });

  test('refuses like a whole one', () => {
    expect(refusal(() => coercePartial(SCALAR, { value: 'x' })).fieldPath).toBe('value');
  });
});

describe('random types and values', () => {
  test('what has the type already comes out as it went in', () => {
    fc.assert(
      fc.property(typedValues(), ({ type, value }) => {
        expect(isSameValue(coerce(type, value), value)).toBe(true);
        expect(isSameValue(coerce(t.any, { type, value }), { type, value })).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('what was coerced can be encoded, and is read back the same', () => {
    fc.assert(
      fc.property(typedValues(), fc.boolean(), ({ type, value }, bigEndian) => {
        const codec = anyCodecOf(type);
        const writer = new Writer(bigEndian);
        codec.encode(writer, coerce(type, value), encodeType);
        const reader = new Reader(writer.view(), bigEndian);
        expect(isSameValue(codec.decode(reader, new TypeReceiver()), value)).toBe(true);
        expect(reader.remaining).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test('a patch of some leaves changes these leaves and no other', () => {
    const cases = structureTypes()
      .filter(({ fields }) => fields.length > 0)
      .chain((type) => fc.tuple(fc.constant(type), valuesOf(type), valuesOf(type), masksOf(type)));
    fc.assert(
      fc.property(cases, ([type, before, after, mask]) => {
        const leaves = leafMask(type, mask);
        const { changed, value } = coercePartial(type, patchOf(type, after, leaves, 0), before);
        expect([...changed]).toEqual([...leaves]);
        expect(isSameValue(value, anyCodecOf(type).merge(before, after, leaves))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** An object with the fields of `value` that `leaves` names. */
function patchOf(type: StructureType, value: PvValue, leaves: BitSet, bit: number): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  let next = bit + 1;
  for (const field of type.fields) {
    const end = next + field.type.bitCount;
    const own: unknown = Object.getOwnPropertyDescriptor(value, field.name)?.value;
    if (leaves.hasAny(next, end)) {
      const inner = field.type.kind === 'structure' ? patchOf(field.type, own as PvValue, leaves, next) : own;
      Object.defineProperty(patch, field.name, { value: inner, enumerable: true });
    }
    next = end;
  }
  return patch;
}
