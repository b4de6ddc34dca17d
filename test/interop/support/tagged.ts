// How does a value of pvkit compare with one that p4p saw? Both become the tagged JSON of peers/tagged.py.

import type { PvValue, StructureValue } from '../../../src/protocol/types/value-of.ts';
import type { StructureType, TypeDesc } from '../../../src/protocol/types/type-desc.ts';

export type Tagged =
  | null
  | boolean
  | number
  | string
  | readonly Tagged[]
  | { readonly int: string }
  | { readonly float: string }
  | { readonly array: string; readonly items: readonly Tagged[] }
  | {
      readonly structure: string;
      readonly fields: { readonly [name: string]: Tagged };
      readonly changed: readonly string[];
    };

const DTYPES: Readonly<Record<string, string>> = {
  boolean: 'bool',
  byte: 'int8',
  ubyte: 'uint8',
  short: 'int16',
  ushort: 'uint16',
  int: 'int32',
  uint: 'uint32',
  long: 'int64',
  ulong: 'uint64',
  float: 'float32',
  double: 'float64',
};

function whole(value: bigint | number): Tagged {
  return Number.isSafeInteger(Number(value)) ? Number(value) : { int: String(value) };
}

function floating(value: number): Tagged {
  if (Number.isNaN(value)) return { float: 'nan' };
  if (!Number.isFinite(value)) return { float: value > 0 ? 'inf' : '-inf' };
  return Object.is(value, -0) ? { float: '-0.0' } : value;
}

function scalar(name: string, value: unknown): Tagged {
  if (typeof value === 'bigint') return whole(value);
  if (typeof value === 'number') return name === 'float' || name === 'double' ? floating(value) : whole(value);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  throw new Error(`no tagged form for ${String(value)}`);
}

/**
 * The form in which p4p, with wrapping off, hands out a value of this type. p4p drops the name of the selected
 * union member, and shows an any as its content.
 */
export function taggedOf(type: TypeDesc, value: PvValue): Tagged {
  switch (type.kind) {
    case 'scalar':
      return scalar(type.scalar, value);
    case 'boundedString':
      return scalar('string', value);
    case 'scalarArray': {
      const items = Array.from(value as ArrayLike<unknown>, (item) => scalar(type.scalar, item));
      return type.scalar === 'string' ? items : { array: DTYPES[type.scalar] ?? '', items };
    }
    case 'structure':
      return structure(type, value as StructureValue);
    case 'union': {
      if (value === null) return null;
      const { select, value: inner } = value as { select: string; value: PvValue };
      const member = type.fields[type.indexOf.get(select) ?? -1];
      if (member === undefined) throw new Error(`union has no member '${select}'`);
      return taggedOf(member.type, inner);
    }
    case 'any': {
      if (value === null) return null;
      const { type: innerType, value: inner } = value as { type: TypeDesc; value: PvValue };
      return taggedOf(innerType, inner);
    }
    case 'structureArray':
    case 'unionArray':
      return (value as readonly PvValue[]).map((item) => (item === null ? null : taggedOf(type.element, item)));
    case 'anyArray':
      return (value as readonly PvValue[]).map((item) => {
        if (item === null) return null;
        const { type: innerType, value: inner } = item as { type: TypeDesc; value: PvValue };
        return taggedOf(innerType, inner);
      });
  }
}

function structure(type: StructureType, value: StructureValue): Tagged {
  const fields: Record<string, Tagged> = {};
  for (const field of type.fields) fields[field.name] = taggedOf(field.type, value[field.name] ?? null);
  // p4p shows a structure without an id as 'structure'.
  return { structure: type.id === '' ? 'structure' : type.id, fields, changed: [] };
}

/** The same value without its `changed` lists, which say how it travelled and not what it is. */
export function withoutChanged(value: Tagged): unknown {
  if (Array.isArray(value)) return value.map((item: Tagged) => withoutChanged(item));
  if (typeof value !== 'object' || value === null) return value;
  if ('structure' in value) {
    const fields = Object.fromEntries(Object.entries(value.fields).map(([name, item]) => [name, withoutChanged(item)]));
    return { structure: value.structure, fields };
  }
  return value;
}
