// How does an array of scalars become bytes and back? Numbers move in bulk, one copy each way.

import { LimitError, RemoteProtocolError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { Reader } from '../reader.ts';
import type { ScalarArrayType, ScalarName } from '../types/type-desc.ts';
import type { NumericArray, PvValue } from '../types/value-of.ts';
import type { Writer } from '../writer.ts';
import { swapBytes } from './byte-swap.ts';
import { typeMismatch } from './mismatch.ts';
import type { LeafCodec } from './value-codec.ts';

/** Scalars that are numbers: they have limits, and arrays of them are typed arrays. */
export type NumericName = Exclude<ScalarName, 'boolean' | 'string'>;

interface NumericArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): NumericArray;
}

/** The typed array that holds elements of each numeric type. */
export const TYPED_ARRAYS: { readonly [S in NumericName]: NumericArrayConstructor } = {
  byte: Int8Array,
  ubyte: Uint8Array,
  short: Int16Array,
  ushort: Uint16Array,
  int: Int32Array,
  uint: Uint32Array,
  long: BigInt64Array,
  ulong: BigUint64Array,
  float: Float32Array,
  double: Float64Array,
};

export const HOST_IS_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

const NOTHING = new Reader(new Uint8Array(0), false);

/** What the elements of one array type need; the count around them is the same for all. */
interface Elements {
  /** Bytes that one element takes at least. */
  readonly minBytes: number;
  /** 1 where an element is an object, less where it takes no more than a place of a list, 0 in a typed array. */
  readonly nodesPerElement: number;
  lengthOf(value: PvValue): number;
  write(writer: Writer, value: PvValue): void;
  read(reader: Reader, count: number): PvValue;
  writeDefaults(writer: Writer, count: number): void;
}

export function arrayCodecOf(type: ScalarArrayType): LeafCodec {
  const elements = elementsOf(type.scalar);
  const { sizing, size } = type;

  return {
    encode(writer, value) {
      const length = elements.lengthOf(value);
      if (sizing === 'fixed') {
        // A fixed array nobody set is empty here, so that a type alone can never make anyone allocate its size.
        if (length === 0 && size > 0) return writeUnset(writer, elements, size);
        if (length !== size) throw typeMismatch(`exactly ${size} elements`, value);
      } else {
        if (sizing === 'bounded' && length > size) throw typeMismatch(`at most ${size} elements`, value);
        writer.size(length);
      }
      elements.write(writer, value);
    },
    decode(reader, types) {
      if (sizing === 'fixed') {
        types.spend(Math.ceil(elements.nodesPerElement * size));
        return elements.read(reader, size);
      }
      const count = reader.count(elements.minBytes);
      if (sizing === 'bounded' && count > size) {
        throw new RemoteProtocolError(`${count} elements before offset ${reader.offset}, at most ${size} expected`);
      }
      types.spend(Math.ceil(elements.nodesPerElement * count));
      return elements.read(reader, count);
    },
    defaultValue: () => elements.read(NOTHING, 0),
  };
}

function writeUnset(writer: Writer, elements: Elements, size: number): void {
  const limit = DEFAULT_LIMITS.maxBodyBytes;
  if (size * elements.minBytes > limit)
    throw new LimitError('maxBodyBytes', size * elements.minBytes, limit, 'fixed array');
  elements.writeDefaults(writer, size);
}

function elementsOf(name: ScalarName): Elements {
  if (name === 'boolean') return BOOLEANS;
  if (name === 'string') return STRINGS;
  return numbers(name);
}

function numbers(name: NumericName): Elements {
  const TypedArray = TYPED_ARRAYS[name];
  const width = TypedArray.BYTES_PER_ELEMENT;
  return {
    minBytes: width,
    nodesPerElement: 0,
    lengthOf: (value) => requireTypedArray(value, TypedArray).length,
    write(writer, value) {
      const array = requireTypedArray(value, TypedArray);
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      if (writer.bigEndian === HOST_IS_BIG_ENDIAN || width === 1) return writer.bytes(bytes);
      const start = writer.length;
      writer.bytes(bytes);
      swapBytes(writer.view().subarray(start), width);
    },
    read(reader, count) {
      const buffer = reader.copy(count * width);
      if (reader.bigEndian !== HOST_IS_BIG_ENDIAN && width > 1) swapBytes(new Uint8Array(buffer), width);
      return new TypedArray(buffer);
    },
    writeDefaults: (writer, count) => writer.bytes(new Uint8Array(count * width)),
  };
}

export function requireTypedArray(value: PvValue, TypedArray: NumericArrayConstructor): NumericArray {
  // Not instanceof: an array made in another realm (a worker, a test runner's sandbox) is as good.
  if (ArrayBuffer.isView(value) && value[Symbol.toStringTag] === TypedArray.name) return value;
  throw typeMismatch(`a ${TypedArray.name}`, value);
}

/** There are two booleans for all: one more takes 8 bytes of a list, where an object takes 50 and more. */
export const NODES_PER_BOOLEAN = 1 / 8;

const BOOLEANS: Elements = {
  minBytes: 1,
  nodesPerElement: NODES_PER_BOOLEAN,
  lengthOf: (value) => requireList(value, 'booleans').length,
  write(writer, value) {
    for (const item of requireList(value, 'booleans')) {
      if (typeof item !== 'boolean') throw typeMismatch('a boolean', item);
      writer.boolean(item);
    }
  },
  read(reader, count) {
    const items: boolean[] = [];
    for (const byte of reader.view(count)) items.push(byte !== 0);
    return items;
  },
  writeDefaults: (writer, count) => writer.bytes(new Uint8Array(count)),
};

const STRINGS: Elements = {
  minBytes: 1,
  nodesPerElement: 1,
  lengthOf: (value) => requireList(value, 'strings').length,
  write(writer, value) {
    for (const item of requireList(value, 'strings')) {
      if (typeof item !== 'string') throw typeMismatch('a string', item);
      writer.string(item);
    }
  },
  read(reader, count) {
    const items: string[] = [];
    for (let index = 0; index < count; index++) items.push(reader.string());
    return items;
  },
  writeDefaults: (writer, count) => writer.bytes(new Uint8Array(count)),
};

export function requireList(value: PvValue, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw typeMismatch(`a list of ${what}`, value);
  return value;
}
