// What does one reading or change of a value consist of?

import type { BitSet } from '../bit-set.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';

/** A full value and the bits of the fields that mean something; the others hold defaults or what was kept. */
export interface Update<V = PvValue> {
  readonly changed: BitSet;
  readonly value: V;
}

/** An update that brings the type of its value along, as messages carry it. */
export interface TypedUpdate<V = PvValue> extends Update<V> {
  readonly type: TypeDesc;
}
