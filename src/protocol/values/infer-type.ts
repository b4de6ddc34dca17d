// Which pvData type does a plain JavaScript value have when nobody says? For `any` fields and RPC arguments.
//
// number is double, also when it is whole: the type must not depend on what the value happens to be. bigint is long, or
// ulong past long's range. Lists of one kind are arrays of it; objects are structures, lists of equal ones structure
// arrays; other lists are any[]. `{ type, value }` with a type of the builders, and null, are any.

import { LimitError, type LocalProtocolError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import * as t from '../types/type-desc.ts';
import type { Field, ScalarType, TypeDesc } from '../types/type-desc.ts';
import { TYPED_ARRAYS } from './array-codec.ts';
import { isTypedArray } from './coerce-array.ts';
import { inField, located } from './located.ts';
import { typeMismatch } from './mismatch.ts';
import { isPlainObject, isTypedValue } from './plain-object.ts';

/**
 * The type of a value. Throws `LocalProtocolError` with `fieldPath`, `path` standing before it, where there is none: an
 * empty list, undefined, functions, instances of classes, levels past `maxTypeNesting` as in an object that contains
 * itself.
 */
export function inferType(value: unknown, path = ''): TypeDesc {
  return located(path, () => infer(value));
}

/** `inferType` inside of something that says where it is itself. */
export function infer(value: unknown, level = 0): TypeDesc {
  if (level > DEFAULT_LIMITS.maxTypeNesting) {
    throw new LimitError('maxTypeNesting', level, DEFAULT_LIMITS.maxTypeNesting, 'levels of a value');
  }
  if (value === null) return t.any;
  if (isTypedArray(value)) return t.arrayOf(scalarOf(value));
  if (Array.isArray(value)) return inferList(value, level);
  if (typeof value === 'object') return inferObject(value, level);
  return inferScalar(value) ?? refuse(value);
}

function inferScalar(value: unknown): ScalarType | undefined {
  switch (typeof value) {
    case 'boolean':
      return t.boolean;
    case 'number':
      return t.double;
    case 'bigint':
      return inferBigint(value);
    case 'string':
      return t.string;
    default:
      return undefined;
  }
}

function inferBigint(value: bigint): ScalarType {
  const fits = (name: keyof typeof t.LONG_RANGES): boolean =>
    value >= t.LONG_RANGES[name][0] && value <= t.LONG_RANGES[name][1];
  if (fits('long')) return t.long;
  if (fits('ulong')) return t.ulong;
  throw typeMismatch('a number of 64 bits', value);
}

function inferObject(value: object, level: number): TypeDesc {
  if (!isPlainObject(value)) return refuse(value);
  if (isTypedValue(value)) return t.any;
  const fields: Field[] = [];
  for (const name of Object.keys(value)) {
    const field = value[name];
    if (field !== undefined) fields.push({ name, type: inField(name, () => infer(field, level + 1)) });
  }
  return t.structure('', fields);
}

function inferList(list: readonly unknown[], level: number): TypeDesc {
  if (list.length === 0) throw typeMismatch('a list with elements, or { type, value }', list);
  const kinds = new Set<TypeDesc>();
  for (const [index, item] of list.entries()) {
    // An element that is not there fits every list of structures, and any[].
    if (item !== null) kinds.add(inField(`[${index}]`, () => infer(item, level + 1)));
  }
  const hasNull = list.includes(null);
  const [only, ...others] = [...kinds];
  if (only === undefined || others.length > 0) return isLongs(kinds) && !hasNull ? inferLongs(list) : t.anyArray;
  if (only.kind === 'structure') return t.arrayOf(only);
  return only.kind === 'scalar' && !hasNull ? t.arrayOf(only) : t.anyArray;
}

/** Some bigints that fit long and some that need ulong: one array if none is negative. */
function isLongs(kinds: ReadonlySet<TypeDesc>): boolean {
  return kinds.size === 2 && kinds.has(t.long) && kinds.has(t.ulong);
}

function inferLongs(list: readonly unknown[]): TypeDesc {
  return list.some((item) => typeof item === 'bigint' && item < 0n) ? t.anyArray : t.arrayOf(t.ulong);
}

function scalarOf(array: object): ScalarType {
  const name = t.SCALAR_NAMES.find(
    (name) => name !== 'boolean' && name !== 'string' && array instanceof TYPED_ARRAYS[name],
  );
  // The one kind that is not among them is Uint8ClampedArray.
  return t.scalar(name ?? 'ubyte');
}

function refuse(value: unknown): never {
  throw noType(value);
}

function noType(value: unknown): LocalProtocolError {
  return typeMismatch('a value that has a type', value);
}
