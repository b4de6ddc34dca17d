// How are the arguments of an RPC built, as NTURI?
//
// Spec: Normative-Types-Specification, "NTURI".

import {
  string,
  structure,
  type Field,
  type FieldTypes,
  type ScalarType,
  type StructureType,
} from '../types/type-desc.ts';
import type { TypedStructure } from '../types/value-of.ts';
import { coerce } from '../values/coerce.ts';
import { inferType } from '../values/infer-type.ts';
import { isTypedValue } from '../values/plain-object.ts';

const NT_URI = 'epics:nt/NTURI:1.0';

/** What `ntUri` makes of the types of arguments. */
export type NtUriType<Q extends FieldTypes> = StructureType<{
  scheme: ScalarType<'string'>;
  authority: ScalarType<'string'>;
  path: ScalarType<'string'>;
  query: StructureType<Q>;
}>;

/** `epics:nt/NTURI:1.0` with the types of the arguments in `query`. */
export function ntUri<Q extends FieldTypes>(query: Q): NtUriType<Q> {
  return structure(NT_URI, { scheme: string, authority: string, path: string, query: structure(query) });
}

/** What can be said about an NTURI beside its arguments. */
export interface UriOptions {
  /** Types of arguments; those of the others are inferred (values/infer-type.ts), so a number is a double. */
  readonly types?: FieldTypes;
  /** 'pva' unless given. */
  readonly scheme?: string;
  readonly authority?: string;
}

/**
 * The arguments of an RPC to the channel `path`. An argument may also bring its type as `{ type, value }`; undefined
 * ones are left out. Throws `LocalProtocolError` with a field path such as `query.lhs` when one has no type or does not
 * fit it.
 */
export function uri(
  path: string,
  query: Readonly<Record<string, unknown>> = {},
  options: UriOptions = {},
): TypedStructure {
  const fields: Field[] = [];
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(query)) {
    const argument = query[name];
    if (argument === undefined) continue;
    const known = options.types !== undefined && Object.hasOwn(options.types, name) ? options.types[name] : undefined;
    const isTyped = known === undefined && isTypedValue(argument);
    const type = isTyped ? argument.type : (known ?? inferType(argument, `query.${name}`));
    fields.push({ name, type });
    // Not an assignment: an argument may be named `__proto__`.
    Object.defineProperty(given, name, { value: isTyped ? argument.value : argument, enumerable: true });
  }
  const queryType = structure('', fields);
  return {
    type: uriType(queryType),
    value: {
      scheme: options.scheme ?? 'pva',
      authority: options.authority ?? '',
      path,
      query: coerce(queryType, given, 'query'),
    },
  };
}

function uriType(query: StructureType): StructureType {
  return structure(NT_URI, { scheme: string, authority: string, path: string, query });
}
