// Which fields of a normative structure does a server fill in or check by itself? The time stamp, and an enum's index.

import { BitSet } from '../protocol/bit-set.ts';
import { LocalProtocolError, PvaError } from '../protocol/errors.ts';
import { timeStamp } from '../protocol/normative/time-stamp.ts';
import { fieldBits } from '../protocol/types/field-bits.ts';
import { isEnum } from '../protocol/types/normative-kind.ts';
import type { StructureType, TypeDesc } from '../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../protocol/types/value-of.ts';
import { anyCodecOf } from '../protocol/values/codec.ts';
import { enumIndex } from '../protocol/values/enum-index.ts';
import type { ChannelUpdate } from './channel.ts';

/** Enough of a `time_t` to be set, whatever else stands in it. */
const SECONDS = 'secondsPastEpoch';
const NANOSECONDS = 'nanoseconds';

/** The update with its time stamp set to `wallTimeMs`, unless the type has none or the update brings one itself. */
export function stamped(type: StructureType, update: ChannelUpdate, wallTimeMs: number): ChannelUpdate {
  const field = fieldOf(type, 'timeStamp');
  if (field?.type.kind !== 'structure') return update;
  if (isChanged(update, field)) return update;
  const seconds = fieldOf(field.type, SECONDS);
  const nanoseconds = fieldOf(field.type, NANOSECONDS);
  if (!isScalar(seconds?.type, 'long') || !isScalar(nanoseconds?.type, 'int')) return update;
  const now = timeStamp(wallTimeMs);
  const before = structureIn(update.value, 'timeStamp');
  const stamp = { ...before, [SECONDS]: now.secondsPastEpoch, [NANOSECONDS]: now.nanoseconds };
  const changed = update.changed.clone();
  for (const stampField of [seconds, nanoseconds])
    if (stampField !== undefined) changed.add(field.bit + stampField.bit);
  return { changed, value: { ...update.value, timeStamp: stamp } };
}

/**
 * Refuses an enum whose index names none of its choices, and choices other than those that there are: whoever serves
 * an enum says what there is to choose.
 * @throws LocalProtocolError
 */
export function requireChoice(type: StructureType, update: ChannelUpdate, current: StructureValue): void {
  const field = fieldOf(type, 'value');
  if (field === undefined || !isEnum(field.type)) return;
  if (!isChanged(update, field)) return;
  const value = structureIn(update.value, 'value');
  const index = value['index'];
  const labels = textsIn(value['choices']);
  const offered = textsIn(structureIn(current, 'value')['choices']);
  if (offered.length > 0 && (labels.length !== offered.length || labels.some((label, at) => label !== offered[at]))) {
    throw new LocalProtocolError('value.choices: the choices cannot be written, only value.index');
  }
  try {
    enumIndex(labels, index);
  } catch (thrown) {
    if (thrown instanceof PvaError) throw new LocalProtocolError(`value.index: ${thrown.message}`, { cause: thrown });
    throw thrown;
  }
}

/** The default value of a type, no leaf of it set. */
export function unset(type: StructureType): ChannelUpdate {
  return { changed: BitSet.empty(), value: requireStructure(anyCodecOf(type).defaultValue()) };
}

/** The value of a structure type, which is a structure. */
export function requireStructure(value: PvValue): StructureValue {
  if (!isStructure(value)) throw new LocalProtocolError('the value of a structure type is no structure');
  return value;
}

/** Where a type promises a structure, what looks like this is one. */
function isStructure(value: PvValue | undefined): value is StructureValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** The structure of that name inside of a value; one without fields where there is none. */
export function structureIn(value: StructureValue, name: string): StructureValue {
  const found = value[name];
  return isStructure(found) ? found : {};
}

/** A field and its bit, counted from the structure's own. */
export interface PlacedField {
  readonly type: TypeDesc;
  readonly bit: number;
}

export function fieldOf(type: StructureType, name: string): PlacedField | undefined {
  const index = type.indexOf.get(name) ?? -1;
  const field = type.fields[index];
  const bit = fieldBits(type)[index];
  return field === undefined || bit === undefined ? undefined : { type: field.type, bit };
}

/** Whether an update changes a field of the outermost structure, or a part of it. */
export function isChanged({ changed }: ChannelUpdate, { type, bit }: PlacedField): boolean {
  return changed.hasAny(bit, bit + type.bitCount);
}

export function isScalar(type: TypeDesc | undefined, scalar: string): boolean {
  return type?.kind === 'scalar' && type.scalar === scalar;
}

function textsIn(value: PvValue | undefined): readonly string[] {
  const items: unknown = value;
  return Array.isArray(items) ? items.filter((item) => typeof item === 'string') : [];
}
