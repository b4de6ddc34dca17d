// How is an NTTable built from its columns, the type alone or with its value?
//
// Spec: Normative-Types-Specification, "NTTable".

import { LocalProtocolError } from '../errors.ts';
import {
  arrayOf,
  string,
  structure,
  type Field,
  type ScalarArrayType,
  type ScalarName,
  type ScalarType,
  type StructureType,
} from '../types/type-desc.ts';
import type { StructureValue, TypedStructure } from '../types/value-of.ts';
import { anyCodecOf } from '../values/codec.ts';
import { coerce } from '../values/coerce.ts';
import { listOf } from '../values/coerce-array.ts';
import { inferType } from '../values/infer-type.ts';
import { alarmType, timeStampType } from './substructures.ts';

const NT_TABLE = 'epics:nt/NTTable:1.0';

/** Names of columns and the scalars in each. */
export type TableColumns = Readonly<Record<string, ScalarType>>;

type ArraysOf<C extends TableColumns> = {
  [Name in keyof C]: C[Name] extends ScalarType<infer S extends ScalarName> ? ScalarArrayType<S> : never;
};

/** What `ntTable` makes of columns. */
export type NtTableType<C extends TableColumns> = StructureType<{
  labels: ScalarArrayType<'string'>;
  value: StructureType<ArraysOf<C>>;
  descriptor: ScalarType<'string'>;
  alarm: typeof alarmType;
  timeStamp: typeof timeStampType;
}>;

/** `epics:nt/NTTable:1.0`: columns of one length each, their labels apart. */
export function ntTable<const C extends TableColumns>(columns: C): NtTableType<C> {
  const fields = Object.entries(columns).map(([name, scalar]) => ({ name, type: arrayOf(scalar) }));
  const type = tableType(fields);
  // Every column became an array of its scalar, as ArraysOf says.
  return type as unknown as NtTableType<C>;
}

/** What can be said about a table beside its columns. */
export interface TableOptions {
  /** What people read above the columns; the names unless given. */
  readonly labels?: readonly string[];
  /** Scalars of columns; those of the others are inferred, so a list of numbers is a column of doubles. */
  readonly types?: TableColumns;
  readonly descriptor?: string;
}

/**
 * A table of columns that are all of one length: lists or typed arrays. Throws `LocalProtocolError` when lengths
 * differ, or when an empty column is given without its type.
 */
export function tableValue(columns: Readonly<Record<string, unknown>>, options: TableOptions = {}): TypedStructure {
  const names = Object.keys(columns);
  const { labels = names, descriptor = '' } = options;
  if (labels.length !== names.length) {
    throw new LocalProtocolError(`a label for each of ${names.length} columns expected, ${labels.length} given`);
  }
  const fields = names.map((name) => ({ name, type: columnType(name, columns[name], options.types) }));
  const type = tableType(fields);
  const value = coerce(structure('', fields), columns, 'value');
  requireOneLength(names, columns);
  // The default of a structure type is a structure.
  const empty = anyCodecOf(type).defaultValue() as StructureValue;
  return { type, value: { ...empty, labels: [...labels], value, descriptor } };
}

function tableType(fields: readonly Field[]): StructureType {
  return structure(NT_TABLE, {
    labels: arrayOf(string),
    value: structure('', fields),
    descriptor: string,
    alarm: alarmType,
    timeStamp: timeStampType,
  });
}

function columnType(name: string, column: unknown, types: TableColumns | undefined): ScalarArrayType {
  const known = types !== undefined && Object.hasOwn(types, name) ? types[name] : undefined;
  if (known !== undefined) return arrayOf(known);
  const type = inferType(column, `value.${name}`);
  if (type.kind !== 'scalarArray')
    throw new LocalProtocolError(`column '${name}': a list of scalars of one kind expected`);
  return type;
}

/** Spec: NTTable, all columns MUST be of the same length. */
function requireOneLength(names: readonly string[], columns: Readonly<Record<string, unknown>>): void {
  const lengths = names.map((name) => listOf(columns[name])?.length ?? 0);
  const odd = lengths.findIndex((length) => length !== lengths[0]);
  if (odd === -1) return;
  throw new LocalProtocolError(
    `column '${names[odd] ?? ''}' has ${lengths[odd] ?? 0} rows, ${lengths[0] ?? 0} expected as in '${names[0] ?? ''}'`,
  );
}
