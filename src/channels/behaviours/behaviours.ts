// What does a PV do by itself with what is put and posted? Each behaviour is a file beside this one; here is their order.
//
// A put: control limits. A post: alarm, then time stamp; then the deadband decides whether it is told.

import { BitSet } from '../../protocol/bit-set.ts';
import { LocalProtocolError } from '../../protocol/errors.ts';
import { NO_ALARM, type Alarm } from '../../protocol/normative/alarm.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import type { Clock } from '../../transport/clocks.ts';
import type { ChannelUpdate, PutRequest } from '../channel.ts';
import { PutWith } from '../request-with.ts';
import { worseAlarm } from '../limit-alarm.ts';
import { fieldOf, isChanged, isScalar, stamped, structureIn, type PlacedField } from '../standard-fields.ts';
import { ControlLimits, type ControlMode } from './control-limits.ts';
import { Deadband } from './deadband.ts';
import { ValueAlarm } from './value-alarm.ts';

/** None of it is on unless it is asked for; what a PV shows in its fields and what it does are two things. */
export interface BehaviourOptions {
  /**
   * Holds puts against `control.limitLow`, `limitHigh` and `minStep`, as long as `limitHigh` is above `limitLow`; NaN is
   * refused in both modes. `minStep` is for one number, the limits are for each number of an array.
   */
  readonly control?: ControlMode;
  /**
   * Has `valueAlarm` set `alarm` with each new value, hysteresis included; severity 0 switches a limit off and `active`
   * all. A post that brings an alarm of its own keeps it; a put does not.
   */
  readonly limitAlarms?: boolean;
  /**
   * Subscribers are not told of a value that differs from the last one told by no more than this, in the value's unit,
   * unless the alarm or another field changes; 0 for those that do not differ. Readers get every value.
   */
  readonly deadband?: number;
  /** 'auto' gives the time of the clock to every put and post that brings none; 'given', the default, leaves it to them. */
  readonly timeStamps?: 'auto' | 'given';
}

export class Behaviours {
  readonly #type: StructureType;
  readonly #clock: Clock;
  readonly #control: ControlLimits | undefined;
  readonly #valueAlarm: ValueAlarm | undefined;
  readonly #deadband: Deadband | undefined;
  readonly #stamps: boolean;
  readonly #alarm: AlarmPlace | undefined;

