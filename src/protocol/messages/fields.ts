// What can a field of a message body be? The words in which the modules of this folder say what they send and read.
//
// A module names the specification's fields in their order, once; how each becomes bytes is the matter of a codec, of
// which there is one for pvAccess and one for MessagePack (../codecs/).

import type { BitSet } from '../bit-set.ts';
import type { Status } from '../status.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { AnyValue, PvValue } from '../types/value-of.ts';
import type { TypedUpdate } from '../values/update.ts';
import type { UpdateToSend } from './data.ts';

/** A field that holds any number of elements of one form. */
export interface ListShape {
  /** How the specification writes the number of elements: as a size, or in 16 bits. */
  readonly counter: 'size' | 'u16';
  /** Fields of each element. */
  readonly fieldsEach: number;
  /** Bytes that each takes at least in pvAccess, so that a count can be held against the bytes that are there. */
  readonly bytesEach: number;
  /** What the elements are, for errors. */
  readonly what: string;
}

/** Elements that 16 bits can count. */
export const MAX_U16_COUNT = 0xffff;

/** Takes the fields of one body. */
export interface FieldWriter {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  /** A count or an index of any size. */
  size(value: number): void;
  boolean(value: boolean): void;
  string(value: string): void;
  /** An IPv4 or IPv6 address. */
  address(value: string): void;
  /** 24 hexadecimal digits. */
  guid(value: string): void;
  /** Bytes without a meaning, which only pvAccess has. */
  reserved(byteCount: number): void;
  /** Bytes that mean something only to who made them; the last field. */
  payload(bytes: Uint8Array): void;
  /** `writeElement` writes the fields of one element. @throws LocalProtocolError when there are too many for the counter */
  list<T>(shape: ListShape, elements: readonly T[], writeElement: (element: T) => void): void;
  status(value: Status): void;
  type(value: TypeDesc | null): void;
  /** A type and a whole value of it, or null. */
  any(value: AnyValue): void;
  /** A whole value of a type that both sides know. */
  value(type: TypeDesc, value: PvValue): void;
  update(value: UpdateToSend): void;
  /** Fields of `type`, without their values. */
  mask(type: TypeDesc, value: BitSet): void;
}

/** Gives the fields of one body. Every method throws a PvaError when the next field is another one, or none. */
export interface FieldReader {
  /** Whether any field follows. */
  readonly hasMore: boolean;
  /** Whether what follows is as many bytes, or in other codecs fields, and nothing else. */
  isLast(byteCount: number, fieldCount: number): boolean;
  u8(): number;
  u16(): number;
  u32(): number;
  size(): number;
  boolean(): boolean;
  string(): string;
  address(): string;
  guid(): string;
  reserved(byteCount: number): void;
  /** A view of the bytes, valid as long as those of the body are. */
  payload(): Uint8Array;
  /** Reads the first `most` elements and skips the others. The count is checked before anything is made of it. */
  list<T>(shape: ListShape, readElement: () => T, most?: number): T[];
  status(): Status;
  type(): TypeDesc | null;
  any(): AnyValue;
  value(type: TypeDesc): PvValue;
  /** Fields that did not come are those of `base`, or defaults. */
  update(type: TypeDesc, base?: PvValue): TypedUpdate;
  mask(type: TypeDesc): BitSet;
}
