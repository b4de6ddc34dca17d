// Which puts do control limits and the minimum step let through, and what becomes of the others?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ControlMode } from '../../src/channels/behaviours/control-limits.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import {
  double,
  float,
  int,
  long,
  string,
  structure,
  ubyte,
  ulong,
  type ScalarType,
  type StructureType,
} from '../../src/protocol/types/type-desc.ts';
import type { NumericName } from '../../src/protocol/values/array-codec.ts';
import { putRequestFor, putTo } from '../support/put-to.ts';

interface Limits {
  readonly limitLow?: number | bigint;
  readonly limitHigh?: number | bigint;
  readonly minStep?: number | bigint;
}

function make(mode: ControlMode, scalar: ScalarType<NumericName>, value: unknown, control: Limits) {
  return SharedPV.mailbox<StructureType>(ntScalar(scalar, { control: true }), {
    control: mode,
    initial: { value, control },
  });
}

/** What the value is after a put, or the refusal. */
async function after(pv: SharedPV, value: unknown): Promise<unknown> {
  try {
    await putTo(pv, { value });
  } catch (thrown) {
    return String(thrown);
  }
  return pv.value['value'];
}

const REFUSED = (text: string): string => `PvaError: ${text}`;

describe('control limits', () => {
  it.each<[string, ScalarType<NumericName>, Limits, unknown, unknown, unknown]>([
    ['inside', double, { limitLow: 0, limitHigh: 100 }, 50, 50, 50],
    ['equal to the low limit', double, { limitLow: 0, limitHigh: 100 }, 0, 0, 0],
    ['equal to the high limit', double, { limitLow: 0, limitHigh: 100 }, 100, 100, 100],
    [
      'just above',
      double,
      { limitLow: 0, limitHigh: 100 },
      100.000001,
      100,
      REFUSED('value 100.000001 is outside of the limits 0 to 100'),
    ],
    [
      'far below',
      double,
      { limitLow: 0, limitHigh: 100 },
      -1e300,
      0,
      REFUSED('value -1e+300 is outside of the limits 0 to 100'),
    ],
    [
      'infinite',
      double,
      { limitLow: 0, limitHigh: 100 },
      Number.POSITIVE_INFINITY,
      100,
      REFUSED('value Infinity is outside of the limits 0 to 100'),
    ],
    [
      'NaN',
      double,
      { limitLow: 0, limitHigh: 100 },
      Number.NaN,
      REFUSED('value NaN is outside of the limits 0 to 100'),
      REFUSED('value NaN is outside of the limits 0 to 100'),
    ],
    ['anything, without limits', double, {}, 1e9, 1e9, 1e9],
    ['NaN, without limits', double, {}, Number.NaN, Number.NaN, Number.NaN],
    ['anything, the limits being the same', double, { limitLow: 5, limitHigh: 5 }, 7, 7, 7],
    ['anything, the limits being the wrong way round', double, { limitLow: 9, limitHigh: 1 }, 20, 20, 20],
    ['anything, a limit being NaN', double, { limitLow: 0, limitHigh: Number.NaN }, 20, 20, 20],
    [
      'above, as a byte',
      ubyte,
      { limitLow: 10, limitHigh: 99 },
      255,
      99,
      REFUSED('value 255 is outside of the limits 10 to 99'),
    ],
    [
      'one above, past 2^53',
      long,
      { limitLow: 0n, limitHigh: 9_007_199_254_740_993n },
      9_007_199_254_740_994n,
      9_007_199_254_740_993n,
      REFUSED('value 9007199254740994 is outside of the limits 0 to 9007199254740993'),
    ],
    [
      'equal to the limit past 2^53',
      long,
      { limitLow: 0n, limitHigh: 9_007_199_254_740_993n },
      9_007_199_254_740_993n,
      9_007_199_254_740_993n,
      9_007_199_254_740_993n,
    ],
    [
      'at the end of 64 bits',
      ulong,
      { limitLow: 1n, limitHigh: 18_446_744_073_709_551_614n },
      18_446_744_073_709_551_615n,
      18_446_744_073_709_551_614n,
      REFUSED('value 18446744073709551615 is outside of the limits 1 to 18446744073709551614'),
    ],
  ])('a value %s', async (_what, scalar, limits, asked, clipped, rejected) => {
    expect(await after(make('clip', scalar, 7, { ...limits }), asked)).toBe(clipped);
    expect(await after(make('reject', scalar, 7, { ...limits }), asked)).toBe(rejected);
  });

  it('change nothing when they refuse', async () => {
    const pv = make('reject', double, 7, { limitLow: 0, limitHigh: 10 });
    const before = pv.value;
    await expect(putTo(pv, { value: 11 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    expect(pv.value).toBe(before);
  });

  it('count before the handler sees the put', async () => {
    const seen: unknown[] = [];
    const pv = new SharedPV(ntScalar(double, { control: true }), {
      control: 'clip',
      initial: { control: { limitLow: 0, limitHigh: 10 } },
      onPut: (put) => void seen.push(put.value['value'], [...put.changed]),
    });
    await putTo(pv, { value: 11 });
    expect(seen).toEqual([10, [1]]);
  });

  it('have the client told what its put counts as', async () => {
    const told: string[] = [];
    const tell = (text: string): void => void told.push(text);
    const scalar = make('clip', double, 5, { limitLow: 0, limitHigh: 10, minStep: 1 });
    const array = SharedPV.mailbox(ntScalarArray(double, { control: true }), {
      control: 'clip',
      initial: { control: { limitLow: 0, limitHigh: 10 } },
    });
    await scalar.put({ ...putRequestFor(scalar, { value: 11 }), tell });
    await scalar.put({ ...putRequestFor(scalar, { value: 9.5 }), tell });
    await scalar.put({ ...putRequestFor(scalar, { value: 8 }), tell });
    await array.put({ ...putRequestFor(array, { value: [1, 11] }), tell });
    expect(told).toEqual(['value 11 counts as 10', 'value 9.5 counts as 10', 'values out of range were clipped']);
  });

  it('do not hold what the server posts', () => {
    const pv = make('reject', double, 7, { limitLow: 0, limitHigh: 10 });
    pv.post({ value: 11 });
    expect(pv.value['value']).toBe(11);
  });

  it('do not hold a put of other fields', async () => {
    const pv = make('reject', double, 70, { limitLow: 0, limitHigh: 10 });
    await putTo(pv, { alarm: { message: 'x' } });
    expect(pv.value['alarm']).toMatchObject({ message: 'x' });
  });

  it('are those of before the put, and those of a put afterwards', async () => {
    const pv = make('reject', double, 7, { limitLow: 0, limitHigh: 10 });
    const both = { value: 15, control: { limitHigh: 20 } };
    await expect(putTo(pv, both)).rejects.toThrow('limits 0 to 10');
    await putTo(pv, { control: { limitHigh: 20 } });
    await putTo(pv, { value: 15 });
    expect(pv.value['value']).toBe(15);
  });

  it('hold each number of an array', async () => {
    const arrays = (mode: ControlMode) =>
      SharedPV.mailbox(ntScalarArray(long, { control: true }), {
        control: mode,
        initial: { control: { limitLow: 0n, limitHigh: 10n } },
      });
    expect(await after(arrays('clip'), [5, -1, 11])).toEqual(BigInt64Array.of(5n, 0n, 10n));
    expect(await after(arrays('clip'), [])).toEqual(new BigInt64Array());
    expect(await after(arrays('reject'), [5, 11])).toBe(REFUSED('value 11 is outside of the limits 0 to 10'));
    expect(await after(arrays('reject'), [5, 10])).toEqual(BigInt64Array.of(5n, 10n));
  });

  it('refuse an array with a NaN behind a number that could be clipped', async () => {
    const pv = SharedPV.mailbox(ntScalarArray(double, { control: true }), {
      control: 'clip',
      initial: { control: { limitLow: 0, limitHigh: 10 } },
    });
    expect(await after(pv, [11, Number.NaN])).toBe(REFUSED('value NaN is outside of the limits 0 to 10'));
  });

  it('of another kind than the value are rounded inward when they clip', async () => {
    const type = structure({ value: int, control: structure({ limitLow: double, limitHigh: double }) });
    const pv = SharedPV.mailbox(type, { control: 'clip', initial: { control: { limitLow: 0.5, limitHigh: 9.5 } } });
    expect(await after(pv, 100)).toBe(9);
    expect(await after(pv, -100)).toBe(1);
    const wide = structure({ value: long, control: structure({ limitLow: double, limitHigh: double }) });
    const widePv = SharedPV.mailbox(wide, { control: 'clip', initial: { control: { limitLow: 0.5, limitHigh: 9.5 } } });
    expect(await after(widePv, 100)).toBe(9n);
  });

  it('need a type that has them', () => {
    expect(() => new SharedPV(ntScalar(double), { control: 'clip' })).toThrow('control: the type has no field control');
    expect(() => new SharedPV(ntScalar(string), { control: 'clip' })).toThrow(
      'control: the type has no field value that holds numbers',
    );
    expect(() => new SharedPV(structure({ x: int }), { control: 'clip' })).toThrow('no field value');
  });

  it('leave a clipped value inside of them, whatever is put', async () => {
    const pv = make('clip', long, 0, { limitLow: -1_000n, limitHigh: 2n ** 62n });
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (value) => {
        const clipped = await after(pv, value);
        expect(clipped).toSatisfy((found: bigint) => found >= -1_000n && found <= 2n ** 62n);
        if (value >= -1_000n && value <= 2n ** 62n) expect(clipped).toBe(value);
      }),
    );
  });

  it('leave a double inside of any two limits, whatever is put', async () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(finite, finite, fc.double({ noNaN: true }), async (one, other, value) => {
        const [limitLow, limitHigh] = [Math.min(one, other), Math.max(one, other)];
        fc.pre(limitLow < limitHigh);
        const clipped = await after(make('clip', double, limitLow, { limitLow, limitHigh }), value);
        // Both zeros are inside of limits that one of them is: which of them it is does not matter.
        const inside = Math.min(Math.max(value, limitLow), limitHigh);
        expect(Object.is(clipped, -0) ? 0 : clipped).toBe(inside === 0 ? 0 : inside);
      }),
      { examples: [[0, 1, -0]] },
    );
  });
});

