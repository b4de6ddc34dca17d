// How do the pieces that several messages share travel as pvAccess: masked updates, and values with their type?

import { BitSet } from '../bit-set.ts';
import { LocalProtocolError } from '../errors.ts';
import type { Reader } from '../reader.ts';
import { any as anyType, type TypeDesc } from '../types/type-desc.ts';
import type { AnyValue, PvValue } from '../types/value-of.ts';
import { encodeType as encodeFullType, type EncodeType, type TypeReceiver } from '../types/wire.ts';
import { anyCodecOf, codecOf } from '../values/codec.ts';
import type { TypedUpdate } from '../values/update.ts';
import { Writer } from '../writer.ts';

/** How the bodies of a link become bytes: as the specification has it, or as MessagePack. */
export type CodecName = 'pva' | 'msgpack';

/** An update as bytes, so that a server encodes it once for all its clients of one codec and byte order. */
export interface EncodedUpdate {
  readonly bytes: Uint8Array;
  readonly codec: CodecName;
  readonly bigEndian: boolean;
  readonly type: TypeDesc;
}

/** What can be sent where an update is due. */
export type UpdateToSend = TypedUpdate | EncodedUpdate;

const ANY = codecOf(anyType);

/**
 * Encodes an update for many links. Types inside `any` go in full, since the links do not share type ids.
 * @throws LimitError when it takes more than `mostBytes`
 */
export function preEncodeUpdate(
  update: TypedUpdate,
  bigEndian: boolean,
  mostBytes = Number.POSITIVE_INFINITY,
): EncodedUpdate {
  const writer = new Writer(bigEndian);
  writer.growUpTo(mostBytes);
  encodeUpdate(writer, update, encodeFullType);
  return { bytes: writer.detach(0), codec: 'pva', bigEndian, type: update.type };
}

/** BitSet, then the fields that it selects. */
export function encodeUpdate(writer: Writer, update: UpdateToSend, encodeType: EncodeType): void {
  if ('bytes' in update) {
    requireForm(update, 'pva', writer.bigEndian);
    return writer.bytes(update.bytes);
  }
  update.changed.encode(writer);
  anyCodecOf(update.type).encodeMasked(writer, update.value, update.changed, encodeType);
}

export function decodeUpdate(reader: Reader, type: TypeDesc, types: TypeReceiver, base?: PvValue): TypedUpdate {
  const changed = BitSet.decode(reader, type.bitCount);
  return { type, changed, value: anyCodecOf(type).decodeMasked(reader, changed, types, base) };
}

/** A type and a whole value of it, or the null type alone. */
export function encodeAny(writer: Writer, any: AnyValue, encodeType: EncodeType): void {
  if (any === null) return encodeType(writer, null);
  encodeType(writer, any.type);
  anyCodecOf(any.type).encode(writer, any.value, encodeType);
}

export function decodeAny(reader: Reader, types: TypeReceiver): AnyValue {
  return ANY.decode(reader, types);
}

/** @throws LocalProtocolError when an encoded update does not fit the link that it is to go out on */
export function requireForm(update: EncodedUpdate, codec: CodecName, bigEndian: boolean): void {
  if (update.codec === codec && update.bigEndian === bigEndian) return;
  throw new LocalProtocolError(
    `update encoded in ${formName(update)} for a link that speaks ${formName({ codec, bigEndian })}`,
  );
}

function formName({ codec, bigEndian }: Pick<EncodedUpdate, 'codec' | 'bigEndian'>): string {
  if (codec === 'msgpack') return 'MessagePack';
  return bigEndian ? 'big-endian pvAccess' : 'little-endian pvAccess';
}
