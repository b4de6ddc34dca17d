// How fast do a million doubles become bytes and back? Beside a loop over a DataView, which is what is done without a
// fast path.

import { Reader } from '#src/protocol/reader.js';
import { arrayOf, double } from '#src/protocol/types/type-desc.js';
import { encodeType, TypeReceiver } from '#src/protocol/types/wire.js';
import { codecOf } from '#src/protocol/values/codec.js';
import { Writer } from '#src/protocol/writer.js';
import type { Line } from './subject.ts';

const LENGTH = 1_000_000;
const ELEMENT_BYTES = 8;
/** A size past 253: a mark and 32 bits. */
const SIZE_BYTES = 5;

export function arrays(): readonly Line[] {
  return [...linesOf(false), ...linesOf(true)];
}

function linesOf(bigEndian: boolean): readonly Line[] {
  const order = bigEndian ? 'big endian' : 'little endian';
  const codec = codecOf(arrayOf(double));
  const numbers = Float64Array.from({ length: LENGTH }, (_, index) => index / 2);
  const bytes = encoded(numbers, bigEndian);
  const writer = new Writer(bigEndian, bytes.length);
  const target = new Uint8Array(bytes.length);
  const types = new TypeReceiver();
  const fastPath = bigEndian ? 'byte-swap.ts: in bulk, on 64-bit words' : 'array-codec.ts: one copy of the buffer';
  return [
    {
      name: `1e6 doubles: encode, ${order}`,
      fastPath,
      operations: 1,
      run: () => {
        writer.truncate(0);
        codec.encode(writer, numbers, encodeType);
        return writer.view().subarray(SIZE_BYTES);
      },
      plain: () => {
        const view = new DataView(target.buffer);
        for (let index = 0; index < LENGTH; index++) {
          view.setFloat64(SIZE_BYTES + index * ELEMENT_BYTES, numbers[index] ?? 0, !bigEndian);
        }
        return target.subarray(SIZE_BYTES);
      },
    },
    {
      name: `1e6 doubles: decode, ${order}`,
      fastPath,
      operations: 1,
      run: () => codec.decode(new Reader(bytes, bigEndian), types),
      plain: () => {
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const read = new Float64Array(LENGTH);
        for (let index = 0; index < LENGTH; index++) {
          read[index] = view.getFloat64(SIZE_BYTES + index * ELEMENT_BYTES, !bigEndian);
        }
        return read;
      },
    },
  ];
}

function encoded(numbers: Float64Array, bigEndian: boolean): Uint8Array {
  const writer = new Writer(bigEndian);
  codecOf(arrayOf(double)).encode(writer, numbers, encodeType);
  return writer.copy();
}
