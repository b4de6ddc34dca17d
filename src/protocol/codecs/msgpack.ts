// How do the bodies of messages become MessagePack? Each is one array of the specification's fields in order.
//
// docs/msgpack.md describes the form for those who write other clients. Unlike in pvAccess a body is just what is known:
// another number of fields, or bytes behind the array, end the link.

import { ADDRESS_BYTES, readAddress, writeAddress } from '../address.ts';
import { BitSet } from '../bit-set.ts';
import { LocalProtocolError, RemoteProtocolError } from '../errors.ts';
import { GUID_BYTES, isGuid, requireGuid } from '../guid.ts';
import { requireForm, type UpdateToSend } from '../messages/data.ts';
import { MAX_U16_COUNT, type FieldReader, type FieldWriter, type ListShape } from '../messages/fields.ts';
import { Reader, SIZE_MAX } from '../reader.ts';
import { OK, STATUS_FATAL, STATUS_OK, type Status, type StatusType } from '../status.ts';
import { any, type TypeDesc } from '../types/type-desc.ts';
import type { AnyValue, PvValue } from '../types/value-of.ts';
import type { TypeReceiver } from '../types/wire.ts';
import { anyCodecOf } from '../values/codec.ts';
import type { TypedUpdate } from '../values/update.ts';
import { Writer } from '../writer.ts';
import type { Codec } from './codec.ts';
import { explain } from './explain.ts';
import { FIXARRAY, FIX_COUNT, MAX_U16, MAX_U32, MAX_U8 } from './msgpack-format.ts';
import { PackReader, type WalkBounds } from './msgpack-reader.ts';
import { readType, writeType } from './msgpack-types.ts';
import { packOf } from './msgpack-values.ts';
import * as write from './msgpack-writer.ts';
import { requireU16Count } from './pva.ts';

const STATUS_FIELDS = 3;

/** Bodies as MessagePack. Numbers of it are big endian, and so are the headers of its links. */
export const msgpack: Codec = {
  name: 'msgpack',
  protocol: 'msgpack',
  orderOf: () => true,
  encodeBody(body, message, writer) {
    const fields = new PackFieldWriter(writer);
    body.encode(fields, message);
    fields.end();
  },
  decodeBody(command, body, bytes, _bigEndian, context) {
    const input = new PackReader(bytes);
    try {
      const fields = new PackFieldReader(input, context.types);
      const message = body.decode(fields, context);
      fields.end(isOutOfScope(message));
      return message;
    } catch (thrown) {
      throw explain(thrown, `${command} at offset ${input.reader.offset} of ${bytes.length}`);
    }
  },
  encodeUpdate(update, _bigEndian, mostBytes = Number.POSITIVE_INFINITY) {
    const writer = new Writer(true);
    writer.growUpTo(mostBytes);
    writeUpdate(writer, update);
    return { bytes: writer.detach(0), codec: 'msgpack', bigEndian: true, type: update.type };
  },
};

/** Data for an operation that is gone: its type is, too, and so it has not been read. */
function isOutOfScope(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'phase' in message && message.phase === 'outOfScope';
}

/** The fields that changed; of what is no structure a list of the one value, or of none. */
function writeUpdate(out: Writer, { type, changed, value }: TypedUpdate): void {
  const pack = packOf(type);
  if (type.kind === 'structure') return pack.writeMasked(out, value, changed, 0);
  write.writeArrayHead(out, changed.has(0) ? 1 : 0);
  if (changed.has(0)) pack.write(out, value);
}

class PackFieldWriter implements FieldWriter {
  readonly #out: Writer;
  /** Where the head of the array is, which says how many fields there are. */
  readonly #start: number;
  #count = 0;
  /** Inside an element of a list. */
  #isInside = false;

  constructor(out: Writer) {
    if (!out.bigEndian) throw new LocalProtocolError('MessagePack into a writer that is little endian');
    this.#out = out;
    this.#start = out.reserve(1);
  }

