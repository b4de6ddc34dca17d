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

/** Where a type has what a server looks at; found once, because puts come by the hundred thousand in a second. */
interface StandardPlaces {
  /** A field `timeStamp` with the leaves of a `time_t`. */
  readonly stamp: StampPlace | undefined;
  /** A field `value` that is an enum. */
  readonly enumValue: PlacedField | undefined;
}

interface StampPlace {
  readonly field: PlacedField;
  /** Bits of seconds and nanoseconds, counted from the outermost structure's own. */
  readonly leaves: BitSet;
  /** Whether it is a `time_t` and nothing more: its three fields in their order. */
  readonly isPlain: boolean;
}

const places = new WeakMap<StructureType, StandardPlaces>();

function placesOf(type: StructureType): StandardPlaces {
  let known = places.get(type);
  if (known === undefined) {
    const value = fieldOf(type, 'value');
    known = {
      stamp: stampPlace(fieldOf(type, 'timeStamp')),
      enumValue: value !== undefined && isEnum(value.type) ? value : undefined,
    };
    places.set(type, known);
  }
  return known;
}

/** Enough of a `time_t` to be set, whatever else stands in it. */
function stampPlace(field: PlacedField | undefined): StampPlace | undefined {
  if (field?.type.kind !== 'structure') return undefined;
  const seconds = fieldOf(field.type, 'secondsPastEpoch');
  const nanoseconds = fieldOf(field.type, 'nanoseconds');
  if (seconds === undefined || nanoseconds === undefined) return undefined;
  if (!isScalar(seconds.type, 'long') || !isScalar(nanoseconds.type, 'int')) return undefined;
  return {
    field,
    leaves: BitSet.of(field.bit + seconds.bit, field.bit + nanoseconds.bit),
    isPlain: field.type.fields.map(({ name }) => name).join() === 'secondsPastEpoch,nanoseconds,userTag',
  };
}

/** The update with its time stamp set to `wallTimeMs`, unless the type has none or the update brings one itself. */
export function stamped(type: StructureType, update: ChannelUpdate, wallTimeMs: number): ChannelUpdate {
  const { stamp } = placesOf(type);
  if (stamp === undefined || isChanged(update, stamp.field)) return update;
  const value: Record<string, PvValue> = { ...update.value };
  value['timeStamp'] = stampOver(structureIn(update.value, 'timeStamp'), stamp, wallTimeMs);
  return { changed: update.changed.clone().or(stamp.leaves), value };
}

/** V8 takes 3 ns to write three fields down, 45 to copy them, and 200 to copy them and set some in one expression. */
function stampOver(before: StructureValue, { isPlain }: StampPlace, wallTimeMs: number): StructureValue {
  const { secondsPastEpoch, nanoseconds } = timeStamp(wallTimeMs);
  if (!isPlain) return { ...before, secondsPastEpoch, nanoseconds };
  return { secondsPastEpoch, nanoseconds, userTag: before['userTag'] ?? 0 };
}

/**
 * Refuses an enum whose index names none of its choices, and choices other than those that there are: whoever serves
 * an enum says what there is to choose.
 * @throws LocalProtocolError
 */
export function requireChoice(type: StructureType, update: ChannelUpdate, current: StructureValue): void {
  const field = placesOf(type).enumValue;
  if (field === undefined || !isChanged(update, field)) return;
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
