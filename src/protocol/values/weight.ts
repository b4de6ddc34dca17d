// How much memory does a value hold, roughly? For bounds on values that wait or are kept.

import { isType, type TypeDesc } from '../types/type-desc.ts';

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

/** The same, and of types their names and their nodes: of what a peer made up, and nobody shares. */
export function weightWithTypes(value: unknown): number {
  return weigh(value, weightOfType);
}

const typeWeights = new WeakMap<TypeDesc, number>();

/** Remembered: one byte of a value can stand for a type of 10 000 fields. */
function weightOfType(type: TypeDesc): number {
  let known = typeWeights.get(type);
  if (known === undefined) {
    known = weighType(type);
    typeWeights.set(type, known);
  }
  return known;
}

function weighType(type: TypeDesc): number {
  switch (type.kind) {
    case 'structure':
    case 'union':
      return type.fields.reduce(
        (sum, field) => sum + field.name.length + weightOfType(field.type),
        PART_BYTES + type.id.length,
      );
    case 'structureArray':
    case 'unionArray':
      return PART_BYTES + weightOfType(type.element);
    default:
      return PART_BYTES;
  }
}

/** The type of an `any` is shared by all who use it. */
function weightOfShared(): number {
  return PART_BYTES;
}

function weigh(value: unknown, ofType: (type: TypeDesc) => number = weightOfShared): number {
  if (typeof value === 'string') return PART_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return PART_BYTES;
  if (ArrayBuffer.isView(value)) return PART_BYTES + value.byteLength;
  if (isType(value)) return ofType(value);
  let sum = PART_BYTES;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const part of parts) sum += weigh(part, ofType);
  return sum;
}
