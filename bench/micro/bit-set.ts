// How fast are the sets of bits that say which fields a message carries? Beside a `Set` of numbers.

import { BitSet } from '#src/protocol/bit-set.js';
import { Reader } from '#src/protocol/reader.js';
import { Writer } from '#src/protocol/writer.js';
import { times, type Line } from './subject.ts';

const OPERATIONS = 1_000;
/** Value, alarm and time of an NTScalar with limits. */
const CHANGED = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const MASK = [1, 6, 7, 8, 9, 20, 21];

export function bitSet(): readonly Line[] {
  const changed = BitSet.from(CHANGED);
  const mask = BitSet.from(MASK);
  const changedSet = new Set(CHANGED);
  const maskSet = new Set(MASK);
  const writer = new Writer(false);
  changed.encode(writer);
  const bytes = writer.copy();
  const fastPath = 'BitSet: words of 32 bits';
  return [
    {
      name: 'bit set: part that is selected',
      fastPath,
      operations: OPERATIONS,
      run: times(OPERATIONS, () => changed.clone().and(mask).size),
      plain: times(OPERATIONS, () => new Set([...changedSet].filter((bit) => maskSet.has(bit))).size),
    },
    {
      name: 'bit set: has a selected one',
      fastPath,
      operations: OPERATIONS,
      run: times(OPERATIONS, () => changed.intersects(mask)),
      plain: times(OPERATIONS, () => [...changedSet].some((bit) => maskSet.has(bit))),
    },
    {
      name: 'bit set: encode',
      fastPath,
      operations: OPERATIONS,
      run: times(OPERATIONS, () => {
        writer.truncate(0);
        changed.encode(writer);
        return writer.length;
      }),
      plain: times(OPERATIONS, () => plainBytes(changedSet).length),
    },
    {
      name: 'bit set: decode',
      fastPath,
      operations: OPERATIONS,
      run: times(OPERATIONS, () => BitSet.decode(new Reader(bytes, false)).size),
      plain: times(OPERATIONS, () => plainSet(bytes).size),
    },
  ];
}

function plainBytes(bits: ReadonlySet<number>): number[] {
  const bytes: number[] = [];
  for (const bit of bits) {
    const index = bit >> 3;
    while (bytes.length <= index) bytes.push(0);
    bytes[index] = (bytes[index] ?? 0) | (1 << (bit & 7));
  }
  return [bytes.length, ...bytes];
}

function plainSet(bytes: Uint8Array): Set<number> {
  const bits = new Set<number>();
  for (const [index, byte] of bytes.subarray(1).entries()) {
    for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) bits.add(index * 8 + bit);
  }
  return bits;
}
