// Are parts of arrays read and replaced as a plain loop would do it, within what the type and the limits allow?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import {
  arrayOf,
  boolean,
  boundedArrayOf,
  double,
  fixedArrayOf,
  int,
  long,
  string,
  type ScalarArrayType,
} from '../../src/protocol/types/type-desc.ts';
import type { ScalarArrayValue } from '../../src/protocol/types/value-of.ts';
import { completed, partOf, withLength, withPart } from '../../src/protocol/values/array-parts.ts';

const DOUBLES = arrayOf(double);
const LIMITS = DEFAULT_LIMITS;

interface Kind {
  readonly type: ScalarArrayType;
  readonly zero: unknown;
  readonly make: (items: readonly number[]) => ScalarArrayValue;
}

const KINDS: readonly Kind[] = [
  { type: DOUBLES, zero: 0, make: (items) => Float64Array.from(items) },
  { type: arrayOf(int), zero: 0, make: (items) => Int32Array.from(items) },
  { type: arrayOf(long), zero: 0n, make: (items) => BigInt64Array.from(items, BigInt) },
  { type: arrayOf(string), zero: '', make: (items) => items.map(String) },
  { type: arrayOf(boolean), zero: false, make: (items) => items.map((item) => item % 2 === 1) },
];

/** What has to come out, element by element. */
function naivePart(items: readonly unknown[], offset: number, stride: number, count: number): unknown[] {
  const all = items.filter((_, at) => at >= offset && (at - offset) % stride === 0);
  return count === 0 ? all : all.slice(0, count);
}

function naivePut(
  items: readonly unknown[],
  offset: number,
  stride: number,
  elements: readonly unknown[],
  zero: unknown,
): unknown[] {
  const result = [...items];
  for (const [index, element] of elements.entries()) {
    while (result.length <= offset + index * stride) result.push(zero);
    result[offset + index * stride] = element;
  }
  return result;
}

const kinds = fc.constantFrom(...KINDS);
const items = fc.array(fc.nat(9), { maxLength: 20 });
const offsets = fc.nat(25);
const strides = fc.integer({ min: 1, max: 6 });

describe('a part', () => {
  it('is what a plain loop takes, for every kind of array', () => {
    fc.assert(
      fc.property(kinds, items, offsets, strides, fc.nat(25), ({ type, make }, numbers, offset, stride, count) => {
        fc.pre(offset <= numbers.length);
        const array = make(numbers);
        const part = partOf(type, array, { offset, stride }, count);
        expect([...part]).toEqual(naivePart([...array], offset, stride, count));
        expect(Object.getPrototypeOf(part)).toBe(Object.getPrototypeOf(array));
      }),
    );
  });

  it('without gaps in an array of numbers is a view', () => {
    const array = Float64Array.of(0, 1, 2, 3);
    expect(partOf(DOUBLES, array, { offset: 1, stride: 1 }, 2)).toMatchObject({ buffer: array.buffer, length: 2 });
  });

  it('at the very end is empty, past it is refused', () => {
    const array = Float64Array.of(1, 2);
    expect(partOf(DOUBLES, array, { offset: 2, stride: 1 }, 0)).toHaveLength(0);
    expect(() => partOf(DOUBLES, array, { offset: 3, stride: 1 }, 0)).toThrow('offset 3 of an array of 2 elements');
  });

  it('has a stride', () => {
    const array = Float64Array.of(1, 2);
    expect(() => partOf(DOUBLES, array, { offset: 0, stride: 0 }, 0)).toThrow('stride 0, 1 or more expected');
    expect(() => withPart(DOUBLES, array, { offset: 0, stride: 0 }, array, LIMITS)).toThrow('stride 0');
  });
});

describe('an array with a part replaced', () => {
  it('is what a plain loop makes of it, and the array before is untouched', () => {
    fc.assert(
      fc.property(kinds, items, items, offsets, strides, ({ type, zero, make }, numbers, given, offset, stride) => {
        const array = make(numbers);
        const before = [...array];
        const elements = make(given);
        const after = withPart(type, array, { offset, stride }, elements, LIMITS);
        expect([...after]).toEqual(naivePut(before, offset, stride, [...elements], zero));
        expect([...array]).toEqual(before);
        expect(after).not.toBe(array);
      }),
    );
  });

  it('takes elements out of the middle of other memory', () => {
    const elements = Float64Array.of(0, 7, 8, 0).subarray(1, 3);
    const whole = Float64Array.of(9, 1, 2, 9).subarray(1, 3);
    expect(withPart(DOUBLES, whole, { offset: 1, stride: 1 }, elements, LIMITS)).toEqual(Float64Array.of(1, 7, 8));
  });
});

describe('the length', () => {
  it('is cut, or filled up with zeros', () => {
    fc.assert(
      fc.property(kinds, items, fc.nat(25), ({ type, zero, make }, numbers, length) => {
        const array = make(numbers);
        const expected = [...array].slice(0, length) as unknown[];
        while (expected.length < length) expected.push(zero);
        expect([...withLength(type, array, length, LIMITS)]).toEqual(expected);
      }),
    );
  });

  it('is held to a bound', () => {
    const type = boundedArrayOf(int, 3);
    const array = Int32Array.of(1, 2);
    expect(withLength(type, array, 3, LIMITS)).toEqual(Int32Array.of(1, 2, 0));
    expect(() => withLength(type, array, 4, LIMITS)).toThrow('4 elements, the array takes at most 3');
    expect(() => withPart(type, array, { offset: 2, stride: 1 }, Int32Array.of(1, 2), LIMITS)).toThrow(
      '4 elements, the array takes at most 3',
    );
  });

  it('of a fixed array is what it is, also of one that nobody set', () => {
    const type = fixedArrayOf(int, 3);
    const array = completed(type, new Int32Array(0), LIMITS);
    expect(array).toEqual(Int32Array.of(0, 0, 0));
    expect(completed(type, Int32Array.of(1, 2, 3), LIMITS)).toEqual(Int32Array.of(1, 2, 3));
    expect(withPart(type, array, { offset: 0, stride: 2 }, Int32Array.of(7, 8), LIMITS)).toEqual(
      Int32Array.of(7, 0, 8),
    );
    expect(() => withLength(type, array, 2, LIMITS)).toThrow('2 elements, the array has 3 always');
    expect(() => withPart(type, array, { offset: 3, stride: 1 }, Int32Array.of(1), LIMITS)).toThrow('4 elements');
  });

  it('that claims more than a message can hold is refused before any memory is taken', () => {
    const array = Float64Array.of(1);
    const far = { offset: 2 ** 31 - 2, stride: 2 ** 20 };
    const most = LIMITS.maxBodyBytes / 8;
    expect(withLength(DOUBLES, array, most, LIMITS)).toHaveLength(most);
    for (const act of [
      () => withLength(DOUBLES, array, most + 1, LIMITS),
      () => withPart(DOUBLES, array, far, Float64Array.of(1, 2), LIMITS),
      () => withLength(arrayOf(string), [], LIMITS.maxValueNodes + 1, LIMITS),
      () => withLength(arrayOf(boolean), [], LIMITS.maxValueNodes + 1, LIMITS),
      () => completed(fixedArrayOf(double, 2 ** 30), new Float64Array(0), LIMITS),
    ]) {
      expect(act).toThrow(LimitError);
    }
  });
});
