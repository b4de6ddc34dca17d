// What can types and values look like? Random ones for properties: every kind, bounds, nulls at every level, any in any.
//
//   fc.assert(fc.property(typedValues(), ({ type, value }) => { ... }))
//   fc.assert(fc.property(structureTypes().chain((type) => fc.tuple(fc.constant(type), valuesOf(type), masksOf(type))), ...))

import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { textBytes } from '../../src/protocol/text.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type {
  Field,
  ScalarArrayType,
  ScalarName,
  StructureType,
  TypeDesc,
  UnionType,
} from '../../src/protocol/types/type-desc.ts';
import type { PvValue, ScalarArrayValue, ScalarValue } from '../../src/protocol/types/value-of.ts';

export interface TypeOptions {
  /** Levels of structures, unions, and any below the outermost; 3 unless given. */
  readonly depth?: number;
  /** Also bounded and fixed arrays and bounded strings, which pvxs cannot read; true unless given. */
  readonly bounded?: boolean;
}

export interface Typed {
  readonly type: TypeDesc;
  readonly value: PvValue;
}

const MAX_ITEMS = 4;
const MAX_BOUND = 12;
const MAX_FIELDS = 4;

/** Names that have been trouble somewhere: prototypes, the words of union and any values, numbers, dots. */
const ODD_NAMES = ['', '__proto__', 'constructor', 'toString', 'select', 'value', 'type', 'index', 'a.b', '7', 'größe'];

/** Types of any kind. */
export function types(options: TypeOptions = {}): fc.Arbitrary<TypeDesc> {
  const { depth = 3 } = options;
  const leaf = leafTypes(options);
  if (depth === 0) return leaf;
  const inner: TypeOptions = { ...options, depth: depth - 1 };
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 2, arbitrary: structureTypes(inner) },
    { weight: 1, arbitrary: unionTypes(inner) },
    { weight: 1, arbitrary: structureTypes(inner).map((element) => t.arrayOf(element)) },
    { weight: 1, arbitrary: unionTypes(inner).map((element) => t.arrayOf(element)) },
  );
}

/** Structures, the outermost of a PV; fields down to `depth` levels below. */
export function structureTypes(options: TypeOptions = {}): fc.Arbitrary<StructureType> {
  return fc.tuple(ids(), fields(options, 0)).map(([id, list]) => t.structure(id, list));
}

export function unionTypes(options: TypeOptions = {}): fc.Arbitrary<UnionType> {
  return fc.tuple(ids(), fields(options, 1)).map(([id, list]) => t.union(id, list));
}

/** Values of a type, every field present. An `any` inside holds types of at most `depth` levels. */
export function valuesOf(type: TypeDesc, depth = 2): fc.Arbitrary<PvValue> {
  switch (type.kind) {
    case 'scalar':
      return scalars(type.scalar);
    case 'boundedString':
      return fc.string({ unit: 'grapheme', maxLength: type.bound }).filter((text) => textBytes(text) <= type.bound);
    case 'scalarArray':
      return scalarArrays(type);
    case 'structure':
      return fc
        .tuple(...type.fields.map((field) => valuesOf(field.type, depth)))
        .map((values) => compose(type, values));
    case 'union':
      return fc.option(
        fc
          .constantFrom(...type.fields)
          .chain((field) => valuesOf(field.type, depth).map((value) => ({ select: field.name, value }))),
      );
    case 'any':
      return depth === 0 ? fc.constant(null) : fc.option(typedValues({ depth: depth - 1 }));
    case 'structureArray':
      // Every element is a value of the element's type, or null.
      return fc.array(fc.option(valuesOf(type.element, depth)), { maxLength: MAX_ITEMS }) as fc.Arbitrary<PvValue>;
    case 'unionArray':
      return fc.array(valuesOf(type.element, depth), { maxLength: MAX_ITEMS }) as fc.Arbitrary<PvValue>;
    case 'anyArray':
      return fc.array(valuesOf(t.any, depth), { maxLength: MAX_ITEMS }) as fc.Arbitrary<PvValue>;
  }
}

/** A type with a value of it. */
export function typedValues(options: TypeOptions = {}): fc.Arbitrary<Typed> {
  return types(options).chain((type) => valuesOf(type, options.depth ?? 2).map((value) => ({ type, value })));
}

