// What lies inside a value of a given type, and what is said where the value is not of it?

import { describe, expect, test } from 'vitest';

import { int, string, structure, union } from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { contentOf, elementsOf, fieldOf, scalarsOf, selectedOf } from '../../src/protocol/values/value-parts.ts';

const INT = { name: 'i', type: int };
const CHOICE = union({ i: int, s: string });
/** Not of the types that the compiler checks: programs without types have them. */
const wrong = (value: unknown): PvValue => value as PvValue;

describe('a field', () => {
  test('is that of the structure, or has its default', () => {
    expect(fieldOf({ i: 7 }, INT)).toBe(7);
    expect(fieldOf({}, INT)).toBe(0);
    expect(fieldOf(wrong({ i: undefined }), INT)).toBe(0);
    expect(fieldOf({}, { name: 's', type: structure({ a: string }) })).toEqual({ a: '' });
  });

  test('is never one that all objects have', () => {
    expect(fieldOf({}, { name: 'toString', type: string })).toBe('');
  });

  test.each([
    [undefined, 'nothing'],
    [null, 'null'],
    [7, 'number 7'],
    ['x', "text 'x'"],
    [[], 'a list of 0'],
    [new Int8Array(2), 'a Int8Array'],
  ])('is looked for in a structure alone, not in %j', (value, given) => {
    expect(() => fieldOf(wrong(value), INT)).toThrow(`a structure expected, ${given} given`);
  });
});

describe('the member of a union', () => {
  test('is that which it selects, with its type', () => {
    expect(selectedOf(CHOICE, { select: 's', value: 'x' })).toEqual({ select: 's', type: string, value: 'x' });
    expect(selectedOf(CHOICE, { select: 's' })).toEqual({ select: 's', type: string, value: '' });
    expect(selectedOf(CHOICE, null)).toBe(null);
  });

  test.each([
    [{ select: 'x', value: 1 }, "text 'x'"],
    [{ select: 0, value: 1 }, 'number 0'],
    [{ value: 1 }, 'nothing'],
  ])('has to be there: %j', (value, given) => {
    expect(() => selectedOf(CHOICE, wrong(value))).toThrow(`one of i, s expected, ${given} given`);
  });

  test('is not looked for in what is no union', () => {
    expect(() => selectedOf(CHOICE, 7)).toThrow('a union expected, number 7 given');
  });
});

describe('the content of an any', () => {
  test('is a value with its type', () => {
    expect(contentOf({ type: int, value: 7 })).toEqual({ type: int, value: 7 });
    expect(contentOf(wrong({ type: int }))).toEqual({ type: int, value: 0 });
    expect(contentOf(null)).toBe(null);
  });

  test('is not looked for in what is no any', () => {
    expect(() => contentOf(7)).toThrow('any expected, number 7 given');
    expect(() => contentOf(wrong({ type: 'int', value: 7 }))).toThrow('any as { type, value } expected, ');
    expect(() => contentOf(wrong({ value: 7 }))).toThrow('any as { type, value } expected, ');
  });
});

describe('elements', () => {
  test('are those of a list', () => {
    const list = [{ i: 1 }, null];
    expect(elementsOf(list)).toBe(list);
    expect(() => elementsOf(new Int8Array(2))).toThrow('a list expected, ');
    expect(() => elementsOf({ i: 1 })).toThrow('a list expected, an object given');
  });

  test('of scalars are those of a list or a typed array', () => {
    const [texts, numbers] = [['a', 'b'], Int8Array.of(1, 2)];
    expect(scalarsOf(texts)).toBe(texts);
    expect(scalarsOf(numbers)).toBe(numbers);
    expect(() => scalarsOf({ i: 1 })).toThrow('an array expected, an object given');
    expect(() => scalarsOf('ab')).toThrow("an array expected, text 'ab' given");
  });
});
