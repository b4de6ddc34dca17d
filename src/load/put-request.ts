// How does each put carry a new value, without encoding a message for it? The value stands at the end of bytes made before.

import { BitSet } from '../protocol/bit-set.ts';
import type { Codec } from '../protocol/codecs/codec.ts';
import { FALSE } from '../protocol/codecs/msgpack-format.ts';
import { pva } from '../protocol/codecs/pva.ts';
import { LocalProtocolError } from '../protocol/errors.ts';
import type { PutExecRequest } from '../protocol/messages/put.ts';
import { fieldBits } from '../protocol/types/field-bits.ts';
import type { ScalarName, StructureType } from '../protocol/types/type-desc.ts';
import type { PvValue } from '../protocol/types/value-of.ts';
import type { TypedUpdate } from '../protocol/values/update.ts';

/** How one kind of number is written at the end of a put. */
export interface ValueForm {
  /** Values go from 0 up to, not including, this; all of them are exact. */
  readonly count: number;
  /** The largest of them: bytes that were made for it have room for each. */
  readonly last: PvValue;
  write(view: DataView, end: number, value: number, isLittle: boolean): void;
}

const DIGITS = 10;
const ZERO = 0x30;
const HIGH_WORD = 2 ** 32;

const bytes: ValueForm = { count: 100, last: 99, write: (view, end, value) => view.setUint8(end - 1, value) };
const shorts: ValueForm = {
  count: 30_000,
  last: 29_999,
  write: (view, end, value, isLittle) => view.setUint16(end - 2, value, isLittle),
};
const ints: ValueForm = {
  count: 2_000_000_000,
  last: 1_999_999_999,
  write: (view, end, value, isLittle) => view.setUint32(end - 4, value, isLittle),
};
const longs: ValueForm = {
  count: 2 ** 52,
  last: 2n ** 52n - 1n,
  write: (view, end, value, isLittle) => {
    view.setUint32(end - (isLittle ? 8 : 4), value % HIGH_WORD, isLittle);
    view.setUint32(end - (isLittle ? 4 : 8), value / HIGH_WORD, isLittle);
  },
};

const FORMS: Readonly<Record<ScalarName, ValueForm>> = {
  boolean: { ...bytes, count: 2, last: true },
  byte: bytes,
  ubyte: bytes,
  short: shorts,
  ushort: shorts,
  int: ints,
  uint: ints,
  long: longs,
  ulong: longs,
  float: {
    count: 2 ** 24,
    last: 2 ** 24 - 1,
    write: (view, end, value, isLittle) => view.setFloat32(end - 4, value, isLittle),
  },
  double: {
    count: 2 ** 52,
    last: 2 ** 52 - 1,
    write: (view, end, value, isLittle) => view.setFloat64(end - 8, value, isLittle),
  },
  string: { count: 10 ** DIGITS, last: '9'.repeat(DIGITS), write: writeDigits },
};

/** In MessagePack true and false are bytes of their own; all else is as wide as its largest value, and ends as in pvAccess. */
const PACKED_FORMS: typeof FORMS = {
  ...FORMS,
  boolean: { ...FORMS.boolean, write: (view, end, value) => view.setUint8(end - 1, FALSE + value) },
};

/** The form of the values that puts to this type carry. @throws LocalProtocolError when there is no field for a number */
export function putFormOf(pvName: string, type: StructureType, codec: Codec): ValueForm {
  const field = type.fields.find(({ name }) => name === 'value')?.type;
  if (field?.kind === 'scalar') return (codec === pva ? FORMS : PACKED_FORMS)[field.scalar];
  throw new LocalProtocolError(`${pvName}: its value is no number and no string, so that puts have nothing to count`);
}

/** A put of the form's largest value, which `write` replaces. */
export function putMessage(sid: number, ioid: number, type: StructureType, form: ValueForm): PutExecRequest {
  return { command: 'PUT', phase: 'exec', sid, ioid, subcommand: 0, update: updateOf(type, form.last) };
}

/** Whether what was read is this value of the form. */
export function isPutValue(read: PvValue | undefined, value: number): boolean {
  if (typeof read === 'boolean') return read === (value === 1);
  if (typeof read === 'string' || typeof read === 'number' || typeof read === 'bigint') return Number(read) === value;
  return false;
}

function updateOf(type: StructureType, value: PvValue): TypedUpdate {
  const index = type.fields.findIndex(({ name }) => name === 'value');
  return { type, changed: BitSet.of(fieldBits(type)[index] ?? 0), value: { value } };
}

function writeDigits(view: DataView, end: number, value: number): void {
  let left = value;
  for (let at = end - 1; at >= end - DIGITS; at--) {
    view.setUint8(at, ZERO + (left % 10));
    left = Math.floor(left / 10);
  }
}