/** Any bits of a type, the ones of structures too. */
export function masksOf(type: TypeDesc): fc.Arbitrary<BitSet> {
  return fc.subarray(Array.from({ length: type.bitCount }, (_, bit) => bit)).map((bits) => BitSet.from(bits));
}

/**
 * Whether two values are the same: kinds of typed arrays, NaN, -0 and fields named `constructor` too, which
 * `toStrictEqual` takes for the object's class.
 */
export function isSameValue(one: PvValue, other: PvValue): boolean {
  return isDeepStrictEqual(one, other);
}

// --- types -----------------------------------------------------------------------------------------------------

function leafTypes({ bounded = true }: TypeOptions): fc.Arbitrary<TypeDesc> {
  const scalar = fc.constantFrom(...t.SCALAR_NAMES).map((name) => t.scalar(name));
  const bound = fc.integer({ min: 1, max: MAX_BOUND });
  const free = [scalar, scalar.map((element) => t.arrayOf(element)), fc.constantFrom(t.any, t.anyArray)];
  if (!bounded) return fc.oneof(...free);
  return fc.oneof(
    ...free,
    bound.map((bytes) => t.boundedString(bytes)),
    fc.tuple(scalar, bound).map(([element, size]) => t.boundedArrayOf(element, size)),
    fc.tuple(scalar, bound).map(([element, size]) => t.fixedArrayOf(element, size)),
  );
}

function ids(): fc.Arbitrary<string> {
  return fc.oneof(fc.constant(''), fc.constantFrom('alarm_t', 'demo/1.0', 'ü'));
}

function fields(options: TypeOptions, minLength: number): fc.Arbitrary<Field[]> {
  const name = fc.oneof(
    { weight: 3, arbitrary: fc.stringMatching(/^[a-z][a-zA-Z0-9_]{0,6}$/) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_NAMES) },
  );
  return fc.uniqueArray(
    fc.record({ name, type: types(options.depth === undefined ? { ...options, depth: 3 } : options) }),
    {
      minLength,
      maxLength: MAX_FIELDS,
      selector: (field) => field.name,
    },
  );
}

// --- values ----------------------------------------------------------------------------------------------------

function scalars(name: ScalarName): fc.Arbitrary<ScalarValue> {
  switch (name) {
    case 'boolean':
      return fc.boolean();
    case 'byte':
      return fc.integer({ min: -0x80, max: 0x7f });
    case 'ubyte':
      return fc.integer({ min: 0, max: 0xff });
    case 'short':
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case 'ushort':
      return fc.integer({ min: 0, max: 0xffff });
    case 'int':
      return fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    case 'uint':
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case 'long':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'ulong':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case 'float':
      return fc.float();
    case 'double':
      return fc.double();
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 12 });
  }
}

function scalarArrays({ scalar, sizing, size }: ScalarArrayType): fc.Arbitrary<ScalarArrayValue> {
  const length = {
    minLength: sizing === 'fixed' ? size : 0,
    maxLength: sizing === 'variable' ? MAX_ITEMS : size,
  };
  return fc.array(scalars(scalar), length).map((items) => arrayValue(scalar, items));
}

/** The items are of the scalar, so they are what each array holds. */
function arrayValue(scalar: ScalarName, items: readonly ScalarValue[]): ScalarArrayValue {
  switch (scalar) {
    case 'boolean':
      return items as readonly boolean[];
    case 'string':
      return items as readonly string[];
    case 'byte':
      return Int8Array.from(items as readonly number[]);
    case 'ubyte':
      return Uint8Array.from(items as readonly number[]);
    case 'short':
      return Int16Array.from(items as readonly number[]);
    case 'ushort':
      return Uint16Array.from(items as readonly number[]);
    case 'int':
      return Int32Array.from(items as readonly number[]);
    case 'uint':
      return Uint32Array.from(items as readonly number[]);
    case 'long':
      return BigInt64Array.from(items as readonly bigint[]);
    case 'ulong':
      return BigUint64Array.from(items as readonly bigint[]);
    case 'float':
      return Float32Array.from(items as readonly number[]);
    case 'double':
      return Float64Array.from(items as readonly number[]);
  }
}

function compose(type: StructureType, values: readonly PvValue[]): PvValue {
  const composed: Record<string, PvValue> = {};
  for (const [index, { name }] of type.fields.entries()) {
    const value = values[index] ?? null;
    Object.defineProperty(composed, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return composed;
}
