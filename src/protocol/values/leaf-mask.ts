// Which leaves does a mask stand for? A structure's bit stands for all below it, so masks have many forms; the one that
// names leaves only is unique, and unions and intersections of it are plain.

import { BitSet } from '../bit-set.ts';
import type { StructureType, TypeDesc } from '../types/type-desc.ts';

/** Bits of a structure: its own, and the first that is no longer its. */
interface Span {
  readonly bit: number;
  readonly end: number;
}

/** What is known of a type once it was asked for. */
interface Levels {
  /** Outer structures before inner ones. */
  readonly spans: readonly Span[];
  readonly leaves: BitSet;
}

const levels = new WeakMap<StructureType, Levels>();

/**
 * The leaves that `mask` selects, as a new set; bits past the type are dropped. A structure without fields has no
 * leaves and counts as one itself.
 */
export function leafMask(type: StructureType, mask: BitSet): BitSet {
  const known = levelsOf(type);
  // What clients put nearly always is.
  return known.leaves.includes(mask) ? mask.clone() : expanded(type, known.spans, mask);
}

/** All leaves of a type. */
export function allLeaves(type: StructureType): BitSet {
  return levelsOf(type).leaves.clone();
}

function expanded(type: StructureType, spans: readonly Span[], mask: BitSet): BitSet {
  const leaves = mask.clone();
  for (let bit = leaves.next(type.bitCount); bit !== -1; bit = leaves.next(bit + 1)) leaves.delete(bit);
  // Outer structures stand before inner ones, so one pass carries a bit down through all levels.
  for (const { bit, end } of spans) {
    if (!leaves.has(bit)) continue;
    leaves.delete(bit).addRange(bit + 1, end);
  }
  return leaves;
}

function levelsOf(type: StructureType): Levels {
  let known = levels.get(type);
  if (known === undefined) {
    const spans: Span[] = [];
    collect(type, 0, spans);
    known = { spans, leaves: expanded(type, spans, BitSet.of(0)) };
    levels.set(type, known);
  }
  return known;
}

function collect(type: TypeDesc, bit: number, found: Span[]): void {
  if (type.kind !== 'structure' || type.bitCount === 1) return;
  found.push({ bit, end: bit + type.bitCount });
  let at = bit + 1;
  for (const field of type.fields) {
    collect(field.type, at, found);
    at += field.type.bitCount;
  }
}
