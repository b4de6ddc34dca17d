// When is a number in alarm? As EPICS records judge it, hysteresis included.

import { alarm, NO_ALARM, type Alarm } from '../protocol/normative/alarm.ts';

/** Limits of the value itself counting as beyond; what is left out has no alarm. */
export interface AlarmLimits {
  readonly low?: number | undefined;
  readonly lowWarning?: number | undefined;
  readonly highWarning?: number | undefined;
  readonly high?: number | undefined;
  /** How far back inside of a limit the value must go before the alarm of that limit ends. */
  readonly hysteresis?: number | undefined;
}

const ALARMS = {
  HIHI: alarm('MAJOR', 'DEVICE', 'HIHI'),
  LOLO: alarm('MAJOR', 'DEVICE', 'LOLO'),
  HIGH: alarm('MINOR', 'DEVICE', 'HIGH'),
  LOW: alarm('MINOR', 'DEVICE', 'LOW'),
  // No number is beyond a limit, and none is within: what measured it is at fault.
  NAN: alarm('INVALID', 'DEVICE', 'NaN'),
} as const;

/** The alarm of a value that follows one whose alarm was `before`. */
export function limitAlarm(value: number | bigint, limits: AlarmLimits, before: Alarm = NO_ALARM): Alarm {
  const { low, lowWarning, highWarning, high, hysteresis = 0 } = limits;
  const number = Number(value);
  const back = (name: string): number => (before.message === name ? hysteresis : 0);
  if (Number.isNaN(number)) return ALARMS.NAN;
  if (high !== undefined && number >= high - back('HIHI')) return ALARMS.HIHI;
  if (low !== undefined && number <= low + back('LOLO')) return ALARMS.LOLO;
  if (highWarning !== undefined && number >= highWarning - back('HIGH')) return ALARMS.HIGH;
  if (lowWarning !== undefined && number <= lowWarning + back('LOW')) return ALARMS.LOW;
  return NO_ALARM;
}

const MINOR = 1;
const MAJOR = 2;

/** The `valueAlarm` that tells clients the limits; a limit that is not set has severity 0. */
export function valueAlarmOf({ low, lowWarning, highWarning, high, hysteresis = 0 }: AlarmLimits): {
  readonly [name: string]: number | boolean;
} {
  const severity = (limit: number | undefined, severe: number): number => (limit === undefined ? 0 : severe);
  return {
    active: true,
    lowAlarmLimit: low ?? 0,
    lowWarningLimit: lowWarning ?? 0,
    highWarningLimit: highWarning ?? 0,
    highAlarmLimit: high ?? 0,
    lowAlarmSeverity: severity(low, MAJOR),
    lowWarningSeverity: severity(lowWarning, MINOR),
    highWarningSeverity: severity(highWarning, MINOR),
    highAlarmSeverity: severity(high, MAJOR),
    hysteresis,
  };
}
