// How does a value of pvkit compare with one that p4p saw? Both become the tagged JSON of peers/tagged.py.

import type { ScalarName, StructureType, TypeDesc } from '../../../src/protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../../../src/protocol/types/value-of.ts';

export type Tagged =
  | null
  | boolean
  | number
  | string
  | readonly Tagged[]
  | { readonly int: string }
  | { readonly float: string }
  | { readonly array: string; readonly items: readonly Tagged[] }
  | TaggedStructure;

export interface TaggedStructure {
  readonly structure: string;
  readonly fields: { readonly [name: string]: Tagged };
  /** How p4p was told: the fields that came. */
  readonly changed?: readonly string[];
}

/** A type as p4p spells it. */
export type P4pType = string | readonly [code: string, id: string, members: readonly (readonly [string, P4pType])[]];

/** p4p's code of each scalar type, and numpy's name of it. */
export const SCALARS: Readonly<Record<ScalarName, readonly [code: string, dtype: string]>> = {
  boolean: ['?', 'bool'],
  byte: ['b', 'int8'],
  ubyte: ['B', 'uint8'],
  short: ['h', 'int16'],
  ushort: ['H', 'uint16'],
  int: ['i', 'int32'],
  uint: ['I', 'uint32'],
  long: ['l', 'int64'],
  ulong: ['L', 'uint64'],
  float: ['f', 'float32'],
  double: ['d', 'float64'],
  string: ['s', ''],
};

export function isScalarName(name: string): name is ScalarName {
  return Object.hasOwn(SCALARS, name);
}

// --- types -----------------------------------------------------------------------------------------------------

/** The type in p4p's spelling. */
export function p4pTypeOf(type: TypeDesc): P4pType {
  switch (type.kind) {
    case 'scalar':
      return SCALARS[type.scalar][0];
    case 'boundedString':
      return 's';
    case 'scalarArray':
      return `a${SCALARS[type.scalar][0]}`;
    case 'any':
      return 'v';
    case 'anyArray':
      return 'av';
    case 'structure':
      return withMembers('S', type);
    case 'union':
      return withMembers('U', type);
    case 'structureArray':
      return withMembers('aS', type.element);
    case 'unionArray':
      return withMembers('aU', type.element);
  }
}

function withMembers(code: string, { id, fields }: Pick<StructureType, 'id' | 'fields'>): P4pType {
  return [code, shownId(id), fields.map(({ name, type }) => [name, p4pTypeOf(type)] as const)];
}

/** p4p shows what has no id as 'structure', unions too. */
function shownId(id: string): string {
  return id === '' ? 'structure' : id;
}

// --- values ----------------------------------------------------------------------------------------------------

/**
 * The form in which p4p, with wrapping off, hands out a value of this type. p4p drops the name of the selected
 * union member, and shows an any as its content.
 */
export function taggedOf(type: TypeDesc, value: PvValue): Tagged {
  // Each cast follows from the type, whose values these are.
  switch (type.kind) {
    case 'scalar':
      return scalar(type.scalar, value);
    case 'boundedString':
      return scalar('string', value);
    case 'scalarArray': {
      const items = Array.from(value as ArrayLike<unknown>, (item) => scalar(type.scalar, item));
      return type.scalar === 'string' ? items : { array: SCALARS[type.scalar][1], items };
    }
    case 'structure':
      return structure(type, value as StructureValue);
    case 'union': {
      if (value === null) return null;
      const { select, value: inner } = value as { select: string; value: PvValue };
      const member = type.fields[type.indexOf.get(select) ?? -1];
      if (member === undefined) throw new Error(`union has no member '${select}'`);
      return content(member.type, inner);
    }
    case 'any':
      return any(value);
    case 'structureArray':
    case 'unionArray':
      return (value as readonly PvValue[]).map((item) => (item === null ? null : taggedOf(type.element, item)));
    case 'anyArray':
      return (value as readonly PvValue[]).map((item) => any(item));
  }
}

function any(value: PvValue): Tagged {
  if (value === null) return null;
  const { type, value: inner } = value as { type: TypeDesc; value: PvValue };
  return content(type, inner);
}

/** What a union or an any holds: p4p shows an empty array of numbers in it as None. */
function content(type: TypeDesc, value: PvValue): Tagged {
  const tagged = taggedOf(type, value);
  const isEmpty = typeof tagged === 'object' && tagged !== null && 'items' in tagged && tagged.items.length === 0;
  return isEmpty ? null : tagged;
}

function structure(type: StructureType, value: StructureValue): TaggedStructure {
  const fields: Record<string, Tagged> = {};
  for (const field of type.fields) fields[field.name] = taggedOf(field.type, value[field.name] ?? null);
  return { structure: shownId(type.id), fields };
}

function scalar(name: ScalarName, value: unknown): Tagged {
  if (typeof value === 'bigint') return whole(value);
  if (typeof value === 'number') return name === 'float' || name === 'double' ? floating(value) : whole(value);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  throw new Error(`no tagged form for ${String(value)}`);
}

function whole(value: bigint | number): Tagged {
  return Number.isSafeInteger(Number(value)) ? Number(value) : { int: String(value) };
}

function floating(value: number): Tagged {
  if (Number.isNaN(value)) return { float: 'nan' };
  if (!Number.isFinite(value)) return { float: value > 0 ? 'inf' : '-inf' };
  return Object.is(value, -0) ? { float: '-0.0' } : value;
}

// --- reading what p4p told -------------------------------------------------------------------------------------

/** The same value without its `changed` lists, which say how it travelled and not what it is. */
export function withoutChanged(value: Tagged): Tagged {
  if (isList(value)) return value.map((item) => withoutChanged(item));
  if (typeof value !== 'object' || value === null || !('structure' in value)) return value;
  const fields = Object.fromEntries(Object.entries(value.fields).map(([name, item]) => [name, withoutChanged(item)]));
  return { structure: value.structure, fields };
}

/** A field of a structure, by the names on the way to it; undefined where there is none. */
export function fieldAt(value: Tagged, ...path: readonly string[]): Tagged | undefined {
  let at: Tagged | undefined = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !('structure' in at)) return undefined;
    at = at.fields[name];
  }
  return at;
}

/** The paths of the fields that came with an update. */
export function changedOf(value: Tagged): readonly string[] {
  return typeof value === 'object' && value !== null && 'changed' in value ? (value.changed ?? []) : [];
}

// Array.isArray() does not narrow readonly arrays.
function isList(value: Tagged): value is readonly Tagged[] {
  return Array.isArray(value);
}
