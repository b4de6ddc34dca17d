// Which fields does a mask name, for a person or a program that does not count bits?

import type { BitSet } from '../bit-set.ts';
import type { StructureType } from '../types/type-desc.ts';

/**
 * Paths such as `value` or `alarm.severity`, in field order. A structure that is selected as a whole is named alone; of
 * the outermost one, which has no name, the fields are.
 */
export function fieldPaths(type: StructureType, mask: BitSet): string[] {
  const paths: string[] = [];

  function collect(structure: StructureType, prefix: string, bit: number): void {
    let next = bit + 1;
    for (const { name, type } of structure.fields) {
      const path = `${prefix}${name}`;
      if (mask.has(0) || mask.has(next)) paths.push(path);
      else if (type.kind === 'structure' && mask.hasAny(next, next + type.bitCount)) collect(type, `${path}.`, next);
      next += type.bitCount;
    }
  }

  collect(type, '', 0);
  return paths;
}
