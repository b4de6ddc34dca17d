// How is an NTUnion built: a value whose type changes?
//
// Spec: Normative-Types-Specification, "NTUnion". No peer's library builds one; the optional fields are all there, in
// the specification's order.

import {
  string,
  structure,
  type AnyType,
  type ScalarType,
  type StructureType,
  type UnionType,
} from '../types/type-desc.ts';
import { alarmType, timeStampType } from './substructures.ts';

/** What `ntUnion` makes. */
export type NtUnionType<T extends UnionType | AnyType> = StructureType<{
  value: T;
  descriptor: ScalarType<'string'>;
  alarm: typeof alarmType;
  timeStamp: typeof timeStampType;
}>;

/** `epics:nt/NTUnion:1.0` of a union, or of any. */
export function ntUnion<T extends UnionType | AnyType>(value: T): NtUnionType<T> {
  return structure('epics:nt/NTUnion:1.0', { value, descriptor: string, alarm: alarmType, timeStamp: timeStampType });
}
