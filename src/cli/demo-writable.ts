// The demo PVs that clients write or call. Each says no with a sentence to what it cannot take.

import {
  limitAlarm,
  SharedPV,
  valueAlarmOf,
  type AlarmLimits,
  type CallRequest,
  type Channel,
  type Clock,
  type PutRequest,
} from '../index.ts';
import {
  alarm,
  DISPLAY_FORMS,
  double,
  enumLabel,
  enumValue,
  long,
  LocalProtocolError,
  NO_ALARM,
  ntEnum,
  ntScalar,
  string,
  timeStamp,
  type AnyValue,
  type PvValue,
} from '../protocol/index.ts';
import type { DemoPv } from './demo-pv.ts';

// --- numbers and text ------------------------------------------------------------------------------------------

/** One more than a double can count to, so that whoever goes through one is found out. */
const PAST_DOUBLES = 9_007_199_254_740_993n;
const INT64_SHOWN = 10_000_000_000_000_000n;

export function int64Pv(clock: Clock): DemoPv {
  const limits = { limitLow: -INT64_SHOWN, limitHigh: INT64_SHOWN };
  const display = { ...limits, description: 'a whole number of 64 bits; write any', units: 'counts' };
  const initial = { value: PAST_DOUBLES, alarm: NO_ALARM, display, timeStamp: timeStamp(clock.wallTime()) };
  return { pv: SharedPV.mailbox(ntScalar(long, { display: true }), { initial, clock }) };
}

export function stringPv(clock: Clock): DemoPv {
  const display = { description: 'a text; write any', units: '' };
  const initial = { value: 'hello from pvkit', alarm: NO_ALARM, display, timeStamp: timeStamp(clock.wallTime()) };
  return { pv: SharedPV.mailbox(ntScalar(string, { display: true }), { initial, clock }) };
}

const LOWEST = 0;
const HIGHEST = 100;
const SETPOINT_LEVELS: AlarmLimits = { low: 5, lowWarning: 10, highWarning: 60, high: 80 };

/** Takes 0 to 100, and is in alarm at both ends of that. */
export function setpointPv(clock: Clock): DemoPv {
  const stateOf = (value: number) => ({
    value,
    alarm: limitAlarm(value, SETPOINT_LEVELS),
    timeStamp: timeStamp(clock.wallTime()),
  });
  const type = ntScalar(double, { form: true, control: true, valueAlarm: true });
  const limits = { limitLow: LOWEST, limitHigh: HIGHEST };
  const pv = new SharedPV(type, {
    initial: {
      display: {
        ...limits,
        description: 'a setpoint from 0 to 100; write one',
        units: 'C',
        precision: 2,
        form: { index: 0, choices: DISPLAY_FORMS },
      },
      control: { ...limits, minStep: 0.01 },
      valueAlarm: valueAlarmOf(SETPOINT_LEVELS),
    },
    onPut: (put, setpoint) => {
      const value = putValue(put, setpoint);
      // The type makes it a number; NaN is none that can be set.
      if (typeof value !== 'number') return;
      if (!(value >= LOWEST && value <= HIGHEST)) {
        throw new LocalProtocolError(`value ${value} is outside of the limits ${LOWEST} to ${HIGHEST} C`);
      }
      setpoint.post(stateOf(value));
    },
  });
  pv.post(stateOf(21.5));
  return { pv };
}

// --- enum ------------------------------------------------------------------------------------------------------

const CHOICES = ['Off', 'Standby', 'On', 'Tripped'];

/** Being `Tripped` is an alarm. */
export function enumPv(clock: Clock): DemoPv {
  const stateOf = (index: number) => {
    const value = enumValue(CHOICES, index);
    const isTripped = enumLabel(value) === 'Tripped';
    return {
      value,
      alarm: isTripped ? alarm('MAJOR', 'DEVICE', 'STATE') : NO_ALARM,
      timeStamp: timeStamp(clock.wallTime()),
    };
  };
  const pv = new SharedPV(ntEnum, {
    initial: { display: { description: `one of ${CHOICES.join(', ')}; write one` } },
    onPut: (put, state) => state.post(stateOf(Number(member(putValue(put, state), 'index')))),
  });
  pv.post(stateOf(2));
  return { pv };
}

/** The value field of a put; these PVs have nothing else to write. */
function putValue(put: PutRequest, pv: Channel): PvValue | undefined {
  // `value` is the first field of every normative type used here; its bits follow that of the whole.
  const bitCount = pv.type.fields[0]?.type.bitCount ?? 0;
  if (!put.changed.hasAny(1, 1 + bitCount)) throw new LocalProtocolError('only the field value can be written');
  return put.value['value'];
}

// --- service ---------------------------------------------------------------------------------------------------

/** Display limits; some tools show NaN where a number was never sent. */
const SUM_SHOWN = 100;
const sumType = ntScalar(double, { display: true });

/** Answers `lhs` and `rhs` with their sum; as a PV it shows the last one. */
export function addService(clock: Clock): DemoPv {
  const limits = { limitLow: -SUM_SHOWN, limitHigh: SUM_SHOWN };
  const display = { ...limits, description: 'call it with lhs and rhs; shows the last sum', units: '' };
  const pv = new SharedPV(sumType, {
    initial: { value: 0, alarm: NO_ALARM, display, timeStamp: timeStamp(clock.wallTime()) },
    onCall: (call, service): AnyValue => {
      const sum = operand(call, 'lhs') + operand(call, 'rhs');
      service.post({ value: sum, timeStamp: timeStamp(clock.wallTime()) });
      return { type: sumType, value: service.value };
    },
  });
  return { pv };
}

/** An argument, of an NTURI or of a structure by itself; pvxcall sends every number as a text. */
function operand({ argument }: CallRequest, name: string): number {
  const given = argument?.value;
  const value = member(member(given, 'query') ?? given, name);
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value ?? Number.NaN);
  if (typeof value === 'object' || Number.isNaN(number)) {
    throw new LocalProtocolError(`${name} is not a number; lhs and rhs are expected, such as lhs=2 rhs=3.5`);
  }
  return number;
}

/** A field of a structure, undefined of anything else. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}
