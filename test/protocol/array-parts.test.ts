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
  float,
  int,
  long,
  string,
  type ScalarArrayType,
} from '../../src/protocol/types/type-desc.ts';
import type { ScalarArrayValue } from '../../src/protocol/types/value-of.ts';
import { completed, lengthOf, partOf, withLength, withPart } from '../../src/protocol/values/array-parts.ts';

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
    const part = partOf(DOUBLES, array, { offset: 1, stride: 1 }, 2);
    expect(part).toEqual(Float64Array.of(1, 2));
    // Not compared by what is in it: a copy has the same.
    expect('buffer' in part && part.buffer).toBe(array.buffer);
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

  it('is as it was where no elements are given, wherever they were to go', () => {
    for (const { type, make } of KINDS) {
      const array = make([1, 2]);
      expect(withPart(type, array, { offset: 9, stride: 1 }, make([]), LIMITS)).toEqual(array);
    }
  });

  it('keeps every bit of its elements, those of a signalling NaN too', () => {
    const given = Uint32Array.of(0x7f80_0001, 0x3f80_0000);
    const kept = Uint32Array.of(0xff80_0002);
    const elements = new Float32Array(given.buffer);
    const after = withPart(arrayOf(float), new Float32Array(kept.buffer), { offset: 1, stride: 1 }, elements, LIMITS);
    const bits = 'buffer' in after && new Uint32Array(after.buffer);
    expect(bits).toEqual(Uint32Array.of(0xff80_0002, 0x7f80_0001, 0x3f80_0000));
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

  it('that is there already costs no copy', () => {
    for (const { type, make } of KINDS) {
      const array = make([1, 2]);
      expect(withLength(type, array, 2, LIMITS)).toBe(array);
      expect(completed(type, array, LIMITS)).toBe(array);
    }
    const fixed = Int32Array.of(1, 2, 3);
    expect(completed(fixedArrayOf(int, 3), fixed, LIMITS)).toBe(fixed);
  });

  it('of an array that is there already may be more than a message can hold, as it is read in parts', () => {
    const small = { ...LIMITS, maxBodyBytes: 8 };
    const array = Int32Array.of(1, 2, 3);
    for (const type of [arrayOf(int), boundedArrayOf(int, 4), fixedArrayOf(int, 3)]) {
      expect(lengthOf(type, array, small)).toBe(3);
      expect(completed(type, array, small)).toBe(array);
    }
    expect(() => lengthOf(fixedArrayOf(int, 3), new Int32Array(0), small)).toThrow(LimitError);
    expect(lengthOf(fixedArrayOf(int, 2), new Int32Array(0), small)).toBe(2);
  });

  it('that claims more than a message can hold is refused before any memory is taken', () => {
    const array = Float64Array.of(1);
    const far = { offset: 2 ** 31 - 2, stride: 2 ** 20 };
    for (const act of [
      () => withLength(DOUBLES, array, LIMITS.maxBodyBytes / 8 + 1, LIMITS),
      () => withPart(DOUBLES, array, far, Float64Array.of(1, 2), LIMITS),
      () => withLength(arrayOf(string), [], LIMITS.maxValueNodes + 1, LIMITS),
      () => withLength(arrayOf(boolean), [], LIMITS.maxValueNodes + 1, LIMITS),
      () => completed(fixedArrayOf(double, 2 ** 30), new Float64Array(0), LIMITS),
    ]) {
      expect(act).toThrow(LimitError);
    }
  });

  it('is held to the bytes of a message', () => {
    const small = { ...LIMITS, maxBodyBytes: 24 };
    expect(withLength(DOUBLES, Float64Array.of(1), 3, small)).toEqual(Float64Array.of(1, 0, 0));
    expect(() => withLength(DOUBLES, Float64Array.of(1), 4, small)).toThrow(
      new LimitError('maxBodyBytes', 32, 24, 'array of 4 elements'),
    );
    // Text and booleans take a byte at least.
    expect(() => withLength(arrayOf(string), [], 25, small)).toThrow(
      new LimitError('maxBodyBytes', 25, 24, 'array of 25 elements'),
    );
  });

  it.each([
    { type: arrayOf(string), blank: '' },
    { type: arrayOf(boolean), blank: false },
  ])('is held to the objects of a message ($type.scalar)', ({ type, blank }) => {
    const small = { ...LIMITS, maxValueNodes: 3 };
    expect(withLength(type, [], 3, small)).toEqual([blank, blank, blank]);
    expect(() => withLength(type, [], 4, small)).toThrow(new LimitError('maxValueNodes', 4, 3, 'array of 4 elements'));
  });

  it('of numbers is not held to the objects of a message: they are none', () => {
    const small = { ...LIMITS, maxValueNodes: 0, maxBlankElements: 0 };
    expect(withLength(DOUBLES, Float64Array.of(1), 3, small)).toEqual(Float64Array.of(1, 0, 0));
    expect(withPart(DOUBLES, new Float64Array(0), { offset: 2, stride: 1 }, Float64Array.of(1), small)).toEqual(
      Float64Array.of(0, 0, 1),
    );
  });
});

describe.each([
  { type: arrayOf(string), blank: '', sent: 'x' },
  { type: arrayOf(boolean), blank: false, sent: true },
])('objects that nobody sent ($type.scalar)', ({ type, blank, sent }) => {
  const small = { ...LIMITS, maxBlankElements: 2 };
  /** Lists of one kind. */
  const list = (...elements: readonly (string | boolean)[]) => elements as ScalarArrayValue;
  const tooMany = (count: number) =>
    new LimitError('maxBlankElements', count, 2, `elements of ${type.scalar}[] that were not sent`);

  it('are counted past the end alone when the length is set', () => {
    const array = list(sent, sent, sent);
    expect(withLength(type, array, 5, small)).toEqual([sent, sent, sent, blank, blank]);
    expect(() => withLength(type, array, 6, small)).toThrow(tooMany(3));
    expect(withLength(type, array, 1, small)).toEqual([sent]);
  });

  it('are counted without those that were sent when a part is put', () => {
    const array = list(sent, sent, sent);
    const elements = list(sent, sent);
    const after = withPart(type, array, { offset: 5, stride: 1 }, elements, small);
    expect(after).toEqual([...array, blank, blank, ...elements]);
    expect(() => withPart(type, array, { offset: 6, stride: 1 }, elements, small)).toThrow(tooMany(3));
    expect(() => withPart(type, array, { offset: 3, stride: 4 }, elements, small)).toThrow(tooMany(3));
  });
});
