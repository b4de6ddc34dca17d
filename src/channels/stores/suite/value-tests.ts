// Does a store give back values of every kind of pvData exactly as they were?

import { deepStrictEqual, equal } from 'node:assert/strict';
import * as t from '../../../protocol/types/type-desc.ts';
import type { StructureType } from '../../../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../../../protocol/types/value-of.ts';
import { allLeaves } from '../../../protocol/values/leaf-mask.ts';
import type { ChannelUpdate } from '../../channel.ts';
import { bitsOf, Recorder, updateOf, type StoreTest } from './suite-support.ts';

const INNER = t.structure('inner_t', { a: t.int, b: t.string });
const CHOICE = t.union({ number: t.double, text: t.string, many: t.arrayOf(t.int) });

interface Sample {
  readonly type: t.TypeDesc;
  readonly values: readonly PvValue[];
}

/** Values that are easily lost on the way: extremes, signs of zero, nothing, and types inside of values. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  boolean: { type: t.boolean, values: [true, false] },
  byte: { type: t.byte, values: [-128, 127] },
  ubyte: { type: t.ubyte, values: [255] },
  short: { type: t.short, values: [-32_768] },
  ushort: { type: t.ushort, values: [65_535] },
  int: { type: t.int, values: [-2_147_483_648] },
  uint: { type: t.uint, values: [4_294_967_295] },
  long: { type: t.long, values: [-(2n ** 63n), 2n ** 63n - 1n, 9_007_199_254_740_993n] },
  ulong: { type: t.ulong, values: [2n ** 64n - 1n] },
  float: { type: t.float, values: [Math.fround(0.1), Number.NEGATIVE_INFINITY] },
  double: { type: t.double, values: [Number.NaN, -0, 5e-324, Number.POSITIVE_INFINITY, 0.1] },
  string: { type: t.string, values: ['', 'größe 温度 🌡', '\u0000\n"\\', 'x'.repeat(70_000)] },
  'bounded string': { type: t.boundedString(8), values: ['12345678', ''] },
  'boolean[]': { type: t.arrayOf(t.boolean), values: [[true, false], []] },
  'string[]': { type: t.arrayOf(t.string), values: [['a', '', 'ü']] },
  'double[]': { type: t.arrayOf(t.double), values: [Float64Array.of(1.5, Number.NaN, -0), new Float64Array(0)] },
  'long[]': { type: t.arrayOf(t.long), values: [BigInt64Array.of(-1n, 2n ** 62n)] },
  'bounded int[]': { type: t.boundedArrayOf(t.int, 3), values: [Int32Array.of(1, 2, 3), Int32Array.of(1)] },
  'fixed ubyte[]': { type: t.fixedArrayOf(t.ubyte, 4), values: [Uint8Array.of(0, 255, 1, 2)] },
  union: {
    type: CHOICE,
    values: [{ select: 'text', value: 'x' }, { select: 'many', value: Int32Array.of(1) }, null],
  },
  'union[]': { type: t.arrayOf(CHOICE), values: [[{ select: 'number', value: 1 }, null]] },
  any: {
    type: t.any,
    values: [
      { type: t.long, value: 5n },
      { type: INNER, value: { a: 1, b: 'x' } },
      { type: t.any, value: { type: t.arrayOf(t.double), value: Float64Array.of(1) } },
      null,
    ],
  },
  'any[]': { type: t.anyArray, values: [[{ type: t.string, value: 'x' }, null]] },
  structure: { type: INNER, values: [{ a: -1, b: 'y' }] },
  'structure[]': { type: t.arrayOf(INNER), values: [[{ a: 1, b: 'x' }, null, { a: 2, b: '' }], []] },
  'structure without fields': { type: t.structure({}), values: [{}] },
};

const ODD_FIELDS = ['a.b', 'a', '__proto__', 'constructor', '7', 'ü', '', 'back\\slash', 'format', 'revision'];

export function testValues(storeTest: StoreTest): void {
  for (const [name, { type, values }] of Object.entries(SAMPLES)) {
    storeTest(`keeps values of the kind ${name}`, async ({ store, openSecond }) => {
      const other = openSecond === undefined ? store : await openSecond();
      const recorder = new Recorder();
      store.watch(recorder);
      const whole = t.structure({ value: type, other: t.int });
      for (const [index, value] of values.entries()) {
        const channel = `a${index}`;
        await store.define({ name: channel, type: whole, settings: {} }, fullOf(whole, { value, other: 1 }));
        deepStrictEqual((await other.read(channel))?.state.value, { value, other: 1 });
        await store.write(channel, fullOf(whole, { value, other: 2 }));
        deepStrictEqual((await other.read(channel))?.state.value, { value, other: 2 });
        deepStrictEqual(recorder.valueOf(channel), { value, other: 2 });
      }
    });
  }

  storeTest('keeps fields with odd names apart', async ({ store, openSecond }) => {
    const inner = t.structure(
      '',
      ODD_FIELDS.map((name) => ({ name, type: t.int })),
    );
    const type = t.structure('', [
      { name: 'a', type: t.structure('', [{ name: 'b', type: t.int }]) },
      { name: 'a.b', type: t.int },
      { name: '__proto__', type: inner },
    ]);
    const innerValue = Object.defineProperty(
      Object.fromEntries(ODD_FIELDS.map((name, index) => [name, index + 10])),
      '__proto__',
      { value: 12, enumerable: true, writable: true, configurable: true },
    );
    const value = Object.fromEntries<PvValue>([
      ['a', { b: 1 }],
      ['a.b', 2],
      ['__proto__', innerValue],
    ]);
    await store.define({ name: 'odd', type, settings: {} });
    await store.write('odd', fullOf(type, value));
    const other = openSecond === undefined ? store : await openSecond();
    const found = (await other.read('odd'))?.state.value ?? {};
    equal(JSON.stringify(found), JSON.stringify(value));
  });

  storeTest('keeps an array of a million elements', async ({ store }) => {
    const type = t.structure({ value: t.arrayOf(t.double), count: t.int });
    const value = Float64Array.from({ length: 1_000_000 }, (_, index) => index / 3);
    await store.define({ name: 'big', type, settings: {} });
    await store.write('big', fullOf(type, { value, count: 1 }));
    await store.write('big', updateOf(type, { count: 2 }));
    const found = await store.read('big');
    equal(found?.state.value['count'], 2);
    deepStrictEqual(found?.state.value['value'], value);
  });

  storeTest('keeps which leaves were ever set', async ({ store, openSecond }) => {
    const type = t.structure({ deep: t.structure({ x: t.int, y: t.int }), z: t.int });
    await store.define({ name: 'a', type, settings: {} }, updateOf(type, { z: 0 }));
    await store.write('a', updateOf(type, { deep: { y: 0 } }));
    const other = openSecond === undefined ? store : await openSecond();
    deepStrictEqual(bitsOf((await other.read('a'))?.state ?? updateOf(type, {})), [3, 4]);
  });
}

function fullOf(type: StructureType, value: StructureValue): ChannelUpdate {
  return { changed: allLeaves(type), value };
}
