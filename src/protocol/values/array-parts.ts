// How is a part of an array read or replaced, and its length changed? For ARRAY, whose requests name an offset and a
// distance between elements, for arrays of scalars.
//
// Arrays are never changed in place: whoever holds one keeps it.

import { LimitError, LocalProtocolError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { ScalarArrayType, ScalarName } from '../types/type-desc.ts';
import type { NumericArray, ScalarArrayValue, ScalarValue } from '../types/value-of.ts';
import { TYPED_ARRAYS } from './array-codec.ts';

/** Which elements: the one at `offset` and every `stride`th after it. */
export interface ArrayPart {
  readonly offset: number;
  /** 1 for each, 2 for every other. */
  readonly stride: number;
}

/**
 * The array with all the elements that its type says: a fixed one that nobody set is empty in memory.
 * @throws LimitError when the type claims more than a message can hold
 */
export function completed(type: ScalarArrayType, array: ScalarArrayValue, limits: Limits): ScalarArrayValue {
  const length = lengthOf(type, array, limits);
  return length === array.length ? array : resized(type.scalar, array, length);
}

/**
 * How many elements `completed` has.
 * @throws LimitError when the type claims more than a message can hold
 */
export function lengthOf(type: ScalarArrayType, array: ScalarArrayValue, limits: Limits): number {
  if (type.sizing !== 'fixed' || array.length === type.size) return array.length;
  requireLength(type, type.size, limits);
  return type.size;
}

/**
 * The elements of a part, `count` of them at most; 0 for all up to the end. Of a part without gaps in an array of
 * numbers it is a view, not a copy.
 * @throws LocalProtocolError when there is no such part
 */
export function partOf(
  { scalar }: ScalarArrayType,
  array: ScalarArrayValue,
  { offset, stride }: ArrayPart,
  count: number,
): ScalarArrayValue {
  requireStride(stride);
  if (offset > array.length) throw new LocalProtocolError(`offset ${offset} of an array of ${array.length} elements`);
  const available = Math.ceil((array.length - offset) / stride);
  const taken = count === 0 ? available : Math.min(count, available);
  if (stride === 1)
    return isNumeric(array) ? array.subarray(offset, offset + taken) : array.slice(offset, offset + taken);
  const part = blank(scalar, taken);
  spread(part, { offset: 0, stride: 1 }, taken, (index) => array[offset + index * stride]);
  return part;
}

/**
 * The array with `elements` in the place of a part of it; longer if they reach past its end, what lies between being
 * zeros or empty text.
 * @throws LocalProtocolError or LimitError when the type or the limits do not allow that
 */
export function withPart(
  type: ScalarArrayType,
  array: ScalarArrayValue,
  { offset, stride }: ArrayPart,
  elements: ScalarArrayValue,
  limits: Limits,
): ScalarArrayValue {
  requireStride(stride);
  const end = elements.length === 0 ? 0 : offset + (elements.length - 1) * stride + 1;
  const length = Math.max(array.length, end);
  requireLength(type, length, limits);
  requireBlanks(type, length - array.length - elements.length, limits);
  const whole = resized(type.scalar, array, length);
  place(whole, { offset, stride }, elements, elements.length);
  return whole;
}

/**
 * The array cut short, or longer by zeros or empty text.
 * @throws LocalProtocolError or LimitError when the type or the limits do not allow that length
 */
export function withLength(
  type: ScalarArrayType,
  array: ScalarArrayValue,
  length: number,
  limits: Limits,
): ScalarArrayValue {
  requireLength(type, length, limits);
  requireBlanks(type, length - array.length, limits);
  return length === array.length ? array : resized(type.scalar, array, length);
}

function requireStride(stride: number): void {
  if (stride < 1) throw new LocalProtocolError(`stride ${stride}, 1 or more expected`);
}

/** An offset of a few bytes can ask for an array of gigabytes: before it is made. */
function requireLength({ scalar, sizing, size }: ScalarArrayType, length: number, limits: Limits): void {
  if (sizing === 'bounded' && length > size) {
    throw new LocalProtocolError(`${length} elements, the array takes at most ${size}`);
  }
  if (sizing === 'fixed' && length !== size) {
    throw new LocalProtocolError(`${length} elements, the array has ${size} always`);
  }
  const isNumber = scalar !== 'boolean' && scalar !== 'string';
  const bytes = length * (isNumber ? TYPED_ARRAYS[scalar].BYTES_PER_ELEMENT : 1);
  if (bytes > limits.maxBodyBytes) {
    throw new LimitError('maxBodyBytes', bytes, limits.maxBodyBytes, `array of ${length} elements`);
  }
  if (!isNumber && length > limits.maxValueNodes) {
    throw new LimitError('maxValueNodes', length, limits.maxValueNodes, `array of ${length} elements`);
  }
}

/** Objects that nobody sent take more memory and time than zeros. */
function requireBlanks({ scalar }: ScalarArrayType, count: number, { maxBlankElements }: Limits): void {
  if ((scalar !== 'boolean' && scalar !== 'string') || count <= maxBlankElements) return;
  throw new LimitError('maxBlankElements', count, maxBlankElements, `elements of ${scalar}[] that were not sent`);
}

/** An array of zeros, false or empty text. */
function blank(scalar: ScalarName, length: number): ScalarArrayValue {
  if (scalar === 'boolean') return Array.from({ length }, () => false);
  if (scalar === 'string') return Array.from({ length }, () => '');
  const kind = TYPED_ARRAYS[scalar];
  return new kind(new ArrayBuffer(length * kind.BYTES_PER_ELEMENT));
}

/** A new array of `length` with as much of `array` as fits. */
function resized(scalar: ScalarName, array: ScalarArrayValue, length: number): ScalarArrayValue {
  const kept = Math.min(array.length, length);
  const whole = blank(scalar, length);
  place(whole, { offset: 0, stride: 1 }, array, kept);
  return whole;
}

/** Sets a part of an array that nobody else holds yet to the first `count` of these elements. */
function place(whole: ScalarArrayValue, part: ArrayPart, elements: ScalarArrayValue, count: number): void {
  // Nothing may be placed past the end, but a copy in bulk may not even begin there.
  if (count === 0) return;
  if (part.stride !== 1 || !isNumeric(whole) || !isNumeric(elements)) {
    return spread(whole, part, count, (index) => elements[index]);
  }
  // In bulk, whatever kind of number it is: both are of the same.
  const width = elements.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(elements.buffer, elements.byteOffset, count * width);
  new Uint8Array(whole.buffer, whole.byteOffset).set(bytes, part.offset * width);
}

/** Sets `count` elements of an array that nobody else holds yet; they come out of an array of its type. */
function spread(
  whole: ScalarArrayValue,
  { offset, stride }: ArrayPart,
  count: number,
  element: (index: number) => ScalarValue | undefined,
): void {
  // Typed arrays and lists alike are set by index; `whole` is a copy that the caller made for this, and who counts never
  // counts past the end of what is read.
  const elements = whole as { [index: number]: ScalarValue | undefined };
  for (let index = 0; index < count; index++) elements[offset + index * stride] = element(index);
}

function isNumeric(array: ScalarArrayValue): array is NumericArray {
  return ArrayBuffer.isView(array);
}
