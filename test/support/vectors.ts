// How are the recorded vectors (test/vectors) read: types, values and bytes as this library has them?

import { readFileSync } from 'node:fs';

import * as t from '../../src/protocol/types/type-desc.ts';
import type { Field, ScalarName, StructureType, TypeDesc, UnionType } from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';

const SCALARS: Readonly<Record<string, ScalarName>> = {
  boolean: 'boolean',
  int8: 'byte',
  int16: 'short',
  int32: 'int',
  int64: 'long',
  uint8: 'ubyte',
  uint16: 'ushort',
  uint32: 'uint',
  uint64: 'ulong',
  float32: 'float',
  float64: 'double',
  string: 'string',
};

const TYPED_ARRAYS = {
  byte: Int8Array,
  ubyte: Uint8Array,
  short: Int16Array,
  ushort: Uint16Array,
  int: Int32Array,
  uint: Uint32Array,
  float: Float32Array,
  double: Float64Array,
} as const;

/** A type as the vectors write it. */
export type VectorType = {
  readonly kind: string;
  readonly scalar?: string;
  readonly bound?: number;
  readonly size?: number;
  readonly id?: string;
  readonly fields?: readonly { readonly name: string; readonly type: VectorType }[];
  readonly element?: VectorType;
};

export interface Partial {
  readonly bitset: readonly number[];
  readonly bitsetHexBE: string;
  readonly bitsetHexLE: string;
  readonly partialHexBE: string;
  readonly partialHexLE: string;
  readonly decodeOnly?: boolean;
}

export interface DataCase {
  readonly category: string;
  readonly kind: 'value' | 'bitset' | 'size' | 'status' | 'typeSequence';
  readonly name: string;
  readonly decodeOnly?: boolean;
  readonly type?: VectorType | null;
  readonly value?: unknown;
  readonly typeHexBE?: string;
  readonly typeHexLE?: string;
  readonly valueHexBE?: string;
  readonly valueHexLE?: string;
  readonly partials?: readonly Partial[];
  readonly bitset?: readonly number[];
  readonly size?: number | null;
  readonly status?: { readonly type: 0 | 1 | 2 | 3; readonly message: string; readonly callTree: string };
  readonly hexBE?: string;
  readonly hexLE?: string;
  readonly steps?: readonly {
    readonly type: VectorType | null;
    readonly hexBE: string;
    readonly hexLE: string;
    readonly value?: unknown;
  }[];
}

export interface MalformedCase {
  readonly name: string;
  readonly kind: 'type' | 'value' | 'partial' | 'status' | 'message';
  readonly context?: 'server-first' | 'server-connected' | 'udp-server' | 'client-first' | 'client-connected';
  readonly byteOrder: 'BE' | 'LE';
  readonly type?: VectorType | null;
  readonly hex: string;
  readonly why: string;
  readonly expect: 'reject' | 'ignore' | 'tolerate' | 'accept';
}

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'));
}

/** The cases of data.json: encodings recorded from pvxs and pvAccessCPP. */
export function dataCases(): readonly DataCase[] {
  // The file is the project's own copy; its README gives this shape.
  return (load('data.json') as { readonly cases: readonly DataCase[] }).cases;
}

/** The cases of malformed.json: inputs that a decoder must survive, with the outcome each must have. */
export function malformedCases(): readonly MalformedCase[] {
  return (load('malformed.json') as { readonly cases: readonly MalformedCase[] }).cases;
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(/\s+/g, ''), 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function scalarOf(name: string | undefined): ScalarName {
  const scalar = SCALARS[name ?? ''];
  if (scalar === undefined) throw new Error(`vector names an unknown scalar '${name ?? ''}'`);
  return scalar;
}

export function typeOf(type: VectorType): TypeDesc {
  const fields = (): readonly Field[] =>
    (type.fields ?? []).map((field) => ({ name: field.name, type: typeOf(field.type) }));
  switch (type.kind) {
    case 'scalar':
      return t.scalar(scalarOf(type.scalar));
    case 'scalarArray':
      return t.arrayOf(t.scalar(scalarOf(type.scalar)));
    case 'boundedScalarArray':
      return t.boundedArrayOf(t.scalar(scalarOf(type.scalar)), type.bound ?? 0);
    case 'fixedScalarArray':
      return t.fixedArrayOf(t.scalar(scalarOf(type.scalar)), type.size ?? 0);
    case 'boundedString':
      return t.boundedString(type.bound ?? 0);
    case 'structure':
      return t.structure(type.id ?? '', fields());
    case 'union':
      return t.union(type.id ?? '', fields());
    case 'any':
      return t.any;
    case 'anyArray':
      return t.anyArray;
    case 'structureArray':
      return t.arrayOf(elementOf(type) as StructureType);
    case 'unionArray':
      return t.arrayOf(elementOf(type) as UnionType);
    default:
      throw new Error(`vector names an unknown kind '${type.kind}'`);
  }
}

function elementOf(type: VectorType): TypeDesc {
  if (type.element === undefined) throw new Error('vector has an array without its element type');
  return typeOf(type.element);
}

function scalarValue(name: ScalarName, value: unknown): PvValue {
  if (name === 'long' || name === 'ulong') return BigInt(value as string | number);
  if ((name === 'float' || name === 'double') && typeof value === 'string') return Number(value);
  return value as PvValue;
}

export function valueOf(type: TypeDesc, value: unknown): PvValue {
  switch (type.kind) {
    case 'scalar':
      return scalarValue(type.scalar, value);
    case 'boundedString':
      return value as string;
    case 'scalarArray': {
      const items = (value as readonly unknown[]).map((item) => scalarValue(type.scalar, item));
      if (type.scalar === 'boolean' || type.scalar === 'string') return items as PvValue;
      if (type.scalar === 'long') return BigInt64Array.from(items as bigint[]);
      if (type.scalar === 'ulong') return BigUint64Array.from(items as bigint[]);
      return TYPED_ARRAYS[type.scalar].from(items as number[]);
    }
    case 'structure': {
      const given = value as Readonly<Record<string, unknown>>;
      const result: Record<string, PvValue> = {};
      for (const field of type.fields) {
        const own = Object.getOwnPropertyDescriptor(given, field.name)?.value as unknown;
        Object.defineProperty(result, field.name, {
          value: valueOf(field.type, own),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return result;
    }
    case 'union': {
      if (value === null) return null;
      const { select, value: inner } = value as { select: string; value: unknown };
      const field = type.fields[type.indexOf.get(select) ?? -1];
      if (field === undefined) throw new Error(`vector selects an unknown member '${select}'`);
      return { select, value: valueOf(field.type, inner) };
    }
    case 'any': {
      if (value === null) return null;
      const { type: innerType, value: inner } = value as { type: VectorType; value: unknown };
      const innerDesc = typeOf(innerType);
      return { type: innerDesc, value: valueOf(innerDesc, inner) };
    }
    case 'structureArray':
    case 'unionArray':
      return (value as readonly unknown[]).map((item) =>
        item === null ? null : valueOf(type.element, item),
      ) as PvValue;
    case 'anyArray':
      return (value as readonly unknown[]).map((item) => valueOf(t.any, item)) as PvValue;
  }
}
