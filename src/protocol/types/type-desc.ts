// What is a pvData type? The TypeDesc union and the builders that read like the thing they build.
//
// Equal types are one object (interned), so `===` compares types and compiled codecs are found by identity.
// Spec: Protocol-Encoding, "Introspection Data"; OverviewOfpvData.

import { LocalProtocolError } from '../errors.ts';

/** The scalars of pvData by their names in the specification. */
export type ScalarName =
  | 'boolean'
  | 'byte'
  | 'ubyte'
  | 'short'
  | 'ushort'
  | 'int'
  | 'uint'
  | 'long'
  | 'ulong'
  | 'float'
  | 'double'
  | 'string';

/** All scalars, in the order of their codes on the wire. */
export const SCALAR_NAMES: readonly ScalarName[] = [
  'boolean',
  'byte',
  'ubyte',
  'short',
  'ushort',
  'int',
  'uint',
  'long',
  'ulong',
  'float',
  'double',
  'string',
];

/** Lowest and highest value of the integers that are numbers in JavaScript. */
export const INTEGER_RANGES = {
  byte: [-0x80, 0x7f],
  ubyte: [0, 0xff],
  short: [-0x8000, 0x7fff],
  ushort: [0, 0xffff],
  int: [-0x8000_0000, 0x7fff_ffff],
  uint: [0, 0xffff_ffff],
} as const satisfies Partial<Record<ScalarName, readonly [number, number]>>;

/** Lowest and highest value of the integers that are bigint in JavaScript. */
export const LONG_RANGES = {
  long: [-(2n ** 63n), 2n ** 63n - 1n],
  ulong: [0n, 2n ** 64n - 1n],
} as const;

/** What every type knows about its extent; computed once, when the type is first made. */
interface Extent {
  /** Bits that the type takes in a BitSet: 1, or for a structure 1 plus those of its fields. */
  readonly bitCount: number;
  /** Nodes of the whole description, members of unions and elements of arrays included. */
  readonly nodeCount: number;
  /** Levels below this one: 0 for a scalar or a structure without fields, 1 for a structure of scalars. */
  readonly depth: number;
}

/** A scalar. */
export interface ScalarType<S extends ScalarName = ScalarName> extends Extent {
  readonly kind: 'scalar';
  readonly scalar: S;
}

/** A string of at most `bound` bytes. pvxs cannot read this type at all. */
export interface BoundedStringType extends Extent {
  readonly kind: 'boundedString';
  readonly bound: number;
}

/** `variable`: any length; `bounded`: at most `size` elements; `fixed`: exactly `size`, sent without a count. */
export type Sizing = 'variable' | 'bounded' | 'fixed';

/** An array of scalars. */
export interface ScalarArrayType<S extends ScalarName = ScalarName> extends Extent {
  readonly kind: 'scalarArray';
  readonly scalar: S;
  readonly sizing: Sizing;
  /** Elements at most (bounded) or exactly (fixed); 0 for variable. */
  readonly size: number;
}

/** A field of a structure, or a member of a union. */
export interface Field {
  readonly name: string;
  readonly type: TypeDesc;
}

/** Field names and types as builders take them. */
export type FieldTypes = Readonly<Record<string, TypeDesc>>;

/** Carries the field types for inference only; no object ever has it. */
declare const FIELDS: unique symbol;

interface Members<F extends FieldTypes> extends Extent {
  /** Type id such as `epics:nt/NTScalar:1.0`; '' for none. */
  readonly id: string;
  /** In wire order. */
  readonly fields: readonly Field[];
  /** Index into `fields` by name. */
  readonly indexOf: ReadonlyMap<string, number>;
  readonly [FIELDS]?: F;
}

/** A structure: named fields in an order. */
export interface StructureType<F extends FieldTypes = FieldTypes> extends Members<F> {
  readonly kind: 'structure';
}

/** A union: one of its members at a time, or none. */
export interface UnionType<F extends FieldTypes = FieldTypes> extends Members<F> {
  readonly kind: 'union';
}

/** The variant union: a value that brings its type along. */
export interface AnyType extends Extent {
  readonly kind: 'any';
}

/** An array of structures of one type; elements may be missing. */
export interface StructureArrayType<F extends FieldTypes = FieldTypes> extends Extent {
  readonly kind: 'structureArray';
  readonly element: StructureType<F>;
}

/** An array of unions of one type. */
export interface UnionArrayType<F extends FieldTypes = FieldTypes> extends Extent {
  readonly kind: 'unionArray';
  readonly element: UnionType<F>;
}

/** An array of values that each bring their type along. */
export interface AnyArrayType extends Extent {
  readonly kind: 'anyArray';
}

/**
 * Any type of pvData. Equal types are one object, so `===` compares them. Spec: Protocol-Encoding, "Introspection
 * Data".
 */
