// How does `valueAlarm` set `alarm`? Each new value is held against the limits that the PV shows at that moment.

import { LocalProtocolError } from '../../protocol/errors.ts';
import { NO_ALARM, type Alarm } from '../../protocol/normative/alarm.ts';
import type { StructureType } from '../../protocol/types/type-desc.ts';
import type { StructureValue } from '../../protocol/types/value-of.ts';
import type { ChannelUpdate } from '../channel.ts';
import { alarmLimitsOf, limitAlarm } from '../limit-alarm.ts';
import { fieldOf, isChanged, structureIn, type PlacedField } from '../standard-fields.ts';
import { isNumber } from './exact-number.ts';

export class ValueAlarm {
  readonly #value: PlacedField;
  readonly #limits: PlacedField;
  /** The alarm of a limit that the value has, which hysteresis goes by; that of the PV may be what somebody else wrote. */
  #before: Alarm = NO_ALARM;

  /** @throws LocalProtocolError when the type has no number, no `valueAlarm` or no `alarm` */
  constructor(type: StructureType) {
    const value = fieldOf(type, 'value');
    const limits = fieldOf(type, 'valueAlarm');
    const isOneNumber =
      value?.type.kind === 'scalar' && value.type.scalar !== 'string' && value.type.scalar !== 'boolean';
    if (!isOneNumber) throw new LocalProtocolError('limitAlarms: the type has no field value that is one number');
    if (limits?.type.kind !== 'structure')
      throw new LocalProtocolError(
        'limitAlarms: the type has no field valueAlarm; ntScalar(..., { valueAlarm: true }) has one',
      );
    this.#value = value;
    this.#limits = limits;
  }

  /** Whether an update brings a new value or new limits. */
  concerns(update: ChannelUpdate): boolean {
    return isChanged(update, this.#value) || isChanged(update, this.#limits);
  }

  changesValue(update: ChannelUpdate): boolean {
    return isChanged(update, this.#value);
  }

  /** The alarm that a full value would have after the one that there is. */
  judge(full: StructureValue): Alarm {
    const { value } = full;
    const valueAlarm = structureIn(full, 'valueAlarm');
    const isJudged = valueAlarm['active'] === true && isNumber(value);
    return isJudged ? limitAlarm(value, alarmLimitsOf(valueAlarm), this.#before) : NO_ALARM;
  }

  /** An update has taken effect. */
  follow(update: ChannelUpdate): void {
    if (this.concerns(update)) this.#before = this.judge(update.value);
  }

  /** The next update was judged elsewhere, where the value before it may have been another: it had this alarm then. */
  recall(alarm: Alarm): void {
    this.#before = alarm;
  }
}
