// Which posts are too small to be told? Those whose value has hardly moved since the last one that was.
//
// As MDEL of records (EPICS Record Reference, "Monitor Parameters"): a value is told when it differs from the last one
// told by more than the deadband, or when either of them is no finite number and they are not the same; changes of the
// alarm are always told. There is nothing like ADEL: pvAccess has no second kind of subscriber for archivers.

import { BitSet } from '../../protocol/bit-set.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { PvValue, StructureValue } from '../../protocol/types/value-of.ts';
import type { ChannelUpdate } from '../channel.ts';
import { fieldOf, isChanged, structureIn, type PlacedField } from '../standard-fields.ts';
import { distance, numbersIn, type AnyNumber } from './exact-number.ts';

/** Fields that alone are no reason to tell anybody; the alarm is one when it is not the same any more. */
const QUIET_FIELDS = ['value', 'timeStamp', 'alarm'];

export class Deadband {
  readonly #deadband: number;
  readonly #quiet = BitSet.empty();
  readonly #value: PlacedField;
  #told: StructureValue | undefined;
  /** Whether what was told was a value, and not the default of one that was never set. */
  #hasToldValue = false;
  /** What has changed since the last telling. */
  #withheld: BitSet | undefined;

  /** @throws LocalProtocolError when the type holds no numbers, or the deadband is negative or NaN */
  constructor(type: StructureType, deadband: number) {
    if (!(deadband >= 0)) throw new LocalProtocolError(`deadband is ${deadband}; a number not below 0 is expected`);
    const value = fieldOf(type, 'value');
    const scalar = value?.type.kind === 'scalar' || value?.type.kind === 'scalarArray' ? value.type.scalar : 'string';
    if (value === undefined || scalar === 'string' || scalar === 'boolean')
      throw new LocalProtocolError('deadband: the type has no field value that holds numbers');
    this.#deadband = deadband;
    this.#value = value;
    for (const name of QUIET_FIELDS) {
      const field = fieldOf(type, name);
      if (field !== undefined) this.#quiet.addRange(field.bit, field.bit + field.type.bitCount);
    }
  }

  /** What subscribers are to be told of an update: nothing yet, or all that has changed since they were told last. */
  toTell(update: ChannelUpdate): ChannelUpdate | undefined {
    if (this.#isSmall(update)) {
      this.#withheld = (this.#withheld ?? BitSet.empty()).or(update.changed);
      return undefined;
    }
    this.#told = update.value;
    this.#hasToldValue ||= isChanged(update, this.#value);
    if (this.#withheld === undefined) return update;
    const changed = this.#withheld.or(update.changed);
    this.#withheld = undefined;
    return { changed, value: update.value };
  }

  #isSmall(update: ChannelUpdate): boolean {
    const { changed, value } = update;
    const told = this.#told;
    if (!this.#hasToldValue && isChanged(update, this.#value)) return false;
    if (told === undefined || !changed.clone().and(this.#quiet).equals(changed)) return false;
    return isAlarmKept(told, value) && this.#isNear(told['value'], value['value']);
  }

  #isNear(told: PvValue | undefined, now: PvValue | undefined): boolean {
    if (told === now) return true;
    const [before, after] = [numbersIn(told), numbersIn(now)];
    if (before.length !== after.length) return false;
    for (let index = 0; index < after.length; index++) {
      if (isFarther(before[index], after[index], this.#deadband)) return false;
    }
    return true;
  }
}

function isFarther(one: AnyNumber | undefined, other: AnyNumber | undefined, deadband: number): boolean {
  // `Object.is` for NaN, `===` for the two zeros: neither is a change.
  if (one === undefined || other === undefined || one === other || Object.is(one, other)) return false;
  return !(distance(one, other) <= deadband) || !Number.isFinite(Number(one)) || !Number.isFinite(Number(other));
}

function isAlarmKept(told: StructureValue, now: StructureValue): boolean {
  const [before, after] = [structureIn(told, 'alarm'), structureIn(now, 'alarm')];
  return ['severity', 'status', 'message'].every((name) => before[name] === after[name]);
}
