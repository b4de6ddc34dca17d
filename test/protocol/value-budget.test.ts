// What may one message become, and is it all there again for the next?

import { describe, expect, test } from 'vitest';

import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { double, structure } from '../../src/protocol/types/type-desc.ts';
import { ValueBudget } from '../../src/protocol/types/value-budget.ts';

/** With what only decoders of types claim. */
class Budget extends ValueBudget {
  claim(byteCount: number): void {
    this.spendTypeBytes(byteCount);
  }
}

const LIMITS = {
  ...DEFAULT_LIMITS,
  maxBodyBytes: 1_000,
  maxValueNodes: 100,
  maxValueNodesPerByte: 2,
  freeValueNodes: 10,
  maxAnyTypeBytesPerByte: 3,
  freeAnyTypeBytes: 50,
  maxTypeNesting: 2,
};

describe('objects', () => {
  test('are as many as the bytes of the message allow, and those that are free', () => {
    const budget = new Budget(LIMITS);
    for (let message = 0; message < 2; message++) {
      budget.beginMessage(5);
      budget.spend(20);
      expect(() => budget.spend(1)).toThrow('objects in one message: 21 asked, maxValueNodesPerByte allows 20');
    }
  });

  test.each([undefined, 50])('are never more than the limit (message of %s bytes)', (bytes) => {
    const budget = new Budget(LIMITS);
    budget.beginMessage(bytes);
    budget.spend(100);
    expect(() => budget.spend(1)).toThrow('objects in one message: 101 asked, maxValueNodes allows 100');
  });

  test('of a structure are as many as its bits', () => {
    const budget = new Budget({ ...LIMITS, maxValueNodes: 5 });
    budget.spendOn(structure({ a: double, b: double }));
    expect(() => budget.spendOn(structure({ a: double, b: double }))).toThrow('6 asked, maxValueNodes allows 5');
  });
});

describe('bytes of types that ids stand for', () => {
  test('are as many as the bytes of the message allow, and those that are free', () => {
    const budget = new Budget(LIMITS);
    for (let message = 0; message < 2; message++) {
      budget.beginMessage(10);
      budget.claim(30);
      budget.claim(50);
      expect(() => budget.claim(1)).toThrow('bytes of types in any: 81 asked, maxAnyTypeBytesPerByte allows 80');
    }
  });

  test.each([undefined, 1_000])('are never more than a message may have (message of %s bytes)', (bytes) => {
    const budget = new Budget(LIMITS);
    budget.beginMessage(bytes);
    budget.claim(1_000);
    expect(() => budget.claim(1)).toThrow('bytes of types in any: 1001 asked, maxBodyBytes allows 1000');
  });

  test('are bounded before the first message', () => {
    expect(() => new Budget(LIMITS).claim(1_001)).toThrow('maxBodyBytes allows 1000');
  });
});

test('any in any is nested up to the limit, and a level that failed is left', () => {
  const budget = new Budget(LIMITS);
  const nested = (levels: number): number => (levels === 0 ? 7 : budget.insideAny(() => nested(levels - 1)));
  expect(nested(2)).toBe(7);
  expect(() => nested(3)).toThrow('any inside any: 3 asked, maxTypeNesting allows 2');
  expect(nested(2)).toBe(7);
});
