// How much memory does a value hold, roughly? For bounds on values that wait; nobody is told the number.

import { isType } from '../types/type-desc.ts';

/** Of a field or an element of a list, whatever it holds: its place in the object, and the number or object there. */
const PART_BYTES = 16;

/** Values do not change, and one that many subscribers wait for is looked through once. */
const weights = new WeakMap<object, number>();

/** Bytes of the arrays and characters of the texts in a full value, and 16 for each of its parts. */
export function weightOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return weigh(value);
  let known = weights.get(value);
  if (known === undefined) {
    known = weigh(value);
    weights.set(value, known);
  }
  return known;
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return PART_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return PART_BYTES;
  if (ArrayBuffer.isView(value)) return PART_BYTES + value.byteLength;
  // The type of an `any` is shared by all who use it.
  if (isType(value)) return PART_BYTES;
  let sum = PART_BYTES;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const part of parts) sum += weigh(part);
  return sum;
}
