// How are the arguments of an RPC built, as NTURI?
//
// Spec: Normative-Types-Specification, "NTURI".

import { string, structure, type FieldTypes, type ScalarType, type StructureType } from '../types/type-desc.ts';

export type NtUriType<Q extends FieldTypes> = StructureType<{
  scheme: ScalarType<'string'>;
  authority: ScalarType<'string'>;
  path: ScalarType<'string'>;
  query: StructureType<Q>;
}>;

/** `epics:nt/NTURI:1.0` with the types of the arguments in `query`. */
export function ntUri<Q extends FieldTypes>(query: Q): NtUriType<Q> {
  return structure('epics:nt/NTURI:1.0', { scheme: string, authority: string, path: string, query: structure(query) });
}
