// How does a list, or a typed array of any kind, become an array of scalars, strictly?

import { LocalProtocolError, PvaError } from '../errors.ts';
import type { ScalarArrayType } from '../types/type-desc.ts';
import type { NumericArray, ScalarArrayValue, ScalarValue } from '../types/value-of.ts';
import { TYPED_ARRAYS, type NumericName } from './array-codec.ts';
import { scalarCoercion } from './coerce-scalar.ts';
import { typeMismatch } from './mismatch.ts';

/**
 * An array of `type`. A typed array of the right kind is taken as it is, not copied: who gives it away leaves it
 * unchanged from then on. Everything else is checked element by element. A fixed array may be empty, which is how one
 * that nobody set looks. Throws `LocalProtocolError` with `[index]` as field path.
 */
export function coerceArray(type: ScalarArrayType, input: unknown): ScalarArrayValue {
  const { scalar } = type;
  const items = listOf(input);
  if (items === undefined) throw typeMismatch(`a list (${scalar}[])`, input);
  requireLength(type, items);
  if (scalar === 'boolean') return convertAll(items, scalarCoercion(scalar));
  if (scalar === 'string') return convertAll(items, scalarCoercion(scalar));
  return asTyped(scalar, input) ?? fill(scalar, items);
}

/** A list or typed array as something with a length and elements. */
export function listOf(input: unknown): ArrayLike<unknown> | undefined {
  return isList(input) || isTypedArray(input) ? input : undefined;
}

function isList(input: unknown): input is readonly unknown[] {
  return Array.isArray(input);
}

export function isTypedArray(input: unknown): input is NumericArray | Uint8ClampedArray {
  return ArrayBuffer.isView(input) && !(input instanceof DataView);
}

/** The array itself, or a plain view of it (of a Buffer), when it has the right kind of elements already. */
function asTyped(scalar: NumericName, input: unknown): NumericArray | undefined {
  const kind = TYPED_ARRAYS[scalar];
  if (!(input instanceof kind)) return undefined;
  const { buffer, byteOffset, length } = input;
  // Shared memory changes under its readers.
  if (!(buffer instanceof ArrayBuffer)) return undefined;
  return Object.getPrototypeOf(input) === kind.prototype ? input : new kind(buffer, byteOffset, length);
}

function fill(scalar: NumericName, items: ArrayLike<unknown>): NumericArray {
  const kind = TYPED_ARRAYS[scalar];
  const filled = new kind(new ArrayBuffer(items.length * kind.BYTES_PER_ELEMENT));
  // The elements of every kind are what the coercion of its scalar gives.
  const elements = filled as { [index: number]: ScalarValue };
  const coerceItem = scalarCoercion(scalar);
  for (let index = 0; index < items.length; index++) elements[index] = convert(items, index, coerceItem);
  return filled;
}

function convertAll<V>(items: ArrayLike<unknown>, coerceItem: (input: unknown) => V): V[] {
  const converted: V[] = [];
  for (let index = 0; index < items.length; index++) converted.push(convert(items, index, coerceItem));
  return converted;
}

function convert<V>(items: ArrayLike<unknown>, index: number, coerceItem: (input: unknown) => V): V {
  try {
    return coerceItem(items[index]);
  } catch (thrown) {
    if (thrown instanceof PvaError) thrown.fieldPath = `[${index}]`;
    throw thrown;
  }
}

function requireLength({ sizing, size }: ScalarArrayType, { length }: ArrayLike<unknown>): void {
  if (sizing === 'bounded' && length > size) throw lengthMismatch(`at most ${size} elements`, length);
  if (sizing === 'fixed' && length !== size && length !== 0) throw lengthMismatch(`exactly ${size} elements`, length);
}

function lengthMismatch(expected: string, length: number): LocalProtocolError {
  return new LocalProtocolError(`${expected} expected, ${length} given`);
}
