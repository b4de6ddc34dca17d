// How are the items of MessagePack read, each as what it is expected to be? A count is a claim: it is held against the
// bytes that are there before anything is made of it.

import { LimitError, RemoteProtocolError, TruncatedError } from '../errors.ts';
import { Reader } from '../reader.ts';
import { decodeText } from '../text.ts';
import * as f from './msgpack-format.ts';

/** What may be walked over without looking into it. */
export interface WalkBounds {
  /** Levels of arrays and maps. */
  readonly depth: number;
  /** Items of all levels. */
  readonly items: number;
  /** Name of the limit that `depth` and `items` stand for. */
  readonly depthLimit: string;
  readonly itemLimit: string;
  /** The keys that maps may have, each once; then all but maps and arrays is text. By default anything may stand anywhere. */
  readonly keys?: ReadonlySet<string>;
}

/** Reads items of MessagePack; every method throws a PvaError when something else comes. */
export class PackReader {
  /** Big endian, as MessagePack is. */
  readonly reader: Reader;

  constructor(bytes: Uint8Array) {
    this.reader = new Reader(bytes, true);
  }

  /** Whether nil comes next; then it is read. */
  takeNil(): boolean {
    const { bytes, offset } = this.reader;
    if (bytes[offset] !== f.NIL) return false;
    this.reader.skip(1);
    return true;
  }

  boolean(): boolean {
    const first = this.reader.u8();
    if (first !== f.TRUE && first !== f.FALSE) throw this.#wrong('true or false', first);
    return first === f.TRUE;
  }

  /** A whole number that a JavaScript number holds exactly. */
  integer(low: number, high: number): number {
    const { offset } = this.reader;
    const value = this.#whole(`an integer from ${low} to ${high}`);
    if (value < low || value > high) {
      throw new RemoteProtocolError(`${value} at offset ${offset}, an integer from ${low} to ${high} expected`);
    }
    return Number(value);
  }

  /** A whole number of 64 bits. */
  long(low: bigint, high: bigint): bigint {
    const { offset } = this.reader;
    const value = BigInt(this.#whole(`an integer from ${low} to ${high}`));
    if (value < low || value > high) {
      throw new RemoteProtocolError(`${value} at offset ${offset}, an integer from ${low} to ${high} expected`);
    }
    return value;
  }

  /** A float of either width. Whole numbers count too, as long as they are exact: many writers make 1 of 1.0. */
  number(): number {
    const { reader } = this;
    const { bytes, offset } = reader;
    const first = bytes[offset];
    if (first === f.FLOAT64) {
      reader.skip(1);
      return reader.f64();
    }
    if (first === f.FLOAT32) {
      reader.skip(1);
      return reader.f32();
    }
    const value = Number(this.#whole('a number'));
    if (!Number.isSafeInteger(value)) {
      throw new RemoteProtocolError(
        `integer ${value} at offset ${offset} where a float is expected, and too large for one`,
      );
    }
    return value;
  }

  text(): string {
    const { reader } = this;
    const length = this.#textBytes();
    const start = reader.offset;
    reader.skip(length);
    return decodeText(reader.bytes, start, start + length);
  }

  /** A view, valid as long as the bytes behind it are. */
  bytes(): Uint8Array {
    const first = this.reader.u8();
    return this.reader.view(this.#sized(first, f.BIN8, 'bytes'));
  }

  /** Elements that follow; each takes a byte at least. */
  arrayHead(): number {
    const first = this.reader.u8();
    const count =
      first >= f.FIXARRAY && first < f.FIXSTR ? first - f.FIXARRAY : this.#wide(first, f.ARRAY16, 'an array');
    return this.#claimed(count, 1, 'elements');
  }

  /** An array of just so many elements. */
  tuple(count: number, what: string): void {
    const { offset } = this.reader;
    const found = this.arrayHead();
    if (found !== count) {
      throw new RemoteProtocolError(`array of ${found} at offset ${offset}, ${count} expected: ${what}`);
    }
  }

  /** Pairs that follow; each takes two bytes at least. */
  mapHead(): number {
    const first = this.reader.u8();
    const count = first >= f.FIXMAP && first < f.FIXARRAY ? first - f.FIXMAP : this.#wide(first, f.MAP16, 'a map');
    return this.#claimed(count, 2, 'pairs');
  }

  /** Bytes of an extension of this type, which follow. */
  extensionHead(type: number, what: string): number {
    const { reader } = this;
    const start = reader.offset;
    const first = reader.u8();
    const length = this.#extensionBytes(first, what);
    const found = reader.u8();
    if (found !== type) {
      throw new RemoteProtocolError(`extension of type ${found} at offset ${start}, type ${type} expected: ${what}`);
    }
    return length;
  }

  /** Type and bytes of the extension that comes next, which is not read. */
  peekExtension(): { readonly code: number; readonly length: number } {
    const { reader } = this;
    const start = reader.offset;
    const length = this.#extensionBytes(reader.u8(), 'any');
    const code = reader.u8();
    reader.offset = start;
    return { code, length };
  }

  /** Skips one item with all that is in it, without making anything of it. */
  walk(bounds: WalkBounds): void {
    this.#walk(bounds, 0, { items: 0 });
  }

  #walk(bounds: WalkBounds, level: number, spent: { items: number }): void {
    const { reader } = this;
    spent.items++;
    if (spent.items > bounds.items) throw new LimitError(bounds.itemLimit, spent.items, bounds.items, 'items');
    const { bytes, offset } = reader;
    const first = bytes[offset] ?? f.NIL;
    if (isArray(first) || isMap(first)) {
      if (level >= bounds.depth)
        throw new LimitError(bounds.depthLimit, level + 1, bounds.depth, 'levels of MessagePack');
      if (isMap(first)) return this.#walkMap(bounds, level, spent);
      const count = this.arrayHead();
      for (let index = 0; index < count; index++) this.#walk(bounds, level + 1, spent);
      return;
    }
    // Where the keys are known, all else is text.
    if (bounds.keys === undefined) this.#skipLeaf();
    else reader.skip(this.#textBytes());
  }

  #walkMap(bounds: WalkBounds, level: number, spent: { items: number }): void {
    const count = this.mapHead();
    const { keys } = bounds;
    if (keys === undefined) {
      for (let index = 0; index < 2 * count; index++) this.#walk(bounds, level + 1, spent);
      return;
    }
    const seen = new Set<string>();
    for (let index = 0; index < count; index++) {
      const { offset } = this.reader;
      const key = this.text();
      if (!keys.has(key)) throw unknownKey(key, offset);
      if (seen.has(key)) throw duplicateKey(key, offset);
      seen.add(key);
      this.#walk(bounds, level + 1, spent);
    }
  }

  #skipLeaf(): void {
    const { reader } = this;
    const first = reader.u8();
    if (first <= f.FIXINT_MAX || first >= f.NEGATIVE_FIXINT) return;
    if (first >= f.FIXSTR && first < f.NIL) return reader.skip(first - f.FIXSTR);
    if (first >= f.BIN8 && first <= f.BIN32) return reader.skip(this.#sized(first, f.BIN8, 'bytes'));
    if (first >= f.STR8 && first <= f.STR32) return reader.skip(this.#sized(first, f.STR8, 'text'));
    const width = SCALAR_BYTES.get(first);
    if (width !== undefined) return reader.skip(width);
    reader.skip(this.#extensionBytes(first, 'an item') + 1);
  }

  /** A number, or a bigint where it may not be exact. */
  #whole(expected: string): number | bigint {
    const { reader } = this;
    const first = reader.u8();
    if (first <= f.FIXINT_MAX) return first;
    if (first >= f.NEGATIVE_FIXINT) return first - 0x100;
    switch (first) {
      case f.UINT8:
        return reader.u8();
      case f.UINT16:
        return reader.u16();
      case f.UINT32:
        return reader.u32();
      case f.UINT64:
        return reader.u64();
      case f.INT8:
        return reader.i8();
      case f.INT16:
        return reader.i16();
      case f.INT32:
        return reader.i32();
      case f.INT64:
        return reader.i64();
      default:
        throw this.#wrong(expected, first);
    }
  }

  #textBytes(): number {
    const first = this.reader.u8();
    if (first >= f.FIXSTR && first < f.NIL) return first - f.FIXSTR;
    return this.#sized(first, f.STR8, 'text');
  }

  #extensionBytes(first: number, what: string): number {
    if (first >= f.FIXEXT1 && first <= f.FIXEXT16) return 1 << (first - f.FIXEXT1);
    return this.#sized(first, f.EXT8, `an extension: ${what}`);
  }

  /** The length behind one of the three first bytes from `first8` on. */
  #sized(first: number, first8: number, expected: string): number {
    if (first === first8) return this.reader.u8();
    return this.#wide(first, first8 + 1, expected);
  }

