// How does a type travel in MessagePack? As the JSON form of it, in full each time: there are no type ids.

import { decode, encode } from '@msgpack/msgpack';
import { LocalProtocolError, RemoteProtocolError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { typeFromJson } from '../types/type-from-json.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import { typeJson } from '../values/format-json.ts';
import type { Writer } from '../writer.ts';
import type { PackReader } from './msgpack-reader.ts';
import { writeNil } from './msgpack-writer.ts';

const KEYS: ReadonlySet<string> = new Set(['kind', 'id', 'fields', 'name', 'type']);
/** A field is a map of two, `{ name, type }`, and a structure as its type a map of three, one of them a list. */
const LEVELS_EACH = 3;
const ITEMS_EACH = 10;
const SHOWN_CHARACTERS = 200;

const encoded = new WeakMap<TypeDesc, Uint8Array>();

export function writeType(out: Writer, type: TypeDesc | null): void {
  if (type === null) return writeNil(out);
  let bytes = encoded.get(type);
  if (bytes === undefined) {
    bytes = encode(JSON.parse(typeJson(type)));
    encoded.set(type, bytes);
  }
  out.bytes(bytes);
}

/** Reads a type, or nil. What the package that decodes it does not check has been checked before. */
export function readType(input: PackReader, limits: Limits): TypeDesc | null {
  if (input.takeNil()) return null;
  const { reader } = input;
  const start = reader.offset;
  input.walk({
    depth: (limits.maxTypeNesting + 1) * LEVELS_EACH,
    items: (limits.maxTypeFields + 1) * ITEMS_EACH,
    depthLimit: 'maxTypeNesting',
    itemLimit: 'maxTypeFields',
    keys: KEYS,
  });
  const json = decode(reader.bytes.subarray(start, reader.offset));
  try {
    return typeFromJson(json, limits);
  } catch (thrown) {
    if (!(thrown instanceof LocalProtocolError)) throw thrown;
    throw new RemoteProtocolError(`type at offset ${start}: ${thrown.message.slice(0, SHOWN_CHARACTERS)}`);
  }
}
