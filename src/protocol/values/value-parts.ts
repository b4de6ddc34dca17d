// What lies inside a value of a given type? For code that walks values: formatting now, whatever else later.

import { isType, type Field, type TypeDesc, type UnionType } from '../types/type-desc.ts';
import type { PvValue, ScalarArrayValue, ScalarValue, StructureValue } from '../types/value-of.ts';
import { anyCodecOf } from './codec.ts';
import { typeMismatch } from './mismatch.ts';

/** A value with its type, as found inside a union, an `any` or an array. */
export interface TypedValue {
  readonly type: TypeDesc;
  readonly value: PvValue;
}

/** A field of a structure; one that is missing from the object has its default. */
export function fieldOf(structure: PvValue | undefined, field: Field): PvValue {
  const fields = requireObject(structure, 'a structure');
  const value = Object.hasOwn(fields, field.name) ? fields[field.name] : undefined;
  return value === undefined ? anyCodecOf(field.type).defaultValue() : value;
}

/** The selected member of a union, null when nothing is selected. */
export function selectedOf(type: UnionType, value: PvValue): (TypedValue & { readonly select: string }) | null {
  if (value === null) return null;
  const { select, value: content } = requireObject(value, 'a union');
  const index = typeof select === 'string' ? type.indexOf.get(select) : undefined;
  const field = index === undefined ? undefined : type.fields[index];
  if (field === undefined) throw typeMismatch(`one of ${type.fields.map(({ name }) => name).join(', ')}`, select);
  return { select: field.name, type: field.type, value: orDefault(field.type, content) };
}

/** What an `any` holds, null when it holds nothing. */
export function contentOf(value: PvValue): TypedValue | null {
  if (value === null) return null;
  const { type, value: content } = requireObject(value, 'any');
  if (!isType(type)) throw typeMismatch('any as { type, value }', value);
  return { type, value: orDefault(type, content) };
}

/** The elements of an array of structures, unions or any. */
export function elementsOf(value: PvValue): readonly PvValue[] {
  if (!isList(value)) throw typeMismatch('a list', value);
  return value;
}

/** The elements of an array of scalars. */
export function scalarsOf(value: PvValue): ArrayLike<ScalarValue> {
  if (!isScalars(value)) throw typeMismatch('an array', value);
  return value;
}

function orDefault(type: TypeDesc, value: PvValue | undefined): PvValue {
  return value === undefined ? anyCodecOf(type).defaultValue() : value;
}

function requireObject(value: PvValue | undefined, expected: string): StructureValue {
  if (!isObject(value)) throw typeMismatch(expected, value);
  return value;
}

function isObject(value: PvValue | undefined): value is StructureValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function isList(value: PvValue): value is readonly (StructureValue | null)[] {
  return Array.isArray(value);
}

function isScalars(value: PvValue): value is ScalarArrayValue {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}
