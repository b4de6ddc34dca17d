// Which fields of a structure does an update carry? A set of small non-negative integers and its wire form.
//
// Spec: Protocol-Encoding, "BitSets". The specification shows little endian only; peers write each whole group
// of eight bytes as one 64-bit word in stream order, and only the trailing one to seven bytes are order-free.

import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const BITS = 32;
const NO_WORDS = new Uint32Array(0);

/**
 * A set of bits that names fields of a type: 0 is the whole, and fields count depth-first. Spec: Protocol-Encoding,
 * "BitSets".
 */
export class BitSet {
  /** The first 32 bits, as a signed number: nearly all types have no more, and an array takes ten times as long to make. */
  #first: number;
  /** Little-endian words of 32 bits behind the first; words past the end are zero. */
  #rest: Uint32Array;

  private constructor(first: number, rest: Uint32Array) {
    this.#first = first;
    this.#rest = rest;
  }

  static empty(): BitSet {
    return new BitSet(0, NO_WORDS);
  }

  static of(...bits: number[]): BitSet {
    return BitSet.from(bits);
  }

  static from(bits: Iterable<number>): BitSet {
    const set = BitSet.empty();
    for (const bit of bits) set.add(bit);
    return set;
  }

  /** Makes room for words behind the first. */
  #reach(restCount: number): void {
    if (restCount <= this.#rest.length) return;
    const rest = new Uint32Array(Math.max(restCount, this.#rest.length * 2));
    rest.set(this.#rest);
    this.#rest = rest;
  }

  /** Of the first word the sign means nothing. */
  #word(index: number): number {
    return index === 0 ? this.#first : (this.#rest[index - 1] ?? 0);
  }

  has(bit: number): boolean {
    return ((this.#word(bit >>> 5) >>> (bit & 31)) & 1) === 1;
  }

  add(bit: number): this {
    if (bit < BITS) {
      this.#first |= 1 << bit;
      return this;
    }
    const index = (bit >>> 5) - 1;
    this.#reach(index + 1);
    this.#rest[index] = (this.#rest[index] ?? 0) | (1 << (bit & 31));
    return this;
  }

  delete(bit: number): this {
    if (bit < BITS) {
      this.#first &= ~(1 << bit);
      return this;
    }
    const index = (bit >>> 5) - 1;
    if (index < this.#rest.length) this.#rest[index] = (this.#rest[index] ?? 0) & ~(1 << (bit & 31));
    return this;
  }

  /** Adds every bit from `start` up to, not including, `end`. */
  addRange(start: number, end: number): this {
    for (let bit = start; bit < end; bit++) this.add(bit);
    return this;
  }

  clear(): this {
    this.#first = 0;
    this.#rest.fill(0);
    return this;
  }

  /** Adds all bits of `other`. */
  or(other: BitSet): this {
    this.#first |= other.#first;
    if (other.#rest.length === 0) return this;
    this.#reach(other.#rest.length);
    for (let index = 0; index < other.#rest.length; index++) {
      this.#rest[index] = (this.#rest[index] ?? 0) | (other.#rest[index] ?? 0);
    }
    return this;
  }

  /** Keeps only the bits that `other` has too. */
  and(other: BitSet): this {
    this.#first &= other.#first;
    for (let index = 0; index < this.#rest.length; index++) {
      this.#rest[index] = (this.#rest[index] ?? 0) & (other.#rest[index] ?? 0);
    }
    return this;
  }

  /** Whether some bit is in both. */
  intersects(other: BitSet): boolean {
    if ((this.#first & other.#first) !== 0) return true;
    if (this.#rest.length === 0) return false;
    return this.#rest.some((word, index) => (word & (other.#rest[index] ?? 0)) !== 0);
  }

  /** Whether every bit of `other` is in this one. */
  includes(other: BitSet): boolean {
    if ((other.#first & ~this.#first) !== 0) return false;
    if (other.#rest.length === 0) return true;
    return other.#rest.every((word, index) => (word & ~(this.#rest[index] ?? 0)) === 0);
  }

  clone(): BitSet {
    return new BitSet(this.#first, this.#rest.length === 0 ? NO_WORDS : this.#rest.slice());
  }

  isEmpty(): boolean {
    if (this.#first !== 0) return false;
    return this.#rest.length === 0 || this.#rest.every((word) => word === 0);
  }

  equals(other: BitSet): boolean {
    if (this.#first !== other.#first) return false;
    if (this.#rest.length === 0 && other.#rest.length === 0) return true;
    const count = Math.max(this.#rest.length, other.#rest.length);
    for (let index = 1; index <= count; index++) if (this.#word(index) !== other.#word(index)) return false;
    return true;
  }

  /** The first set bit at or after `start`, or -1. */
  next(start: number): number {
    let index = start >>> 5;
    let word = this.#word(index) & (-1 << (start & 31));
    while (index <= this.#rest.length) {
      if (word !== 0) return index * BITS + 31 - Math.clz32(word & -word);
      word = this.#word(++index);
    }
    return -1;
  }

  /** Whether any bit from `start` up to, not including, `end` is set. */
  hasAny(start: number, end: number): boolean {
    const bit = this.next(start);
    return bit !== -1 && bit < end;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (let bit = this.next(0); bit !== -1; bit = this.next(bit + 1)) yield bit;
  }

  get size(): number {
    let count = 0;
    for (const _ of this) count++;
    return count;
  }

  toString(): string {
    return `{${[...this].join(', ')}}`;
  }

  #byte(index: number): number {
    return (this.#word(index >>> 2) >>> ((index & 3) * 8)) & 0xff;
  }

  /** Bytes without the trailing zero ones: what the wire's size says. */
  #byteLength(): number {
    for (let index = this.#rest.length; index >= 0; index--) {
      const word = this.#word(index);
      if (word !== 0) return index * 4 + 4 - (Math.clz32(word) >>> 3);
    }
    return 0;
  }

  encode(writer: Writer): void {
    const length = this.#byteLength();
    writer.size(length);
    const whole = length - (length % 8);
    for (let at = 0; at < whole; at += 8) {
      const low = this.#word(at >>> 2);
      const high = this.#word((at >>> 2) + 1);
      writer.u32(writer.bigEndian ? high : low);
      writer.u32(writer.bigEndian ? low : high);
    }
    for (let at = whole; at < length; at++) writer.u8(this.#byte(at));
  }

  /**
   * Accepts any length: too short is padded with zeros, trailing zeros are harmless. Groups of eight bytes that begin
   * past `bitCount` are skipped: no field has their bits, and a mask of megabytes would take seconds.
   */
  static decode(reader: Reader, bitCount = Number.POSITIVE_INFINITY): BitSet {
    const claimed = reader.count(1);
    const length = Math.min(claimed, Math.ceil(bitCount / 64) * 8);
    const set = new BitSet(0, length > 4 ? new Uint32Array((length + 3) >>> 2) : NO_WORDS);
    const whole = length - (length % 8);
    for (let at = 0; at < whole; at += 8) {
      const first = reader.u32();
      const second = reader.u32();
      set.#put(at >>> 2, reader.bigEndian ? second : first);
      set.#put((at >>> 2) + 1, reader.bigEndian ? first : second);
    }
    for (let at = whole; at < length; at++) set.#put(at >>> 2, reader.u8() << ((at & 3) * 8));
    reader.skip(claimed - length);
    return set;
  }

  /** Adds bits to a word for which there is room. */
  #put(index: number, bits: number): void {
    if (index === 0) this.#first |= bits;
    else this.#rest[index - 1] = (this.#rest[index - 1] ?? 0) | bits;
  }
}
