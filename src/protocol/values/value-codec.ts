// What can be done with the values of one type?

import type { BitSet } from '../bit-set.ts';
import type { Reader } from '../reader.ts';
import type { PvValue } from '../types/value-of.ts';
import type { EncodeType, TypeReceiver } from '../types/wire.ts';
import type { Writer } from '../writer.ts';

/** Encodes and decodes the values of one type. Errors carry the path of the field they happened in. */
export interface ValueCodec<V = PvValue> {
  /** Writes the whole value; a field that is `undefined` is written as its default. */
  encode(writer: Writer, value: V, encodeType: EncodeType): void;
  /** Reads a whole value. Nothing in it shares memory with the reader. */
  decode(reader: Reader, types: TypeReceiver): V;
  /** What a receiver shows before it was told anything: zeros, empty text and arrays, null. */
  defaultValue(): V;
  /**
   * Writes the fields that `mask` selects, `bit` being the number of this value's own bit. The mask itself is
   * written by the caller.
   */
  encodeMasked(writer: Writer, value: V, mask: BitSet, encodeType: EncodeType, bit?: number): void;
  /** A new value: `base`, or the default, with the fields that `mask` selects read over it. `base` is not changed. */
  decodeMasked(reader: Reader, mask: BitSet, types: TypeReceiver, base?: V, bit?: number): V;
  /** A new value: `base` with the fields that `mask` selects taken from `update`. Shares what did not change. */
  merge(base: V, update: V, mask: BitSet, bit?: number): V;
}

/** The three things that a codec of a single bit has to say; masks follow from them. */
export interface LeafCodec {
  encode(writer: Writer, value: PvValue, encodeType: EncodeType): void;
  decode(reader: Reader, types: TypeReceiver): PvValue;
  defaultValue(): PvValue;
}
