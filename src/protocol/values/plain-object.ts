// Which objects are data: structures, and the pairs that stand for a union or any?

import { isType, type TypeDesc } from '../types/type-desc.ts';

/** An object literal, parsed JSON and the like; no array, no instance of a class, whose fields would not be its data. */
export function isPlainObject(found: unknown): found is Readonly<Record<string, unknown>> {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return false;
  const prototype: unknown = Object.getPrototypeOf(found);
  // Objects of another realm (a frame, a vm) have another Object.prototype, which has no prototype either.
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** `{ type, value }`: a value that brings its type along. */
export function isTypedValue(found: unknown): found is { readonly type: TypeDesc; readonly value: unknown } {
  return isPlainObject(found) && hasOnly(found, 'type') && isType(found['type']);
}

/** `{ select, value }`: a member of a union, by name. */
export function isSelection(found: unknown): found is { readonly select: string; readonly value: unknown } {
  return isPlainObject(found) && hasOnly(found, 'select') && typeof found['select'] === 'string';
}

/** Whether an object has the named field and `value`, and nothing else. */
function hasOnly(found: Readonly<Record<string, unknown>>, name: string): boolean {
  return Object.hasOwn(found, name) && Object.hasOwn(found, 'value') && Object.keys(found).length === 2;
}