  /** @throws LocalProtocolError when the type lacks the fields that an option needs */
  constructor(type: StructureType, options: BehaviourOptions, clock: Clock) {
    const { control, limitAlarms, deadband, timeStamps } = options;
    this.#type = type;
    this.#clock = clock;
    this.#alarm = alarmPlace(type);
    this.#control = control && new ControlLimits(type, control);
    this.#valueAlarm = limitAlarms === true ? new ValueAlarm(type) : undefined;
    this.#deadband = deadband === undefined ? undefined : new Deadband(type, deadband);
    this.#stamps = timeStamps === 'auto';
    if (limitAlarms === true && this.#alarm === undefined)
      throw new LocalProtocolError('limitAlarms: the type has no field alarm');
  }

  /** The behaviours that options ask for, if they ask for any. */
  static of(type: StructureType, options: BehaviourOptions, clock: Clock): Behaviours | undefined {
    const { control, limitAlarms, deadband, timeStamps } = options;
    if (control === undefined && limitAlarms === undefined && deadband === undefined && timeStamps === undefined) {
      return undefined;
    }
    // Limits and deadbands remember what was told last; all else is the same for every PV of the type.
    const isOwn = limitAlarms === true || deadband !== undefined;
    return isOwn ? new Behaviours(type, options, clock) : sharedBehaviours(type, options, clock);
  }

  /**
   * What of a put reaches its handler.
   * @throws PvaError OUT_OF_RANGE
   */
  admit(put: PutRequest, current: StructureValue): PutRequest {
    const admitted = this.#withoutAlarm(put, current);
    return this.#control?.admit(admitted, current) ?? admitted;
  }

  /** An update with what follows from it; `atLeast` is an alarm that the PV is to have unless it has a worse one. */
  complete(update: ChannelUpdate, before: ChannelUpdate, atLeast?: Alarm): ChannelUpdate {
    const judged = this.#withAlarm(update, before, atLeast);
    return this.#stamps ? stamped(this.#type, judged, this.#clock.wallTime()) : judged;
  }

  /** An update comes completed: hysteresis goes by the alarm that it brings, here as where it was completed. */
  recall(update: ChannelUpdate): void {
    if (this.#valueAlarm?.concerns(update) === true) this.#valueAlarm.recall(alarmIn(update.value));
  }

  /** What subscribers are to be told of an update that has taken effect, if anything. */
  toTell(update: ChannelUpdate): ChannelUpdate | undefined {
    this.#valueAlarm?.follow(update);
    return this.#deadband === undefined ? update : this.#deadband.toTell(update);
  }

  /** Some clients put back all that they have read: the alarm of the value before is not that of the value they put. */
  #withoutAlarm(put: PutRequest, current: StructureValue): PutRequest {
    const field = this.#alarm?.field;
    if (field === undefined || this.#valueAlarm?.changesValue(put) !== true || !isChanged(put, field)) return put;
    const changed = put.changed.clone();
    for (let bit = field.bit; bit < field.bit + field.type.bitCount; bit++) changed.delete(bit);
    return new PutWith(put, changed, { ...put.value, alarm: structureIn(current, 'alarm') });
  }

  #withAlarm(update: ChannelUpdate, before: ChannelUpdate, atLeast: Alarm | undefined): ChannelUpdate {
    const place = this.#alarm;
    if (place === undefined) return update;
    const isBrought = isChanged(update, place.field);
    const judged = !isBrought && this.#valueAlarm?.concerns(update) === true;
    if (atLeast === undefined && !judged) return update;
    const shown = alarmIn(update.value);
    let own = isBrought ? shown : NO_ALARM;
    if (judged) own = this.#valueAlarm.judge(update.value);
    const alarm = atLeast === undefined ? own : worseAlarm(own, atLeast);
    // An alarm that was never set is to be told, even that there is none.
    if (isSameAlarm(shown, alarm) && (isBrought || isChanged(before, place.field))) return update;
    const changed = update.changed.clone().or(place.leaves);
    return { changed, value: { ...update.value, alarm: { ...structureIn(update.value, 'alarm'), ...alarm } } };
  }
}

/** The alarm of a value; none where there is no such field. */
export function alarmIn(value: StructureValue): Alarm {
  const { severity, status, message } = structureIn(value, 'alarm');
  return {
    severity: typeof severity === 'number' ? severity : NO_ALARM.severity,
    status: typeof status === 'number' ? status : NO_ALARM.status,
    message: typeof message === 'string' ? message : NO_ALARM.message,
  };
}

function isSameAlarm(one: Alarm, other: Alarm): boolean {
  return one.severity === other.severity && one.status === other.status && one.message === other.message;
}

/** By type and clock, and those by their options: a server may have a hundred thousand PVs and a handful of types. */
const shared = new WeakMap<StructureType, WeakMap<Clock, Map<string, Behaviours>>>();

function sharedBehaviours(type: StructureType, options: BehaviourOptions, clock: Clock): Behaviours {
  let byClock = shared.get(type);
  if (byClock === undefined) shared.set(type, (byClock = new WeakMap<Clock, Map<string, Behaviours>>()));
  let byOptions = byClock.get(clock);
  if (byOptions === undefined) byClock.set(clock, (byOptions = new Map<string, Behaviours>()));
  const key = `${options.control} ${options.timeStamps}`;
  let behaviours = byOptions.get(key);
  if (behaviours === undefined) byOptions.set(key, (behaviours = new Behaviours(type, options, clock)));
  return behaviours;
}

interface AlarmPlace {
  readonly field: PlacedField;
  /** The bits of what an alarm consists of. */
  readonly leaves: BitSet;
}

const alarmPlaces = new WeakMap<StructureType, { readonly place: AlarmPlace | undefined }>();

function alarmPlace(type: StructureType): AlarmPlace | undefined {
  let known = alarmPlaces.get(type);
  if (known === undefined) alarmPlaces.set(type, (known = { place: findAlarm(type) }));
  return known.place;
}

/** A field `alarm` that is an `alarm_t`. */
function findAlarm(type: StructureType): AlarmPlace | undefined {
  const field = fieldOf(type, 'alarm');
  if (field?.type.kind !== 'structure') return undefined;
  const leaves = BitSet.empty();
  for (const [name, scalar] of Object.entries({ severity: 'int', status: 'int', message: 'string' })) {
    const leaf = fieldOf(field.type, name);
    if (leaf === undefined || !isScalar(leaf.type, scalar)) return undefined;
    leaves.add(field.bit + leaf.bit);
  }
  return { field, leaves };
}
