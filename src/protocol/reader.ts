// How are primitive items read from bytes, in either byte order, without ever reading past the end?
//
// Spec: Protocol-Encoding, "Sizes" and "User Data".

import { RemoteProtocolError, TruncatedError } from './errors.ts';
import { decodeText } from './text.ts';

/** The first byte of a size that says "null" (no data). */
export const SIZE_NULL = 0xff;
/** The first byte of a size that is followed by 32 bits. */
export const SIZE_LONG = 0xfe;
/** Sizes past this would be negative in the signed 32 bits of the specification. */
export const SIZE_MAX = 0x7fff_ffff;

/**
 * Reads from a view of bytes; the view is not copied and must not change meanwhile.
 * Every method throws `TruncatedError` when the bytes end first.
 */
export class Reader {
  readonly bytes: Uint8Array;
  readonly bigEndian: boolean;
  /** Bytes consumed so far. */
  offset = 0;
  /** Where the bytes end for this reader. */
  #end: number;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, bigEndian: boolean) {
    this.bytes = bytes;
    this.bigEndian = bigEndian;
    this.#end = bytes.length;
    this.#littleEndian = !bigEndian;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#end - this.offset;
  }

  /** From now on reads only the bytes from `start` to `end`, which are among its bytes. */
  narrow(start: number, end: number): this {
    this.offset = start;
    this.#end = Math.min(end, this.bytes.length);
    return this;
  }

  /** Claims `count` bytes and returns the offset of the first: the one place where bounds are checked. */
  #take(count: number): number {
    const start = this.offset;
    if (count > this.#end - start) {
      throw new TruncatedError(`${count} bytes expected at offset ${start}, ${this.#end - start} are there`, start);
    }
    this.offset = start + count;
    return start;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.#littleEndian);
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2), this.#littleEndian);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.#littleEndian);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), this.#littleEndian);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.#littleEndian);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), this.#littleEndian);
  }

  f32(): number {
    return this.#view.getFloat32(this.#take(4), this.#littleEndian);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), this.#littleEndian);
  }

  /** Any byte but zero is true. */
  boolean(): boolean {
    return this.u8() !== 0;
  }

  /** A view of the next `count` bytes, valid as long as the bytes behind this reader are. */
  view(count: number): Uint8Array {
    const start = this.#take(count);
    return this.bytes.subarray(start, start + count);
  }

  /** The next `count` bytes as a buffer of their own: one copy in bulk, aligned for typed arrays. */
  copy(count: number): ArrayBuffer {
    const start = this.bytes.byteOffset + this.#take(count);
    // Whatever stands behind the view, also a SharedArrayBuffer, the slice is a plain buffer of its own.
    const slice = this.bytes.buffer.slice(start, start + count);
    return slice instanceof ArrayBuffer ? slice : new Uint8Array(new Uint8Array(slice)).buffer;
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** A size, or null for the "no data" form. Spec: Protocol-Encoding, "Sizes". */
  sizeOrNull(): number | null {
    const first = this.u8();
    if (first < SIZE_LONG) return first;
    if (first === SIZE_NULL) return null;
    const size = this.u32();
    if (size > SIZE_MAX) {
      throw new RemoteProtocolError(`size ${size} at offset ${this.offset - 4}, at most ${SIZE_MAX} expected`);
    }
    return size;
  }

  /** A size where "null" makes no sense, as before array elements. */
  size(): number {
    const size = this.sizeOrNull();
    if (size === null) {
      throw new RemoteProtocolError(`null size at offset ${this.offset - 1}, a count expected`);
    }
    return size;
  }

  /**
   * The size of a sequence whose elements take at least `elementBytes` bytes each. A count is a claim:
   * one that the rest of the bytes cannot hold is refused before anything is allocated for it.
   */
  count(elementBytes: number): number {
    const count = this.size();
    if (count * elementBytes > this.remaining) {
      throw new TruncatedError(
        `${count} elements of at least ${elementBytes} bytes claimed at offset ${this.offset}, ${this.remaining} bytes are there`,
        this.offset,
      );
    }
    return count;
  }

  /** UTF-8 text; the null form reads as "", as pvxs does. Bytes that are not UTF-8 become U+FFFD. */
  string(): string {
    const length = this.sizeOrNull();
    if (length === null || length === 0) return '';
    const start = this.#take(length);
    return decodeText(this.bytes, start, start + length);
  }
}
