// How are two messages compared? BitSets hide what they hold and types are large: as plain data both compare in full.

import { BitSet } from '../../src/protocol/bit-set.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { encodeType } from '../../src/protocol/types/wire.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { toHex } from './vectors.ts';

/** The same data with BitSets as lists of bits and types as the hex of their description. */
export function plain(data: unknown): unknown {
  if (data instanceof BitSet) return { bits: [...data] };
  if (data === null || typeof data !== 'object' || ArrayBuffer.isView(data)) return data;
  if (Array.isArray(data)) return data.map(plain);
  if (isType(data)) return { type: typeHex(data) };
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, plain(value)]));
}

export function typeHex(type: TypeDesc): string {
  const writer = new Writer(true);
  encodeType(writer, type);
  return toHex(writer.view());
}

/** Types alone have a kind and an extent; a structure's value with such fields would only be compared more coarsely. */
function isType(data: object): data is TypeDesc {
  return 'kind' in data && 'bitCount' in data && 'nodeCount' in data;
}
