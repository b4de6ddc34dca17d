// Do masks of any form become the one form that names leaves only?
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BitSet } from '../../src/protocol/bit-set.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { allLeaves, leafMask } from '../../src/protocol/values/leaf-mask.ts';
import { masksOf, structureTypes } from '../support/arbitraries.ts';

/** The plain way: each leaf counts whose own bit is set, or that of a structure around it. */
function naiveLeaves(type: TypeDesc, mask: BitSet, bit = 0, isInside = false): number[] {
  const isSelected = isInside || mask.has(bit);
  if (type.kind !== 'structure' || type.fields.length === 0) return isSelected ? [bit] : [];
  let at = bit + 1;
  return type.fields.flatMap((field) => {
    const own = at;
    at += field.type.bitCount;
    return naiveLeaves(field.type, mask, own, isSelected);
  });
}

test('any mask selects the leaves that a walk through the type finds, and stays as it was', () => {
  const cases = structureTypes().chain((type) =>
    fc.tuple(fc.constant(type), masksOf(type), fc.array(fc.nat(200), { maxLength: 3 })),
  );
  fc.assert(
    fc.property(cases, ([type, mask, more]) => {
      for (const bit of more) mask.add(bit);
      const before = mask.clone();
      const leaves = leafMask(type, mask);
      expect([...leaves]).toEqual(naiveLeaves(type, mask));
      expect(leafMask(type, leaves).equals(leaves)).toBe(true);
      leaves.clear();
      expect(mask.equals(before)).toBe(true);
      expect([...allLeaves(type)]).toEqual(naiveLeaves(type, BitSet.of(0)));
    }),
    { numRuns: 500 },
  );
});
