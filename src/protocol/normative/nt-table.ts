// How is an NTTable built from its columns?
//
// Spec: Normative-Types-Specification, "NTTable".

import {
  arrayOf,
  string,
  structure,
  type ScalarArrayType,
  type ScalarName,
  type ScalarType,
  type StructureType,
} from '../types/type-desc.ts';
import { alarmType, timeStampType } from './substructures.ts';

/** Names of columns and the scalars in each. */
export type TableColumns = Readonly<Record<string, ScalarType>>;

type ArraysOf<C extends TableColumns> = {
  [Name in keyof C]: C[Name] extends ScalarType<infer S extends ScalarName> ? ScalarArrayType<S> : never;
};

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
  const type = structure('epics:nt/NTTable:1.0', {
    labels: arrayOf(string),
    value: structure('', fields),
    descriptor: string,
    alarm: alarmType,
    timeStamp: timeStampType,
  });
  // Every column became an array of its scalar, as ArraysOf says.
  return type as unknown as NtTableType<C>;
}
