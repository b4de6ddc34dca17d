// How does a value become strict JSON, which every JSON reader accepts and from which the value can be had back?
//
// - numbers are JSON numbers, in as few digits as give the same number back; NaN and the infinities, which JSON
//   does not have, are the strings "NaN", "Infinity", "-Infinity"
// - long and ulong are numbers as long as every reader keeps them exact (up to 2^53 - 1), decimal strings past that
// - a structure is an object with its fields in order; a union is {"select": MEMBER, "value": ...} or null
// - any is {"type": TYPE, "value": ...} or null; TYPE as `typeJson` has it
// - arrays are lists; null stands for an element that is not there

import type { BitSet } from '../bit-set.ts';
import type { Field, StructureType, TypeDesc, UnionType } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import { joinTexts, shortestText, sizingText } from './format-scalar.ts';
import { typeMismatch } from './mismatch.ts';
import { contentOf, elementsOf, fieldOf, scalarsOf, selectedOf, type TypedValue } from './value-parts.ts';

/** JSON text of a value on one line; with `mask`, only of the fields that it selects. */
export function formatJson(type: TypeDesc, value: PvValue, mask?: BitSet): string {
  // Written as text rather than through an object: an object would reorder fields named "1" and lose "__proto__".
  return mask === undefined ? wholeJson(type, value) : selectedJson(type, value, mask, 0);
}

/**
 * JSON text of a type: a string such as "double", "string[]", "int[8]" (exactly eight), "int<8>" (at most eight),
 * "string(40)", "any"; or {"kind": "structure" | "union" | "structure[]" | "union[]", "id": ..., "fields": [{"name", "type"}]}.
 */
export function typeJson(type: TypeDesc): string {
  switch (type.kind) {
    case 'scalar':
      return JSON.stringify(type.scalar);
    case 'boundedString':
      return JSON.stringify(`string(${type.bound})`);
    case 'scalarArray':
      return JSON.stringify(`${type.scalar}${sizingText(type)}`);
    case 'any':
      return '"any"';
    case 'anyArray':
      return '"any[]"';
    case 'structure':
    case 'union':
      return membersJson(type.kind, type);
    case 'structureArray':
      return membersJson('structure[]', type.element);
    case 'unionArray':
      return membersJson('union[]', type.element);
  }
}

function membersJson(kind: string, { id, fields }: StructureType | UnionType): string {
  const list = fields.map(({ name, type }) => `{"name":${JSON.stringify(name)},"type":${typeJson(type)}}`);
  return `{"kind":"${kind}","id":${JSON.stringify(id)},"fields":[${list.join(',')}]}`;
}

// --- values ----------------------------------------------------------------------------------------------------

function wholeJson(type: TypeDesc, value: PvValue): string {
  switch (type.kind) {
    case 'scalar':
      return scalarJson(type.scalar === 'float', value);
    case 'boundedString':
      return scalarJson(false, value);
    case 'scalarArray':
      return listJson(scalarsOf(value), (element) => scalarJson(type.scalar === 'float', element));
    case 'structure':
      return objectJson(type.fields.map((field) => [field, wholeJson(field.type, fieldOf(value, field))]));
    case 'union': {
      const selected = selectedOf(type, value);
      if (selected === null) return 'null';
      return `{"select":${JSON.stringify(selected.select)},"value":${wholeJson(selected.type, selected.value)}}`;
    }
    case 'any':
      return anyJson(contentOf(value));
    case 'structureArray':
      return listJson(elementsOf(value), (element) => (element === null ? 'null' : wholeJson(type.element, element)));
    case 'unionArray':
      return listJson(elementsOf(value), (element) => wholeJson(type.element, element));
    case 'anyArray':
      return listJson(elementsOf(value), (element) => anyJson(contentOf(element)));
  }
}

function selectedJson(type: TypeDesc, value: PvValue, mask: BitSet, bit: number): string {
  if (mask.has(bit) || type.kind !== 'structure') return wholeJson(type, value);
  const members: [Field, string][] = [];
  let next = bit + 1;
  for (const field of type.fields) {
    if (mask.hasAny(next, next + field.type.bitCount)) {
      members.push([field, selectedJson(field.type, fieldOf(value, field), mask, next)]);
    }
    next += field.type.bitCount;
  }
  return objectJson(members);
}

function anyJson(content: TypedValue | null): string {
  if (content === null) return 'null';
  return `{"type":${typeJson(content.type)},"value":${wholeJson(content.type, content.value)}}`;
}

function objectJson(members: readonly (readonly [Field, string])[]): string {
  return `{${members.map(([{ name }, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

function listJson(elements: ArrayLike<PvValue>, each: (element: PvValue) => string): string {
  return `[${joinTexts(elements, elements.length, ',', each)}]`;
}

function scalarJson(isFloat: boolean, value: PvValue): string {
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return isSafe(value) ? String(value) : `"${value}"`;
    case 'number':
      return Number.isFinite(value) ? shortestText(isFloat ? 'float' : 'double', value) : `"${value}"`;
    default:
      throw typeMismatch('a scalar', value);
  }
}

function isSafe(value: bigint): boolean {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
}
