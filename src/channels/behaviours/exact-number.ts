// How are numbers dealt with that may be integers of 64 bits? A bigint stays one, so that its last digits count.

import type { PvValue } from '../../protocol/types/value-of.ts';

export type AnyNumber = number | bigint;

export function isNumber(value: unknown): value is AnyNumber {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** How far two numbers are from each other: exactly for two of 64 bits. */
export function distance(one: AnyNumber, other: AnyNumber): AnyNumber {
  if (typeof one === 'bigint' && typeof other === 'bigint') return one > other ? one - other : other - one;
  return Math.abs(Number(one) - Number(other));
}

/** The numbers in the value of a scalar or an array; none in any other. */
export function numbersIn(value: PvValue | undefined): ArrayLike<AnyNumber> {
  if (isNumber(value)) return [value];
  // All views on buffers among the values are arrays of numbers.
  return ArrayBuffer.isView(value) ? value : [];
}
