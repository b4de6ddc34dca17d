// How do the pieces that several messages share travel: masked updates, values with their type, types behind a status?

import { BitSet } from '../bit-set.ts';
import { LocalProtocolError } from '../errors.ts';
import type { Reader } from '../reader.ts';
import { isSuccess, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue, PvValue } from '../types/value-of.ts';
import { encodeType as encodeFullType, type EncodeType, type TypeReceiver } from '../types/wire.ts';
import { anyCodecOf } from '../values/codec.ts';
import type { TypedUpdate } from '../values/update.ts';
import { Writer } from '../writer.ts';
import type { DecodeContext } from './message-module.ts';

/** A BitSet and its data as bytes, so that a server encodes an update once for all its clients of one byte order. */
export interface EncodedUpdate {
  readonly bytes: Uint8Array;
  readonly bigEndian: boolean;
}

/** What can be sent where an update is due. */
export type UpdateToSend = TypedUpdate | EncodedUpdate;

/**
 * Encodes an update for many links. Types inside `any` go in full, since the links do not share type ids.
 */
export function preEncodeUpdate(update: TypedUpdate, bigEndian: boolean): EncodedUpdate {
  const writer = new Writer(bigEndian);
  encodeUpdate(writer, update, encodeFullType);
  return { bytes: writer.detach(0), bigEndian };
}

/** BitSet, then the fields that it selects. */
export function encodeUpdate(writer: Writer, update: UpdateToSend, encodeType: EncodeType): void {
  if ('bytes' in update) {
    if (update.bigEndian !== writer.bigEndian) {
      throw new LocalProtocolError(
        `update encoded ${orderName(update.bigEndian)} for a link that is ${orderName(writer.bigEndian)}`,
      );
    }
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

export function decodeAny(reader: Reader, context: DecodeContext): AnyValue {
  const type = context.types.decode(reader);
  if (type === null) return null;
  return { type, value: anyCodecOf(type).decode(reader, context.types) };
}

/** The type that follows the status of an INIT reply, if that is a success. */
export function encodeTypeAfter(writer: Writer, status: Status, type: TypeDesc | null, encodeType: EncodeType): void {
  if (isSuccess(status)) encodeType(writer, type);
}

export function decodeTypeAfter(reader: Reader, status: Status, context: DecodeContext): TypeDesc | null {
  return isSuccess(status) ? context.types.decode(reader) : null;
}

/** The update that follows the status of a reply, if that is a success. */
export function encodeUpdateAfter(
  writer: Writer,
  status: Status,
  update: UpdateToSend | null,
  encodeType: EncodeType,
): void {
  if (!isSuccess(status)) return;
  if (update === null) throw new LocalProtocolError('reply of success without data');
  encodeUpdate(writer, update, encodeType);
}

function orderName(bigEndian: boolean): string {
  return bigEndian ? 'big endian' : 'little endian';
}
