// How do the arguments of a call travel? As the query of an NTURI, unless the caller brings a whole structure.

import { uri } from '../protocol/normative/nt-uri.ts';
import type { AnyValue } from '../protocol/types/value-of.ts';
import { coerce } from '../protocol/values/coerce.ts';
import { isTypedValue } from '../protocol/values/plain-object.ts';

/** Names and values: numbers are doubles, bigints longs, lists arrays; `{ type, value }` where that is not meant. */
export type RpcArguments = Readonly<Record<string, unknown>>;

/** `{ type, value }` goes as it is, null as no argument, anything else as NTURI. */
export function rpcArgument(pvName: string, given: RpcArguments | AnyValue): AnyValue {
  if (given === null) return null;
  if (isTypedValue(given)) return { type: given.type, value: coerce(given.type, given.value) };
  return uri(pvName, given);
}
