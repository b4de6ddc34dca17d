// How are primitive items written to bytes, in either byte order, into a buffer that grows?
//
// Spec: Protocol-Encoding, "Sizes" and "User Data".

import { LimitError, LocalProtocolError } from './errors.ts';
import { SIZE_LONG, SIZE_MAX, SIZE_NULL } from './reader.ts';
import { encodeAscii, encodeText } from './text.ts';

const INITIAL_BYTES = 256;
/** Room behind what made the buffer grow: an array of megabytes is not copied again for the few fields behind it. */
const SLACK_BYTES = 1_024;
/** Text up to this length is tried as ASCII first; its size then takes one byte for sure. */
const SHORT_TEXT = 64;

/** Writes primitive items in one byte order, into a buffer that grows. Spec: Protocol-Encoding. */
export class Writer {
  readonly bigEndian: boolean;
  readonly #littleEndian: boolean;
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  #mostBytes = Number.POSITIVE_INFINITY;
  /** Where the room that may be written to ends. */
  #roomEnd: number;

  constructor(bigEndian: boolean, initialBytes: number = INITIAL_BYTES) {
    this.bigEndian = bigEndian;
    this.#littleEndian = !bigEndian;
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
    this.#roomEnd = initialBytes;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A view of what was written, valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What is written to, valid until the next write; for `reserve`. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** Leaves room for `count` bytes, which the caller sets in `buffer`; returns where they begin. */
  reserve(count: number): number {
    return this.#claim(count);
  }

  /** A copy of what was written. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Gives the written bytes away without a copy and starts over with a new buffer. */
  detach(nextInitialBytes: number = INITIAL_BYTES): Uint8Array {
    const written = this.view();
    this.#use(new Uint8Array(nextInitialBytes));
    this.#length = 0;
    return written;
  }

  /** Forgets what was written from `length` on; 0 starts over in the same buffer. */
  truncate(length: number): void {
    if (length > this.#length) throw new LocalProtocolError(`truncate to ${length} of ${this.#length} bytes written`);
    this.#length = length;
  }

  /**
   * Refuses to hold more bytes with a LimitError of `maxBodyBytes`, before it takes the memory: what came as the id of a
   * type goes out in full, however long that is.
   */
  growUpTo(mostBytes: number): void {
    this.#mostBytes = mostBytes;
    this.#roomEnd = Math.min(this.#bytes.length, mostBytes);
  }

  /** Claims `count` bytes and returns the offset of the first: the one place where the buffer grows. */
  #claim(count: number): number {
    const start = this.#length;
    const end = start + count;
    if (end > this.#roomEnd) this.#grow(end);
    this.#length = end;
    return start;
  }

  #grow(end: number): void {
    if (end > this.#mostBytes) throw new LimitError('maxBodyBytes', end, this.#mostBytes, 'message to send');
    const grown = new Uint8Array(Math.max(end + SLACK_BYTES, this.#bytes.length * 2));
    grown.set(this.view());
    this.#use(grown);
  }

  #use(buffer: Uint8Array): void {
    this.#bytes = buffer;
    this.#view = new DataView(buffer.buffer);
    this.#roomEnd = Math.min(buffer.length, this.#mostBytes);
  }

  u8(value: number): void {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
  }

  i8(value: number): void {
    const at = this.#claim(1);
    this.#view.setInt8(at, value);
  }

  u16(value: number): void {
    const at = this.#claim(2);
    this.#view.setUint16(at, value, this.#littleEndian);
  }

  i16(value: number): void {
    const at = this.#claim(2);
    this.#view.setInt16(at, value, this.#littleEndian);
  }

  u32(value: number): void {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, this.#littleEndian);
  }

  i32(value: number): void {
    const at = this.#claim(4);
    this.#view.setInt32(at, value, this.#littleEndian);
  }

  u64(value: bigint): void {
    const at = this.#claim(8);
    this.#view.setBigUint64(at, value, this.#littleEndian);
  }

  i64(value: bigint): void {
    const at = this.#claim(8);
    this.#view.setBigInt64(at, value, this.#littleEndian);
  }

  f32(value: number): void {
    const at = this.#claim(4);
    this.#view.setFloat32(at, value, this.#littleEndian);
  }

  f64(value: number): void {
    const at = this.#claim(8);
    this.#view.setFloat64(at, value, this.#littleEndian);
  }

  boolean(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A size; null writes the "no data" form. Spec: Protocol-Encoding, "Sizes". */
  size(size: number | null): void {
    if (size === null) return this.u8(SIZE_NULL);
    if (size < SIZE_LONG) return this.u8(size);
    if (size > SIZE_MAX) throw new LocalProtocolError(`size ${size} does not fit the wire, at most ${SIZE_MAX} does`);
    this.u8(SIZE_LONG);
    this.u32(size);
  }

  /** UTF-8 text behind its size in bytes. */
  string(text: string): void {
    if (text.length <= SHORT_TEXT) {
      const at = this.#claim(1 + text.length);
      if (encodeAscii(text, this.#bytes, at + 1)) {
        this.#bytes[at] = text.length;
        return;
      }
      this.#length = at;
    }
    const encoded = encodeText(text);
    this.size(encoded.length);
    this.bytes(encoded);
  }

  /** Leaves room for 32 bits that are known only later; returns where, for `patchU32`. */
  reserveU32(): number {
    return this.#claim(4);
  }

  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, this.#littleEndian);
  }
}
