// How do the bodies of messages become the bytes of the specification?
//
// Spec: Protocol-Encoding. Fields stand one behind the other; what they are, both sides know.

import { readAddress, writeAddress } from '../address.ts';
import { BitSet } from '../bit-set.ts';
import { LocalProtocolError, TruncatedError } from '../errors.ts';
import { readGuid, writeGuid } from '../guid.ts';
import {
  decodeAny,
  decodeUpdate,
  encodeAny,
  encodeUpdate,
  preEncodeUpdate,
  type UpdateToSend,
} from '../messages/data.ts';
import { MAX_U16_COUNT, type FieldReader, type FieldWriter, type ListShape } from '../messages/fields.ts';
import { Reader } from '../reader.ts';
import { decodeStatus, encodeStatus, type Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue, PvValue } from '../types/value-of.ts';
import { encodeType as encodeFullType, type EncodeType, type TypeReceiver } from '../types/wire.ts';
import { anyCodecOf } from '../values/codec.ts';
import type { TypedUpdate } from '../values/update.ts';
import { Writer } from '../writer.ts';
import type { Codec } from './codec.ts';
import { explain } from './explain.ts';

/** pvAccess as every peer speaks it. */
export const pva: Codec = {
  name: 'pva',
  protocol: 'tcp',
  orderOf: (bigEndian) => bigEndian,
  encodeBody(body, message, writer, encodeType) {
    // One for all messages: nobody encodes a body within another, and an object for each is felt where channels are
    // created by the thousand (bench/channels).
    body.encode(FIELDS.of(writer, encodeType), message);
  },
  decodeBody(command, body, bytes, bigEndian, context) {
    const reader = new Reader(bytes, bigEndian);
    try {
      // Bytes behind what is known are ignored, as all peers do, so that the protocol can grow.
      return body.decode(new PvaFieldReader(reader, context.types), context);
    } catch (thrown) {
      throw explain(thrown, `${command} at offset ${reader.offset} of ${bytes.length}`);
    }
  },
  encodeUpdate: preEncodeUpdate,
};

class PvaFieldWriter implements FieldWriter {
  #writer: Writer;
  #encodeType: EncodeType;

  constructor(writer: Writer, encodeType: EncodeType) {
    this.#writer = writer;
    this.#encodeType = encodeType;
  }

  /** Writes there from now on. */
  of(writer: Writer, encodeType: EncodeType): this {
    this.#writer = writer;
    this.#encodeType = encodeType;
    return this;
  }

  u8(value: number): void {
    this.#writer.u8(value);
  }

  u16(value: number): void {
    this.#writer.u16(value);
  }

  u32(value: number): void {
    this.#writer.u32(value);
  }

  size(value: number): void {
    this.#writer.size(value);
  }

  boolean(value: boolean): void {
    this.#writer.boolean(value);
  }

  string(value: string): void {
    this.#writer.string(value);
  }

  address(value: string): void {
    writeAddress(this.#writer, value);
  }

  guid(value: string): void {
    writeGuid(this.#writer, value);
  }

  reserved(byteCount: number): void {
    for (let index = 0; index < byteCount; index++) this.#writer.u8(0);
  }

  payload(bytes: Uint8Array): void {
    this.#writer.bytes(bytes);
  }

  list<T>({ counter, what }: ListShape, elements: readonly T[], writeElement: (element: T) => void): void {
    if (counter === 'size') this.#writer.size(elements.length);
    else {
      requireU16Count(elements.length, what);
      this.#writer.u16(elements.length);
    }
    for (const element of elements) writeElement(element);
  }

  status(value: Status): void {
    encodeStatus(this.#writer, value);
  }

  type(value: TypeDesc | null): void {
    this.#encodeType(this.#writer, value);
  }

  any(value: AnyValue): void {
    encodeAny(this.#writer, value, this.#encodeType);
  }

  value(type: TypeDesc, value: PvValue): void {
    anyCodecOf(type).encode(this.#writer, value, this.#encodeType);
  }

  update(value: UpdateToSend): void {
    encodeUpdate(this.#writer, value, this.#encodeType);
  }

  mask(_type: TypeDesc, value: BitSet): void {
    value.encode(this.#writer);
  }
}

const FIELDS = new PvaFieldWriter(new Writer(false, 0), encodeFullType);

/** Reads the fields of one body, as the specification has them. */
export class PvaFieldReader implements FieldReader {
  readonly #reader: Reader;
  readonly #types: TypeReceiver;

  constructor(reader: Reader, types: TypeReceiver) {
    this.#reader = reader;
    this.#types = types;
  }

  get hasMore(): boolean {
    return this.#reader.remaining > 0;
  }

  isLast(byteCount: number): boolean {
    return this.#reader.remaining === byteCount;
  }

  u8(): number {
    return this.#reader.u8();
  }

  u16(): number {
    return this.#reader.u16();
  }

  u32(): number {
    return this.#reader.u32();
  }

  size(): number {
    return this.#reader.size();
  }

  boolean(): boolean {
    return this.#reader.boolean();
  }

  string(): string {
    return this.#reader.string();
  }

  address(): string {
    return readAddress(this.#reader);
  }

  guid(): string {
    return readGuid(this.#reader);
  }

  reserved(byteCount: number): void {
    this.#reader.skip(byteCount);
  }

  payload(): Uint8Array {
    return this.#reader.view(this.#reader.remaining);
  }

  list<T>(shape: ListShape, readElement: () => T, most = Number.POSITIVE_INFINITY): T[] {
    // What is past `most` is the last that a body has: it need not be skipped.
    const count = Math.min(this.count(shape), most);
    this.#types.spend(count);
    const elements: T[] = [];
    for (let index = 0; index < count; index++) elements.push(readElement());
    return elements;
  }

  /** How many elements follow. The bytes that are there can hold as many. */
  count({ counter, bytesEach, what }: ListShape): number {
    const reader = this.#reader;
    if (counter === 'size') return reader.count(bytesEach);
    const count = reader.u16();
    if (count * bytesEach > reader.remaining) {
      throw new TruncatedError(`${count} ${what} claimed, ${reader.remaining} bytes are there`, reader.offset);
    }
    return count;
  }

  status(): Status {
    return decodeStatus(this.#reader);
  }

  type(): TypeDesc | null {
    return this.#types.decode(this.#reader);
  }

  any(): AnyValue {
    return decodeAny(this.#reader, this.#types);
  }

  value(type: TypeDesc): PvValue {
    return anyCodecOf(type).decode(this.#reader, this.#types);
  }

  update(type: TypeDesc, base?: PvValue): TypedUpdate {
    return decodeUpdate(this.#reader, type, this.#types, base);
  }

  mask(type: TypeDesc): BitSet {
    return BitSet.decode(this.#reader, type.bitCount);
  }
}

/** @throws LocalProtocolError when a list is too long for its counter */
export function requireU16Count(count: number, what: string): void {
  if (count <= MAX_U16_COUNT) return;
  throw new LocalProtocolError(`${count} ${what} in one message, at most ${MAX_U16_COUNT} fit`);
}
