// Which bit does each field of a structure have in a BitSet?
//
// Spec: Protocol-Encoding, "Partial Structure Serialization": depth first, a structure's own bit before its fields'.

import type { StructureType } from './type-desc.ts';

const known = new WeakMap<StructureType, readonly number[]>();

/** The bit of each field in order, counted from the structure's own. */
export function fieldBits(type: StructureType): readonly number[] {
  let bits = known.get(type);
  if (bits === undefined) {
    let next = 1;
    bits = type.fields.map((field) => {
      const bit = next;
      next += field.type.bitCount;
      return bit;
    });
    known.set(type, bits);
  }
  return bits;
}
