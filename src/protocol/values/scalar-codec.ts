// How does one scalar value become bytes and back?

import { RemoteProtocolError } from '../errors.ts';
import { textBytes } from '../text.ts';
import { INTEGER_RANGES, LONG_RANGES, type ScalarName } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import type { Writer } from '../writer.ts';
import { outOfRange, typeMismatch } from './mismatch.ts';
import type { LeafCodec } from './value-codec.ts';

function integer(
  name: keyof typeof INTEGER_RANGES,
  write: (writer: Writer, value: number) => void,
  decode: LeafCodec['decode'],
): LeafCodec {
  const [low, high] = INTEGER_RANGES[name];
  return {
    encode(writer, value) {
      if (typeof value !== 'number') throw typeMismatch(`a number (${name})`, value);
      if (!Number.isInteger(value) || value < low || value > high) throw outOfRange(name, low, high, value);
      write(writer, value);
    },
    decode,
    defaultValue: () => 0,
  };
}

function longInteger(
  name: keyof typeof LONG_RANGES,
  write: (writer: Writer, value: bigint) => void,
  decode: LeafCodec['decode'],
): LeafCodec {
  const [low, high] = LONG_RANGES[name];
  return {
    encode(writer, value) {
      if (typeof value !== 'bigint') throw typeMismatch(`a bigint (${name})`, value);
      if (value < low || value > high) throw outOfRange(name, low, high, value);
      write(writer, value);
    },
    decode,
    defaultValue: () => 0n,
  };
}

const SCALARS: { readonly [S in ScalarName]: LeafCodec } = {
  boolean: {
    encode(writer, value) {
      if (typeof value !== 'boolean') throw typeMismatch('a boolean', value);
      writer.boolean(value);
    },
    decode: (reader) => reader.boolean(),
    defaultValue: () => false,
  },
  byte: integer(
    'byte',
    (writer, value) => writer.i8(value),
    (reader) => reader.i8(),
  ),
  ubyte: integer(
    'ubyte',
    (writer, value) => writer.u8(value),
    (reader) => reader.u8(),
  ),
  short: integer(
    'short',
    (writer, value) => writer.i16(value),
    (reader) => reader.i16(),
  ),
  ushort: integer(
    'ushort',
    (writer, value) => writer.u16(value),
    (reader) => reader.u16(),
  ),
  int: integer(
    'int',
    (writer, value) => writer.i32(value),
    (reader) => reader.i32(),
  ),
  uint: integer(
    'uint',
    (writer, value) => writer.u32(value),
    (reader) => reader.u32(),
  ),
  long: longInteger(
    'long',
    (writer, value) => writer.i64(value),
    (reader) => reader.i64(),
  ),
  ulong: longInteger(
    'ulong',
    (writer, value) => writer.u64(value),
    (reader) => reader.u64(),
  ),
  float: {
    encode(writer, value) {
      writer.f32(requireNumber(value, 'float'));
    },
    decode: (reader) => reader.f32(),
    defaultValue: () => 0,
  },
  double: {
    encode(writer, value) {
      writer.f64(requireNumber(value, 'double'));
    },
    decode: (reader) => reader.f64(),
    defaultValue: () => 0,
  },
  string: {
    encode(writer, value) {
      writer.string(requireString(value));
    },
    decode: (reader) => reader.string(),
    defaultValue: () => '',
  },
};

export function scalarCodecOf(name: ScalarName): LeafCodec {
  return SCALARS[name];
}

export function boundedStringCodecOf(bound: number): LeafCodec {
  return {
    encode(writer, value) {
      const text = requireString(value);
      const length = textBytes(text);
      if (length > bound) throw typeMismatch(`a string of at most ${bound} bytes`, `${text} (${length} bytes)`);
      writer.string(text);
    },
    decode(reader) {
      const start = reader.offset;
      const length = reader.sizeOrNull() ?? 0;
      if (length > bound) {
        throw new RemoteProtocolError(`string of ${length} bytes at offset ${start}, at most ${bound} expected`);
      }
      reader.offset = start;
      const text = reader.string();
      // What is not UTF-8 grows when it is read, and a value that cannot be sent on must not get in.
      if (textBytes(text) > bound) {
        throw new RemoteProtocolError(
          `string at offset ${start} is not UTF-8, and longer than ${bound} bytes once read`,
        );
      }
      return text;
    },
    defaultValue: () => '',
  };
}

export function requireNumber(value: PvValue, type: string): number {
  if (typeof value !== 'number') throw typeMismatch(`a number (${type})`, value);
  return value;
}

export function requireString(value: PvValue): string {
  if (typeof value !== 'string') throw typeMismatch('a string', value);
  return value;
}
