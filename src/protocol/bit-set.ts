// Which fields of a structure does an update carry? A set of small non-negative integers and its wire form.
//
// Spec: Protocol-Encoding, "BitSets". The specification shows little endian only; peers write each whole group
// of eight bytes as one 64-bit word in stream order, and only the trailing one to seven bytes are order-free.

import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const BITS = 32;

/**
 * A set of bits that names fields of a type: 0 is the whole, and fields count depth-first. Spec: Protocol-Encoding,
 * "BitSets".
 */
export class BitSet {
  /** Little-endian words of 32 bits; words past the end are zero. */
  #words: Uint32Array;

  private constructor(words: Uint32Array) {
    this.#words = words;
  }

  static empty(): BitSet {
    return new BitSet(new Uint32Array(1));
  }

  static of(...bits: number[]): BitSet {
    return BitSet.from(bits);
  }

  static from(bits: Iterable<number>): BitSet {
    const set = BitSet.empty();
    for (const bit of bits) set.add(bit);
    return set;
  }

  #reach(wordCount: number): void {
    if (wordCount <= this.#words.length) return;
    const words = new Uint32Array(Math.max(wordCount, this.#words.length * 2));
    words.set(this.#words);
    this.#words = words;
  }

  #word(index: number): number {
    return this.#words[index] ?? 0;
  }

  has(bit: number): boolean {
    return ((this.#word(bit >>> 5) >>> (bit & 31)) & 1) === 1;
  }

  add(bit: number): this {
    const index = bit >>> 5;
    this.#reach(index + 1);
    this.#words[index] = this.#word(index) | (1 << (bit & 31));
    return this;
  }

  delete(bit: number): this {
    const index = bit >>> 5;
    if (index < this.#words.length) this.#words[index] = this.#word(index) & ~(1 << (bit & 31));
    return this;
  }

  /** Adds every bit from `start` up to, not including, `end`. */
  addRange(start: number, end: number): this {
    for (let bit = start; bit < end; bit++) this.add(bit);
    return this;
  }

  clear(): this {
    this.#words.fill(0);
    return this;
  }

  /** Adds all bits of `other`. */
  or(other: BitSet): this {
    this.#reach(other.#words.length);
    for (let index = 0; index < other.#words.length; index++) {
      this.#words[index] = this.#word(index) | other.#word(index);
    }
    return this;
  }

  /** Keeps only the bits that `other` has too. */
  and(other: BitSet): this {
    for (let index = 0; index < this.#words.length; index++) {
      this.#words[index] = this.#word(index) & other.#word(index);
    }
    return this;
  }

  /** Whether some bit is in both. */
  intersects(other: BitSet): boolean {
    return this.#words.some((word, index) => (word & other.#word(index)) !== 0);
  }

  clone(): BitSet {
    return new BitSet(this.#words.slice());
  }

  isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  equals(other: BitSet): boolean {
    const length = Math.max(this.#words.length, other.#words.length);
    for (let index = 0; index < length; index++) if (this.#word(index) !== other.#word(index)) return false;
    return true;
  }

  /** The first set bit at or after `start`, or -1. */
  next(start: number): number {
    let index = start >>> 5;
    let word = this.#word(index) & (-1 << (start & 31));
    while (index < this.#words.length) {
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
    for (let index = this.#words.length - 1; index >= 0; index--) {
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
    const words = new Uint32Array(Math.max(1, (length + 3) >>> 2));
    const whole = length - (length % 8);
    for (let at = 0; at < whole; at += 8) {
      const first = reader.u32();
      const second = reader.u32();
      words[at >>> 2] = reader.bigEndian ? second : first;
      words[(at >>> 2) + 1] = reader.bigEndian ? first : second;
    }
    for (let at = whole; at < length; at++) {
      const index = at >>> 2;
      words[index] = (words[index] ?? 0) | (reader.u8() << ((at & 3) * 8));
    }
    reader.skip(claimed - length);
    return new BitSet(words);
  }
}
