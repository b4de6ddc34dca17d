// How is an NTNameValue built: names, and a value for each?
//
// Spec: Normative-Types-Specification, "NTNameValue". No peer's library builds one; the optional fields are all there,
// in the specification's order.

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

/** What `ntNameValue` makes. */
export type NtNameValueType<S extends ScalarName> = StructureType<{
  name: ScalarArrayType<'string'>;
  value: ScalarArrayType<S>;
  descriptor: ScalarType<'string'>;
  alarm: typeof alarmType;
  timeStamp: typeof timeStampType;
}>;

/** `epics:nt/NTNameValue:1.0`: each name stands for the value at its index. */
export function ntNameValue<S extends ScalarName>(scalar: ScalarType<S>): NtNameValueType<S> {
  return structure('epics:nt/NTNameValue:1.0', {
    name: arrayOf(string),
    value: arrayOf(scalar),
    descriptor: string,
    alarm: alarmType,
    timeStamp: timeStampType,
  });
}
