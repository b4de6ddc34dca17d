// Which TypeScript type does a value of a given TypeDesc have?

import type {
  AnyArrayType,
  AnyType,
  BoundedStringType,
  FieldTypes,
  ScalarArrayType,
  ScalarName,
  ScalarType,
  StructureArrayType,
  StructureType,
  TypeDesc,
  UnionArrayType,
  UnionType,
} from './type-desc.ts';

interface ScalarValues {
  boolean: boolean;
  byte: number;
  ubyte: number;
  short: number;
  ushort: number;
  int: number;
  uint: number;
  long: bigint;
  ulong: bigint;
  float: number;
  double: number;
  string: string;
}

interface ScalarArrayValues {
  boolean: readonly boolean[];
  byte: Int8Array;
  ubyte: Uint8Array;
  short: Int16Array;
  ushort: Uint16Array;
  int: Int32Array;
  uint: Uint32Array;
  long: BigInt64Array;
  ulong: BigUint64Array;
  float: Float32Array;
  double: Float64Array;
  string: readonly string[];
}

/** Integers up to 32 bits, float and double are numbers; long and ulong are bigint. */
export type ScalarValue<S extends ScalarName = ScalarName> = ScalarValues[S];
/** Numbers come as typed arrays. */
export type ScalarArrayValue<S extends ScalarName = ScalarName> = ScalarArrayValues[S];
/** Any typed array that pvData has a scalar for. */
export type NumericArray = Exclude<ScalarArrayValue, readonly boolean[] | readonly string[]>;

/** A structure is a plain object with its fields in order. */
export type StructureValue = { readonly [name: string]: PvValue };
/** The selected member and its value; null when nothing is selected. */
export type UnionValue = { readonly select: string; readonly value: PvValue } | null;
/** A value with its type; null when there is none. */
export type AnyValue = { readonly type: TypeDesc; readonly value: PvValue } | null;

/** A structure with its type: what pvRequests, arguments of RPCs and their results are. */
export type TypedStructure = { readonly type: StructureType; readonly value: StructureValue };

/** Any value that pvAccess can carry. */
export type PvValue =
  | ScalarValue
  | ScalarArrayValue
  | StructureValue
  | UnionValue
  | AnyValue
  | readonly (StructureValue | null)[]
  | readonly UnionValue[]
  | readonly AnyValue[];

type StructureOf<F extends FieldTypes> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

type UnionOf<F extends FieldTypes> =
  | { readonly [Name in keyof F & string]: { readonly select: Name; readonly value: ValueOf<F[Name]> } }[keyof F &
      string]
  | null;

/** The type of the values of `T`: `ValueOf<typeof type>`. */
export type ValueOf<T extends TypeDesc> = TypeDesc extends T
  ? PvValue
  : T extends ScalarType<infer S>
    ? ScalarValue<S>
    : T extends ScalarArrayType<infer S>
      ? ScalarArrayValue<S>
      : T extends BoundedStringType
        ? string
        : T extends StructureType<infer F>
          ? StructureOf<F>
          : T extends UnionType<infer F>
            ? UnionOf<F>
            : T extends StructureArrayType<infer F>
              ? readonly (StructureOf<F> | null)[]
              : T extends UnionArrayType<infer F>
                ? readonly UnionOf<F>[]
                : T extends AnyType
                  ? AnyValue
                  : T extends AnyArrayType
                    ? readonly AnyValue[]
                    : never;