export type TypeDesc =
  | ScalarType
  | BoundedStringType
  | ScalarArrayType
  | StructureType
  | UnionType
  | AnyType
  | StructureArrayType
  | UnionArrayType
  | AnyArrayType;

// --- interning -------------------------------------------------------------------------------------------------

/** Types by a key made of their parts. Weak, so that types a peer invents do not stay for ever. */
const interned = new Map<string, WeakRef<TypeDesc>>();
const serials = new WeakMap<TypeDesc, number>();
let nextSerial = 1;

const reclaimed = new FinalizationRegistry<string>((key) => {
  if (interned.get(key)?.deref() === undefined) interned.delete(key);
});

function intern<T extends TypeDesc>(key: string, make: () => T): T {
  const known = interned.get(key)?.deref();
  // The key names the kind and every part, so what it finds has the shape that `make` would give.
  if (known !== undefined) return known as T;
  const made = make();
  Object.freeze(made);
  interned.set(key, new WeakRef(made));
  serials.set(made, nextSerial++);
  reclaimed.register(made, key);
  return made;
}

/** Whether something is a type that a builder or a decoder made. */
export function isType(thing: unknown): thing is TypeDesc {
  return serials.has(thing as TypeDesc); // has what was put there, and for all else, whatever it is, says no
}

function serialOf(type: TypeDesc): number {
  const serial = serials.get(type);
  if (serial === undefined) throw new LocalProtocolError('a type was given that none of the builders made');
  return serial;
}

/** Sizes travel as 31 bits. */
const MAX_SIZE = 0x7fff_ffff;

const LEAF: Extent = { bitCount: 1, nodeCount: 1, depth: 0 };

// --- builders --------------------------------------------------------------------------------------------------

function scalarType<S extends ScalarName>(scalar: S): ScalarType<S> {
  return intern(`scalar ${scalar}`, () => ({ kind: 'scalar', scalar, ...LEAF }));
}

/** true or false. */
export const boolean: ScalarType<'boolean'> = scalarType('boolean');
/** An integer of 8 bits with a sign. */
export const byte: ScalarType<'byte'> = scalarType('byte');
/** An integer of 8 bits without a sign. */
export const ubyte: ScalarType<'ubyte'> = scalarType('ubyte');
/** An integer of 16 bits with a sign. */
export const short: ScalarType<'short'> = scalarType('short');
/** An integer of 16 bits without a sign. */
export const ushort: ScalarType<'ushort'> = scalarType('ushort');
/** An integer of 32 bits with a sign. */
export const int: ScalarType<'int'> = scalarType('int');
/** An integer of 32 bits without a sign. */
export const uint: ScalarType<'uint'> = scalarType('uint');
/** An integer of 64 bits with a sign; a bigint. */
export const long: ScalarType<'long'> = scalarType('long');
/** An integer of 64 bits without a sign; a bigint. */
export const ulong: ScalarType<'ulong'> = scalarType('ulong');
/** A floating-point number of 32 bits. */
export const float: ScalarType<'float'> = scalarType('float');
/** A floating-point number of 64 bits. */
export const double: ScalarType<'double'> = scalarType('double');
/** UTF-8 text. */
export const string: ScalarType<'string'> = scalarType('string');

const SCALARS: { readonly [S in ScalarName]: ScalarType<S> } = {
  boolean,
  byte,
  ubyte,
  short,
  ushort,
  int,
  uint,
  long,
  ulong,
  float,
  double,
  string,
};

/** The scalar type of a pvData name, such as one read from a configuration file. */
export function scalar<S extends ScalarName>(name: S): ScalarType<S> {
  return SCALARS[name];
}

/** A value that brings its type along: the variant union. */
export const any: AnyType = intern('any', () => ({ kind: 'any', ...LEAF }));

/** An array of values that each bring their type along. */
export const anyArray: AnyArrayType = intern('any[]', () => ({ kind: 'anyArray', ...LEAF, nodeCount: 2 }));

/** A string of at most `bound` UTF-8 bytes. */
export function boundedString(bound: number): BoundedStringType {
  requireSize(bound, 'bound of a string');
  return intern(`string<=${bound}`, () => ({ kind: 'boundedString', bound, ...LEAF }));
}

function scalarArray<S extends ScalarName>(scalarName: S, sizing: Sizing, size: number): ScalarArrayType<S> {
  return intern(`${sizing} ${size} ${scalarName}`, () => ({
    kind: 'scalarArray',
    scalar: scalarName,
    sizing,
    size,
    ...LEAF,
  }));
}

