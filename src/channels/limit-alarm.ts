// When is a number in alarm? As EPICS records judge it, hysteresis included.
//
// EPICS Record Reference, "Analog Input Record (ai)", "Alarm Parameters": HIHI, LOLO, HIGH, LOW are looked at in this
// order, a limit without a severity does not count, and the limit that the value was beyond last counts HYST further in.

import { ALARM_SEVERITIES, alarm, NO_ALARM, type Alarm, type AlarmSeverity } from '../protocol/normative/alarm.ts';

/** Limits of the value itself counting as beyond; what is left out has no alarm. */
export interface AlarmLimits {
  readonly low?: number | bigint | undefined;
  readonly lowWarning?: number | bigint | undefined;
  readonly highWarning?: number | bigint | undefined;
  readonly high?: number | bigint | undefined;
  /** How far back inside of a limit the value must go before the alarm of that limit ends. */
  readonly hysteresis?: number | undefined;
  /** How bad it is to be beyond each; MAJOR for `low` and `high` and MINOR for the warnings unless it is said here. */
  readonly severities?: AlarmSeverities | undefined;
}

export type AlarmLevel = 'low' | 'lowWarning' | 'highWarning' | 'high';
/** How bad it is to be beyond each limit; 'NO_ALARM' switches a limit off. */
export type AlarmSeverities = { readonly [L in AlarmLevel]?: AlarmSeverity | undefined };

interface Level {
  readonly name: AlarmLevel;
  /** What IOCs call it in `alarm.message`. */
  readonly message: string;
  readonly isHigh: boolean;
  readonly severity: AlarmSeverity;
}

/** In the order in which they are looked at. */
const LEVELS: readonly Level[] = [
  { name: 'high', message: 'HIHI', isHigh: true, severity: 'MAJOR' },
  { name: 'low', message: 'LOLO', isHigh: false, severity: 'MAJOR' },
  { name: 'highWarning', message: 'HIGH', isHigh: true, severity: 'MINOR' },
  { name: 'lowWarning', message: 'LOW', isHigh: false, severity: 'MINOR' },
];

// No number is beyond a limit, and none is within: what measured it is at fault.
const NAN = alarm('INVALID', 'DEVICE', 'NaN');

/** The alarm of a value that follows one whose alarm was `before`. */
export function limitAlarm(value: number | bigint, limits: AlarmLimits, before: Alarm = NO_ALARM): Alarm {
  if (Number.isNaN(value)) return NAN;
  for (const level of LEVELS) {
    const limit = limits[level.name];
    const severity = severityOf(level, limits);
    if (limit === undefined || severity === 'NO_ALARM') continue;
    const hysteresis = before.message === level.message ? (limits.hysteresis ?? 0) : 0;
    if (isBeyond(value, limit, level.isHigh, hysteresis)) return alarm(severity, 'DEVICE', level.message);
  }
  return NO_ALARM;
}

/** The `valueAlarm` that tells clients the limits; a limit that is not set has severity 0. */
export function valueAlarmOf(limits: AlarmLimits): { readonly [field: string]: number | bigint | boolean } {
  const fields: Record<string, number | bigint | boolean> = { active: true };
  for (const level of LEVELS) {
    const limit = limits[level.name];
    const { limitField, severityField } = fieldsOf(level.name);
    fields[limitField] = limit ?? 0;
    fields[severityField] = limit === undefined ? 0 : ALARM_SEVERITIES.indexOf(severityOf(level, limits));
  }
  return { ...fields, hysteresis: limits.hysteresis ?? 0 };
}

/** The limits that a `valueAlarm` tells: `valueAlarmOf` read backwards. Unless it is active, there are none. */
export function alarmLimitsOf(valueAlarm: { readonly [field: string]: unknown }): AlarmLimits {
  if (valueAlarm['active'] !== true) return {};
  const limits: Partial<Record<AlarmLevel, number | bigint>> = {};
  const severities: Partial<Record<AlarmLevel, AlarmSeverity>> = {};
  for (const { name } of LEVELS) {
    const { limitField, severityField } = fieldsOf(name);
    const limit = valueAlarm[limitField];
    const severity = severityNamed(valueAlarm[severityField]);
    if (!isNumber(limit) || Number.isNaN(limit) || severity === 'NO_ALARM') continue;
    limits[name] = limit;
    severities[name] = severity;
  }
  const { hysteresis } = valueAlarm;
  // Anything can stand in a field that clients write; below 0 it would make alarms flap.
  return { ...limits, severities, hysteresis: isNumber(hysteresis) && hysteresis > 0 ? Number(hysteresis) : 0 };
}

/** The worse of two alarms, the first of two that are equally bad. */
export function worseAlarm(one: Alarm, other: Alarm): Alarm {
  return other.severity > one.severity ? other : one;
}

function severityOf({ name, severity }: Level, { severities }: AlarmLimits): AlarmSeverity {
  return severities?.[name] ?? severity;
}

/** A number past the last severity is as bad as can be, as in records. */
function severityNamed(severity: unknown): AlarmSeverity {
  if (!isNumber(severity) || severity <= 0) return 'NO_ALARM';
  return ALARM_SEVERITIES[Number(severity)] ?? 'INVALID';
}

function fieldsOf(level: AlarmLevel): { readonly limitField: string; readonly severityField: string } {
  const stem = level.endsWith('Warning') ? level : `${level}Alarm`;
  return { limitField: `${stem}Limit`, severityField: `${stem}Severity` };
}

function isBeyond(value: number | bigint, limit: number | bigint, isHigh: boolean, hysteresis: number): boolean {
  // Comparing is exact for any two numbers; subtracting only for two of one kind.
  if (isHigh ? value >= limit : value <= limit) return true;
  if (!(hysteresis > 0)) return false;
  if (typeof value === 'bigint' && typeof limit === 'bigint') {
    return (isHigh ? limit - value : value - limit) <= hysteresis;
  }
  const [at, from] = [Number(value), Number(limit)];
  return isHigh ? at >= from - hysteresis : at <= from + hysteresis;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