describe('the minimum step', () => {
  it.each<[string, ScalarType<NumericName>, unknown, number | bigint, unknown, unknown, unknown]>([
    ['less', double, 5, 1, 5.5, 5, REFUSED('value 5.5 is less than the step of 1 away from 5')],
    ['less, downward', double, 5, 1, 4.5, 5, REFUSED('value 4.5 is less than the step of 1 away from 5')],
    ['exactly it', double, 5, 1, 6, 6, 6],
    ['exactly it but for rounding', double, 0.2, 0.1, 0.3, 0.3, 0.3],
    ['exactly it but for rounding, in single precision', float, 0.2, 0.1, 0.3, Math.fround(0.3), Math.fround(0.3)],
    ['more', double, 5, 1, 7.25, 7.25, 7.25],
    ['nothing', double, 5, 1, 5, 5, 5],
    ['more, from no number', double, Number.NaN, 1, 5, 5, 5],
    ['less, of an integer', int, 5, 3, 7, 5, REFUSED('value 7 is less than the step of 3 away from 5')],
    ['exactly it, of an integer', int, 5, 3, 8, 8, 8],
    [
      'one less, past 2^53',
      long,
      9_007_199_254_740_993n,
      2n,
      9_007_199_254_740_994n,
      9_007_199_254_740_993n,
      REFUSED('value 9007199254740994 is less than the step of 2 away from 9007199254740993'),
    ],
    [
      'exactly it, past 2^53',
      long,
      9_007_199_254_740_993n,
      2n,
      9_007_199_254_740_995n,
      9_007_199_254_740_995n,
      9_007_199_254_740_995n,
    ],
    ['anything, of no step', double, 5, 0, 5.0000001, 5.0000001, 5.0000001],
  ])('moved by %s', async (_what, scalar, from, minStep, asked, clipped, rejected) => {
    expect(await after(make('clip', scalar, from, { minStep }), asked)).toBe(clipped);
    expect(await after(make('reject', scalar, from, { minStep }), asked)).toBe(rejected);
  });

  it('is that which is asked for, so that a limit can be reached', async () => {
    const limits = { limitLow: 0, limitHigh: 100, minStep: 1 };
    expect(await after(make('clip', double, 99.5, limits), 101)).toBe(100);
    expect(await after(make('clip', double, 99.5, limits), 100)).toBe(99.5);
  });
});
