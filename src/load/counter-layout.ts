// Where in a monitor's update does its counter stand, so that it can be checked without decoding the update?

import type { BitSet } from '../protocol/bit-set.ts';
import {
  FIXARRAY,
  FIXMAP,
  FIXSTR,
  FLOAT32,
  FLOAT64,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from '../protocol/codecs/msgpack-format.ts';
import type { Frame } from '../protocol/framer.ts';
import { HEADER_BYTES } from '../protocol/header.ts';
import { fieldBits } from '../protocol/types/field-bits.ts';
import type { ScalarName, StructureType } from '../protocol/types/type-desc.ts';
import { packedWidth } from './body-form.ts';

type Read = (view: DataView, at: number, isLittle: boolean) => number;

/** How one kind of number is read, and how far two values of it are apart. */
export interface CounterForm {
  readonly read: Read;
  /** Values are compared modulo this, since counters begin anew; of long only the lower half is read. */
  readonly modulus: number;
}

/** What updates have in common whose counter is found by position. */
export interface CounterLayout extends CounterForm {
  readonly flags: number;
  readonly bodyBytes: number;
  /** What stands before the counter, from the subcommand on: what changed, and how. */
  readonly prefix: Buffer;
  /** Where that begins, from the start of the body. */
  readonly prefixAt: number;
  readonly isLittle: boolean;
  /** The last byte of an update that leaves nothing out: an empty overrun mask. */
  readonly end: number;
}

const SUBCOMMAND_AT = 4;
const MASK_AT = SUBCOMMAND_AT + 1;
const FLAGS_AT = 2;
/** A mask of up to 2 000 bits has its size in one byte; more fields than that has no counter. */
const MAX_MASK_BYTES = 254;
/** `value` as MessagePack. */
const VALUE_KEY = Buffer.from([FIXSTR | 'value'.length, ...Buffer.from('value')]);

const FORMS: Readonly<Partial<Record<ScalarName, CounterForm>>> = {
  byte: { read: (view, at) => view.getUint8(at), modulus: 2 ** 8 },
  ubyte: { read: (view, at) => view.getUint8(at), modulus: 2 ** 8 },
  short: { read: (view, at, isLittle) => view.getUint16(at, isLittle), modulus: 2 ** 16 },
  ushort: { read: (view, at, isLittle) => view.getUint16(at, isLittle), modulus: 2 ** 16 },
  int: { read: (view, at, isLittle) => view.getUint32(at, isLittle), modulus: 2 ** 32 },
  uint: { read: (view, at, isLittle) => view.getUint32(at, isLittle), modulus: 2 ** 32 },
  long: { read: (view, at, isLittle) => view.getUint32(isLittle ? at : at + 4, isLittle), modulus: 2 ** 32 },
  ulong: { read: (view, at, isLittle) => view.getUint32(isLittle ? at : at + 4, isLittle), modulus: 2 ** 32 },
  float: { read: (view, at, isLittle) => view.getFloat32(at, isLittle), modulus: 2 ** 24 },
  double: { read: (view, at, isLittle) => view.getFloat64(at, isLittle), modulus: 2 ** 53 },
};

/** In MessagePack: by the byte before it, how a number that is not negative is read. */
const PACKED_FORMS: Readonly<Record<number, CounterForm | undefined>> = {
  [UINT8]: FORMS.ubyte,
  [UINT16]: FORMS.ushort,
  [UINT32]: FORMS.uint,
  [UINT64]: FORMS.ulong,
  [FLOAT32]: FORMS.float,
  [FLOAT64]: FORMS.double,
};

/** The form of the field `value`; undefined when it is no number. */
export function counterFormOf(type: StructureType): CounterForm | undefined {
  const field = type.fields.find(({ name }) => name === 'value')?.type;
  return field?.kind === 'scalar' ? FORMS[field.scalar] : undefined;
}

/** The bit of the field `value`. */
export function valueBitOf(type: StructureType): number {
  return fieldBits(type)[type.fields.findIndex(({ name }) => name === 'value')] ?? 0;
}

/**
 * The layout that this update and all that look like it have; undefined when the counter has to be looked for: it is not
 * the first field that changed, or something in the update has no fixed size.
 */
export function counterLayoutOf(type: StructureType, changed: BitSet, frame: Frame): CounterLayout | undefined {
  const form = counterFormOf(type);
  const { body, header } = frame;
  const maskBytes = body[MASK_AT] ?? 0;
  if (form === undefined || maskBytes > MAX_MASK_BYTES || changed.next(0) !== valueBitOf(type)) return undefined;
  if (!isFixed(type, changed, 0)) return undefined;
  return {
    ...form,
    flags: header.flags,
    bodyBytes: body.length,
    prefix: Buffer.from(body.subarray(SUBCOMMAND_AT, MASK_AT + 1 + maskBytes)),
    prefixAt: SUBCOMMAND_AT,
    isLittle: !header.bigEndian,
    end: 0,
  };
}

/**
 * The same of an update in MessagePack; undefined when the first field is not the counter, or the counter is so small, or
 * less than 0, that it has no byte before it that says so. Numbers that grow wider change the layout.
 */
export function packedCounterLayoutOf(type: StructureType, { header, body }: Frame): CounterLayout | undefined {
  const form = counterFormOf(type);
  const prefixAt = 2 + packedWidth(body[1] ?? 0);
  const keyAt = prefixAt + 2;
  const valueAt = keyAt + VALUE_KEY.length + 1;
  const head = body[prefixAt + 1] ?? 0;
  const read = PACKED_FORMS[body[valueAt - 1] ?? 0]?.read;
  const isFirst = head > FIXMAP && head < FIXARRAY && VALUE_KEY.equals(body.subarray(keyAt, valueAt - 1));
  if (form === undefined || read === undefined || !isFirst) return undefined;
  return {
    read,
    modulus: form.modulus,
    flags: header.flags,
    bodyBytes: body.length,
    prefix: Buffer.from(body.subarray(prefixAt, valueAt)),
    prefixAt,
    isLittle: false,
    end: FIXMAP,
  };
}

/** The counter of an update that has this layout and left nothing out; undefined for any other update. */
export function counterIn(layout: CounterLayout, bytes: Buffer, view: DataView, at: number): number | undefined {
  const start = at + HEADER_BYTES;
  const { prefix, prefixAt, bodyBytes, flags, end } = layout;
  if (bytes[at + FLAGS_AT] !== flags || bytes[start + bodyBytes - 1] !== end) return undefined;
  const prefixStart = start + prefixAt;
  for (let index = 0; index < prefix.length; index++) {
    if (bytes[prefixStart + index] !== prefix[index]) return undefined;
  }
  return layout.read(view, prefixStart + prefix.length, layout.isLittle);
}

/** How far a counter has come, 1 when nothing is missing; negative when it went back. */
export function counterStep({ modulus }: CounterForm, before: number, now: number): number {
  const step = (now - before) % modulus;
  if (step > modulus / 2) return step - modulus;
  return step < -modulus / 2 ? step + modulus : step;
}

/** Whether all that changed, from the bit `first` of this structure on, takes the same bytes in each update. */
function isFixed(type: StructureType, changed: BitSet, first: number): boolean {
  const isWhole = changed.has(first);
  return type.fields.every(({ type: field }, index) => {
    const bit = first + (fieldBits(type)[index] ?? 0);
    if (!isWhole && !changed.hasAny(bit, bit + field.bitCount)) return true;
    if (field.kind === 'scalar') return field.scalar !== 'string';
    return field.kind === 'structure' && isFixed(field, isWhole ? changed.clone().add(bit) : changed, bit);
  });
}
