// How do the arguments of a call travel? As the query of an NTURI, unless the caller brings a whole structure.

import { ntUri } from '../protocol/normative/nt-uri.ts';
import type { AnyValue } from '../protocol/types/value-of.ts';
import { coerce } from '../protocol/values/coerce.ts';
import { inferType } from '../protocol/values/infer-type.ts';
import { isTypedValue } from '../protocol/values/plain-object.ts';

/** Names and values: numbers are doubles, bigints longs, lists arrays; `{ type, value }` where that is not meant. */
export type RpcArguments = Readonly<Record<string, unknown>>;

/** `{ type, value }` goes as it is, null as no argument, anything else as NTURI. */
export function rpcArgument(pvName: string, given: RpcArguments | AnyValue): AnyValue {
  if (given === null) return null;
  if (isTypedValue(given)) return { type: given.type, value: coerce(given.type, given.value) };
  const typed = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [argumentOf(name, value)],
  );
  const type = ntUri(Object.fromEntries(typed.map(({ name, type }) => [name, type])));
  const query = Object.fromEntries(typed.map(({ name, value }) => [name, value]));
  return { type, value: coerce(type, { scheme: 'pva', path: pvName, query }) };
}

function argumentOf(name: string, value: unknown) {
  const { type, value: content } = isTypedValue(value) ? value : { type: inferType(value), value };
  return { name, type, value: coerce(type, content, name) };
}