  /** All fields are written: no message has more than the short form of an array can say. */
  end(): void {
    if (this.#count > FIX_COUNT) throw new LocalProtocolError(`${this.#count} fields in one body`);
    this.#out.buffer[this.#start] = FIXARRAY | this.#count;
  }

  #field(): Writer {
    if (!this.#isInside) this.#count++;
    return this.#out;
  }

  u8(value: number): void {
    write.writeInteger(this.#field(), value & MAX_U8);
  }

  u16(value: number): void {
    write.writeInteger(this.#field(), value & MAX_U16);
  }

  u32(value: number): void {
    write.writeInteger(this.#field(), value >>> 0);
  }

  size(value: number): void {
    if (value > SIZE_MAX) throw new LocalProtocolError(`size ${value} does not fit the wire, at most ${SIZE_MAX} does`);
    write.writeInteger(this.#field(), value);
  }

  boolean(value: boolean): void {
    write.writeBoolean(this.#field(), value);
  }

  string(value: string): void {
    write.writeText(this.#field(), value);
  }

  address(value: string): void {
    write.writeText(this.#field(), normalAddress(value));
  }

  guid(value: string): void {
    requireGuid(value);
    write.writeText(this.#field(), value);
  }

  reserved(): void {
    // Names need no room to grow.
  }

  payload(bytes: Uint8Array): void {
    write.writeBytes(this.#field(), bytes);
  }

  list<T>({ counter, fieldsEach, what }: ListShape, elements: readonly T[], writeElement: (element: T) => void): void {
    if (counter === 'u16') requireU16Count(elements.length, what);
    const out = this.#field();
    write.writeArrayHead(out, elements.length);
    this.#isInside = true;
    for (const element of elements) {
      if (fieldsEach > 1) write.writeArrayHead(out, fieldsEach);
      writeElement(element);
    }
    this.#isInside = false;
  }

  status({ type, message, callTree }: Status): void {
    const out = this.#field();
    if (type === STATUS_OK && message === '' && callTree === '') return write.writeNil(out);
    write.writeArrayHead(out, STATUS_FIELDS);
    write.writeInteger(out, type);
    write.writeText(out, message);
    write.writeText(out, callTree);
  }

  type(value: TypeDesc | null): void {
    writeType(this.#field(), value);
  }

  any(value: AnyValue): void {
    packOf(any).write(this.#field(), value);
  }

  value(type: TypeDesc, value: PvValue): void {
    packOf(type).write(this.#field(), value);
  }

  update(value: UpdateToSend): void {
    const out = this.#field();
    if (!('bytes' in value)) return writeUpdate(out, value);
    requireForm(value, 'msgpack', true);
    out.bytes(value.bytes);
  }

  mask(type: TypeDesc, value: BitSet): void {
    const out = this.#field();
    if (type.kind === 'structure') return packOf(type).writeMask(out, value, 0);
    write.writeArrayHead(out, value.has(0) ? 1 : 0);
    if (value.has(0)) write.writeBoolean(out, true);
  }
}

class PackFieldReader implements FieldReader {
  readonly #input: PackReader;
  readonly #types: TypeReceiver;
  readonly #count: number;
  #left: number;
  /** Inside an element of a list. */
  #isInside = false;

  constructor(input: PackReader, types: TypeReceiver) {
    this.#input = input;
    this.#types = types;
    this.#count = input.arrayHead();
    this.#left = this.#count;
  }

  /** All fields are read, or the others need not be. */
  end(isOutOfScope: boolean): void {
    if (this.#left > 0 && !isOutOfScope) {
      throw new RemoteProtocolError(`${this.#count} fields in the body, ${this.#count - this.#left} expected`);
    }
    this.#skip(this.#left);
    const { remaining } = this.#input.reader;
    if (remaining > 0) throw new RemoteProtocolError(`${remaining} bytes behind the array of fields`);
  }

  get hasMore(): boolean {
    return this.#left > 0;
  }

  isLast(_byteCount: number, fieldCount: number): boolean {
    return this.#left === fieldCount;
  }

  #field(): PackReader {
    if (this.#isInside) return this.#input;
    if (this.#left === 0) throw new RemoteProtocolError(`${this.#count} fields in the body, more expected`);
    this.#left--;
    return this.#input;
  }

  u8(): number {
    return this.#field().integer(0, MAX_U8);
  }

  u16(): number {
    return this.#field().integer(0, MAX_U16);
  }

  u32(): number {
    return this.#field().integer(0, MAX_U32);
  }

  size(): number {
    return this.#field().integer(0, SIZE_MAX);
  }

  boolean(): boolean {
    return this.#field().boolean();
  }

  string(): string {
    return this.#field().text();
  }

  address(): string {
    const text = this.#field().text();
    try {
      return normalAddress(text);
    } catch {
      throw new RemoteProtocolError(`an IPv4 or IPv6 address expected before offset ${this.#input.reader.offset}`);
    }
  }

  guid(): string {
    const text = this.#field().text();
    if (isGuid(text)) return text;
    throw new RemoteProtocolError(
      `a GUID of ${GUID_BYTES * 2} lower-case hexadecimal digits expected before offset ${this.#input.reader.offset}`,
    );
  }

  reserved(): void {
    // See the writer.
  }

  payload(): Uint8Array {
    return this.#field().bytes();
  }

  list<T>({ counter, fieldsEach, what }: ListShape, readElement: () => T, most = Number.POSITIVE_INFINITY): T[] {
    const input = this.#field();
    const claimed = input.arrayHead();
    if (counter === 'u16' && claimed > MAX_U16_COUNT)
      throw new RemoteProtocolError(`${claimed} ${what}, at most ${MAX_U16_COUNT} expected`);
    const count = Math.min(claimed, most);
    this.#types.spend(count);
    const elements: T[] = [];
    this.#isInside = true;
    for (let index = 0; index < count; index++) {
      if (fieldsEach > 1) input.tuple(fieldsEach, what);
      elements.push(readElement());
    }
    this.#isInside = false;
    this.#skip(claimed - count);
    return elements;
  }

  status(): Status {
    const input = this.#field();
    if (input.takeNil()) return OK;
    input.tuple(STATUS_FIELDS, 'type, message and call tree of a status');
    // The range is that of StatusType.
    const type = input.integer(STATUS_OK, STATUS_FATAL) as StatusType;
    return { type, message: input.text(), callTree: input.text() };
  }

  type(): TypeDesc | null {
    return readType(this.#field(), this.#types.limits);
  }

  any(): AnyValue {
    // The pack of `any` reads what it is named after.
    return packOf(any).read(this.#field(), this.#types) as AnyValue;
  }

  value(type: TypeDesc): PvValue {
    return packOf(type).read(this.#field(), this.#types);
  }

  update(type: TypeDesc, base?: PvValue): TypedUpdate {
    const input = this.#field();
    const changed = BitSet.empty();
    const before = base === undefined ? anyCodecOf(type).defaultValue() : base;
    const pack = packOf(type);
    if (type.kind === 'structure') {
      return { type, changed, value: pack.readMasked(input, this.#types, changed, before, 0) };
    }
    if (!this.#hasOne(input)) return { type, changed, value: before };
    return { type, changed: changed.add(0), value: pack.read(input, this.#types) };
  }

  mask(type: TypeDesc): BitSet {
    const input = this.#field();
    const mask = BitSet.empty();
    if (type.kind === 'structure' || this.#hasOne(input)) packOf(type).readMask(input, mask, 0);
    return mask;
  }

  /** Of the list of one or none that stands for what is no structure. */
  #hasOne(input: PackReader): boolean {
    const count = input.arrayHead();
    if (count > 1)
      throw new RemoteProtocolError(`list of ${count} before offset ${input.reader.offset}, one value expected`);
    return count === 1;
  }

  #skip(count: number): void {
    const { maxTypeNesting, maxValueNodes } = this.#types.limits;
    const bounds: WalkBounds = {
      // Values nest as types do, and any in any as often again; each level may be a list of maps.
      depth: 2 * maxTypeNesting * (maxTypeNesting + 1),
      items: maxValueNodes,
      depthLimit: 'maxTypeNesting',
      itemLimit: 'maxValueNodes',
    };
    for (let index = 0; index < count; index++) this.#input.walk(bounds);
  }
}

/** An address as `readAddress` gives it. @throws LocalProtocolError when it is none */
function normalAddress(text: string): string {
  const writer = new Writer(true, ADDRESS_BYTES);
  writeAddress(writer, text);
  return readAddress(new Reader(writer.view(), true));
}