  #wide(first: number, first16: number, expected: string): number {
    if (first === first16) return this.reader.u16();
    if (first === first16 + 1) return this.reader.u32();
    throw this.#wrong(expected, first);
  }

  #claimed(count: number, bytesEach: number, what: string): number {
    const { remaining, offset } = this.reader;
    if (count * bytesEach > remaining) {
      throw new TruncatedError(
        `${count} ${what} claimed before offset ${offset}, ${remaining} bytes are there`,
        offset,
      );
    }
    return count;
  }

  #wrong(expected: string, first: number): RemoteProtocolError {
    return new RemoteProtocolError(`${formatAt(first, this.reader.offset - 1)}, ${expected} expected`);
  }
}

export function unknownKey(key: string, offset: number): RemoteProtocolError {
  return new RemoteProtocolError(`key '${shown(key)}' at offset ${offset} is no field of this type`);
}

export function duplicateKey(key: string, offset: number): RemoteProtocolError {
  return new RemoteProtocolError(`key '${shown(key)}' at offset ${offset} is there twice`);
}

const SHOWN_CHARACTERS = 60;

function shown(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function formatAt(first: number, offset: number): string {
  return `${f.formatName(first)} (0x${first.toString(16).padStart(2, '0')}) at offset ${offset}`;
}

function isArray(first: number): boolean {
  return (first >= f.FIXARRAY && first < f.FIXSTR) || first === f.ARRAY16 || first === f.ARRAY32;
}

function isMap(first: number): boolean {
  return (first >= f.FIXMAP && first < f.FIXARRAY) || first === f.MAP16 || first === f.MAP32;
}

/** Bytes behind the first of items of one width. */
const SCALAR_BYTES: ReadonlyMap<number, number> = new Map([
  [f.NIL, 0],
  [f.FALSE, 0],
  [f.TRUE, 0],
  [f.FLOAT32, 4],
  [f.FLOAT64, 8],
  [f.UINT8, 1],
  [f.UINT16, 2],
  [f.UINT32, 4],
  [f.UINT64, 8],
  [f.INT8, 1],
  [f.INT16, 2],
  [f.INT32, 4],
  [f.INT64, 8],
]);
