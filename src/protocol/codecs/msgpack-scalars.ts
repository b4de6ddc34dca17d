// How do the values of one bit become MessagePack and back: scalars, text, and arrays of them?
//
// Numbers in arrays are an extension, the type of which is the specification's code of the scalar: its bytes are the
// elements, little endian, and move in bulk.

import { LimitError, RemoteProtocolError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { textBytes } from '../text.ts';
import { INTEGER_RANGES, LONG_RANGES, type ScalarArrayType, type ScalarName } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import { SCALAR_CODES, type TypeReceiver } from '../types/wire.ts';
import {
  NODES_PER_BOOLEAN,
  HOST_IS_BIG_ENDIAN,
  requireList,
  requireTypedArray,
  TYPED_ARRAYS,
  type NumericName,
} from '../values/array-codec.ts';
import { swapBytes } from '../values/byte-swap.ts';
import { outOfRange, typeMismatch } from '../values/mismatch.ts';
import { requireNumber, requireString } from '../values/scalar-codec.ts';
import type { Writer } from '../writer.ts';
import type { PackReader } from './msgpack-reader.ts';
import * as write from './msgpack-writer.ts';

/** What can be done with a value that is there or not as a whole. */
export interface LeafPack {
  write(out: Writer, value: PvValue): void;
  read(input: PackReader, types: TypeReceiver): PvValue;
}

function integer(name: keyof typeof INTEGER_RANGES): LeafPack {
  const [low, high] = INTEGER_RANGES[name];
  return {
    write(out, value) {
      if (typeof value !== 'number') throw typeMismatch(`a number (${name})`, value);
      if (!Number.isInteger(value) || value < low || value > high) throw outOfRange(name, low, high, value);
      write.writeInteger(out, value);
    },
    read: (input) => input.integer(low, high),
  };
}

function longInteger(name: keyof typeof LONG_RANGES): LeafPack {
  const [low, high] = LONG_RANGES[name];
  return {
    write(out, value) {
      if (typeof value !== 'bigint') throw typeMismatch(`a bigint (${name})`, value);
      if (value < low || value > high) throw outOfRange(name, low, high, value);
      write.writeLong(out, value);
    },
    read: (input) => input.long(low, high),
  };
}

const SCALARS: { readonly [S in ScalarName]: LeafPack } = {
  boolean: {
    write(out, value) {
      if (typeof value !== 'boolean') throw typeMismatch('a boolean', value);
      write.writeBoolean(out, value);
    },
    read: (input) => input.boolean(),
  },
  byte: integer('byte'),
  ubyte: integer('ubyte'),
  short: integer('short'),
  ushort: integer('ushort'),
  int: integer('int'),
  uint: integer('uint'),
  long: longInteger('long'),
  ulong: longInteger('ulong'),
  float: {
    write: (out, value) => write.writeFloat(out, requireNumber(value, 'float')),
    read(input) {
      const { offset } = input.reader;
      const value = input.number();
      const float = Math.fround(value);
      if (Number.isFinite(value) && !Number.isFinite(float)) {
        throw new RemoteProtocolError(`${value} at offset ${offset}, a float up to 3.4e38 expected`);
      }
      return float;
    },
  },
  double: {
    write: (out, value) => write.writeDouble(out, requireNumber(value, 'double')),
    read: (input) => input.number(),
  },
  string: {
    write: (out, value) => write.writeText(out, requireString(value)),
    read: (input) => input.text(),
  },
};

export function scalarPack(name: ScalarName): LeafPack {
  return SCALARS[name];
}

export function boundedStringPack(bound: number): LeafPack {
  return {
    write(out, value) {
      const text = requireString(value);
      const length = textBytes(text);
      if (length > bound) throw typeMismatch(`a string of at most ${bound} bytes`, `${text} (${length} bytes)`);
      write.writeText(out, text);
    },
    read(input) {
      const start = input.reader.offset;
      const text = input.text();
      // Of the text and not of its bytes: what is not UTF-8 grows when it is read, and has to be sent on.
      const length = textBytes(text);
      if (length > bound) {
        throw new RemoteProtocolError(`text of ${length} bytes at offset ${start}, at most ${bound} expected`);
      }
      return text;
    },
  };
}

// --- arrays ----------------------------------------------------------------------------------------------------

/** What the elements of one array type need. */
interface Elements {
  lengthOf(value: PvValue): number;
  write(out: Writer, value: PvValue): void;
  /** Elements that follow. */
  readCount(input: PackReader): number;
  read(input: PackReader, count: number, types: TypeReceiver): PvValue;
  defaults(count: number): PvValue;
}

export function arrayPack({ scalar, sizing, size }: ScalarArrayType): LeafPack {
  const elements = scalar === 'boolean' ? BOOLEANS : scalar === 'string' ? STRINGS : numbers(scalar);
  return {
    write(out, value) {
      const length = elements.lengthOf(value);
      if (sizing === 'fixed') {
        // As in the specification's form: one that nobody set goes as zeros.
        if (length === 0) return elements.write(out, unset(elements, size));
        if (length !== size) throw typeMismatch(`exactly ${size} elements`, value);
      }
      if (sizing === 'bounded' && length > size) throw typeMismatch(`at most ${size} elements`, value);
      elements.write(out, value);
    },
    read(input, types) {
      const start = input.reader.offset;
      const count = elements.readCount(input);
      if (sizing === 'fixed' ? count !== size : sizing === 'bounded' && count > size) {
        const expected = sizing === 'fixed' ? `exactly ${size}` : `at most ${size}`;
        throw new RemoteProtocolError(`${count} elements at offset ${start}, ${expected} expected`);
      }
      return elements.read(input, count, types);
    },
  };
}

function unset(elements: Elements, size: number): PvValue {
  const limit = DEFAULT_LIMITS.maxBodyBytes;
  if (size > limit) throw new LimitError('maxBodyBytes', size, limit, 'fixed array');
  return elements.defaults(size);
}

function numbers(name: NumericName): Elements {
  const TypedArray = TYPED_ARRAYS[name];
  const width = TypedArray.BYTES_PER_ELEMENT;
  const code = SCALAR_CODES[name];
  const what = `elements of ${name}`;
  const isSwapped = HOST_IS_BIG_ENDIAN && width > 1;
  return {
    lengthOf: (value) => requireTypedArray(value, TypedArray).length,
    write(out, value) {
      const array = requireTypedArray(value, TypedArray);
      write.writeExtensionHead(out, code, array.byteLength);
      const start = out.length;
      out.bytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      if (isSwapped) swapBytes(out.view().subarray(start), width);
    },
    readCount(input) {
      const length = input.extensionHead(code, what);
      if (length % width !== 0) {
        throw new RemoteProtocolError(
          `${length} bytes before offset ${input.reader.offset}, a multiple of ${width} expected: ${what}`,
        );
      }
      return length / width;
    },
    read(input, count) {
      const buffer = input.reader.copy(count * width);
      if (isSwapped) swapBytes(new Uint8Array(buffer), width);
      return new TypedArray(buffer);
    },
    defaults: (count) => new TypedArray(new ArrayBuffer(count * width)),
  };
}

const BOOLEANS: Elements = {
  lengthOf: (value) => requireList(value, 'booleans').length,
  write(out, value) {
    const list = requireList(value, 'booleans');
    write.writeArrayHead(out, list.length);
    for (const item of list) {
      if (typeof item !== 'boolean') throw typeMismatch('a boolean', item);
      write.writeBoolean(out, item);
    }
  },
  readCount: (input) => input.arrayHead(),
  read(input, count, types) {
    types.spend(Math.ceil(count * NODES_PER_BOOLEAN));
    const items: boolean[] = [];
    for (let index = 0; index < count; index++) items.push(input.boolean());
    return items;
  },
  defaults: (count) => Array.from({ length: count }, () => false),
};

const STRINGS: Elements = {
  lengthOf: (value) => requireList(value, 'strings').length,
  write(out, value) {
    const list = requireList(value, 'strings');
    write.writeArrayHead(out, list.length);
    for (const item of list) {
      if (typeof item !== 'string') throw typeMismatch('a string', item);
      write.writeText(out, item);
    }
  },
  readCount: (input) => input.arrayHead(),
  read(input, count, types) {
    types.spend(count);
    const items: string[] = [];
    for (let index = 0; index < count; index++) items.push(input.text());
    return items;
  },
  defaults: (count) => Array.from({ length: count }, () => ''),
};