/** An array of any length; of scalars, structures, unions or any. */
export function arrayOf<S extends ScalarName>(element: ScalarType<S>): ScalarArrayType<S>;
export function arrayOf<F extends FieldTypes>(element: StructureType<F>): StructureArrayType<F>;
export function arrayOf<F extends FieldTypes>(element: UnionType<F>): UnionArrayType<F>;
export function arrayOf(element: AnyType): AnyArrayType;
export function arrayOf(
  element: ScalarType | StructureType | UnionType | AnyType,
): ScalarArrayType | StructureArrayType | UnionArrayType | AnyArrayType {
  switch (element.kind) {
    case 'scalar':
      return scalarArray(element.scalar, 'variable', 0);
    case 'any':
      return anyArray;
    case 'structure':
      return intern(`[]${serialOf(element)}`, () => ({ kind: 'structureArray', element, ...around(element) }));
    case 'union':
      return intern(`[]${serialOf(element)}`, () => ({ kind: 'unionArray', element, ...around(element) }));
  }
}

/** An array of at most `bound` scalars. */
export function boundedArrayOf<S extends ScalarName>(element: ScalarType<S>, bound: number): ScalarArrayType<S> {
  requireSize(bound, 'bound of an array');
  return scalarArray(element.scalar, 'bounded', bound);
}

/** An array of exactly `size` scalars. */
export function fixedArrayOf<S extends ScalarName>(element: ScalarType<S>, size: number): ScalarArrayType<S> {
  requireSize(size, 'size of an array');
  return scalarArray(element.scalar, 'fixed', size);
}

/**
 * A structure with or without an id. Field names that look like whole numbers would be reordered by a plain
 * object; give such fields as a list of `{ name, type }`.
 */
export function structure<F extends FieldTypes>(fields: F): StructureType<F>;
export function structure<F extends FieldTypes>(id: string, fields: F): StructureType<F>;
export function structure(id: string, fields: readonly Field[]): StructureType;
export function structure(idOrFields: string | FieldTypes, maybeFields?: FieldTypes | readonly Field[]): StructureType {
  const [id, fields] = membersOf(idOrFields, maybeFields);
  return intern(memberKey('structure', id, fields), () => ({
    kind: 'structure',
    ...members(id, fields),
    bitCount: fields.reduce((sum, field) => sum + field.type.bitCount, 1),
  }));
}

/** A union with or without an id: none or one of its members at a time. */
export function union<F extends FieldTypes>(fields: F): UnionType<F>;
export function union<F extends FieldTypes>(id: string, fields: F): UnionType<F>;
export function union(id: string, fields: readonly Field[]): UnionType;
export function union(idOrFields: string | FieldTypes, maybeFields?: FieldTypes | readonly Field[]): UnionType {
  const [id, fields] = membersOf(idOrFields, maybeFields);
  return intern(memberKey('union', id, fields), () => ({ kind: 'union', ...members(id, fields), bitCount: 1 }));
}

// --- helpers ---------------------------------------------------------------------------------------------------

function membersOf(
  idOrFields: string | FieldTypes,
  maybeFields: FieldTypes | readonly Field[] | undefined,
): [id: string, fields: readonly Field[]] {
  const id = typeof idOrFields === 'string' ? idOrFields : '';
  const given = typeof idOrFields === 'string' ? (maybeFields ?? {}) : idOrFields;
  const fields = isFieldList(given)
    ? given.map(({ name, type }) => Object.freeze({ name, type }))
    : Object.entries(given).map(([name, type]) => Object.freeze({ name, type }));
  return [id, Object.freeze(fields)];
}

function isFieldList(given: FieldTypes | readonly Field[]): given is readonly Field[] {
  return Array.isArray(given);
}

function memberKey(kind: string, id: string, fields: readonly Field[]): string {
  // JSON quotes ids and names, so that no name can look like the separator.
  return `${kind} ${JSON.stringify([id, ...fields.flatMap(({ name, type }) => [name, serialOf(type)])])}`;
}

function members(id: string, fields: readonly Field[]) {
  const indexOf = new Map<string, number>();
  for (const { name } of fields) {
    if (indexOf.has(name)) {
      throw new LocalProtocolError(`two fields of one ${id === '' ? 'type' : id} are named '${name}'`);
    }
    indexOf.set(name, indexOf.size);
  }
  return {
    id,
    fields,
    indexOf,
    nodeCount: fields.reduce((sum, field) => sum + field.type.nodeCount, 1),
    depth: fields.reduce((deepest, field) => Math.max(deepest, field.type.depth + 1), 0),
  };
}

function around(element: StructureType | UnionType): Extent {
  return { bitCount: 1, nodeCount: element.nodeCount + 1, depth: element.depth + 1 };
}

function requireSize(size: number, what: string): void {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw new LocalProtocolError(`${what} is ${size}, a whole number from 1 to ${MAX_SIZE} expected`);
  }
}
