// Does a value look as if it was meant for a type? Stricter than whether it could be read as one.

import type { ScalarName, TypeDesc } from '../types/type-desc.ts';
import { TYPED_ARRAYS } from './array-codec.ts';
import { isTypedArray } from './coerce-array.ts';
import { isPlainObject } from './plain-object.ts';

/** Text looks like a string, number like one of the numbers, bigint like long or ulong, and so on; nothing like any. */
export function looksLike(type: TypeDesc, value: unknown): boolean {
  switch (type.kind) {
    case 'scalar':
      return looksLikeScalar(type.scalar, value);
    case 'boundedString':
      return typeof value === 'string';
    case 'scalarArray':
      return looksLikeArray(type.scalar, value);
    case 'structure':
      return isPlainObject(value);
    case 'structureArray':
      return Array.isArray(value) && value.every((item) => item === null || isPlainObject(item));
    case 'union':
    case 'unionArray':
    case 'any':
    case 'anyArray':
      return false;
  }
}

function looksLikeScalar(scalar: ScalarName, value: unknown): boolean {
  switch (scalar) {
    case 'boolean':
    case 'string':
      return typeof value === scalar;
    case 'long':
    case 'ulong':
      return typeof value === 'bigint';
    default:
      return typeof value === 'number';
  }
}

function looksLikeArray(scalar: ScalarName, value: unknown): boolean {
  if (!isTypedArray(value)) return Array.isArray(value) && value.every((item) => looksLikeScalar(scalar, item));
  return scalar !== 'boolean' && scalar !== 'string' && value instanceof TYPED_ARRAYS[scalar];
}
