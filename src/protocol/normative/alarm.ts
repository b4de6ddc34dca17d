// What do the numbers in an alarm mean?
//
// Spec: Normative-Types-Specification, "alarm_t".

import type { ValueOf } from '../types/value-of.ts';
import type { alarmType } from './substructures.ts';

/** Names of `alarm.severity`, by number. */
export const ALARM_SEVERITIES = ['NO_ALARM', 'MINOR', 'MAJOR', 'INVALID', 'UNDEFINED'] as const;
/** Names of `alarm.status`, by number: where an alarm comes from. */
export const ALARM_STATUSES = ['NONE', 'DEVICE', 'DRIVER', 'RECORD', 'DB', 'CONF', 'UNDEFINED', 'CLIENT'] as const;

/** How bad an alarm is, by its name. */
export type AlarmSeverity = (typeof ALARM_SEVERITIES)[number];
/** Where an alarm comes from, by its name. */
export type AlarmStatus = (typeof ALARM_STATUSES)[number];
/**
 * The value of an `alarm_t`: `severity` and `status` as numbers, and a message. Spec: Normative-Types-Specification,
 * "alarm_t".
 */
export type Alarm = ValueOf<typeof alarmType>;

/** The alarm of what is well. */
export const NO_ALARM: Alarm = Object.freeze({ severity: 0, status: 0, message: '' });

/** The value of an `alarm_t`. */
export function alarm(severity: AlarmSeverity, status: AlarmStatus, message = ''): Alarm {
  return { severity: ALARM_SEVERITIES.indexOf(severity), status: ALARM_STATUSES.indexOf(status), message };
}

/** Name of a severity; a number that has none is its own name. */
export function alarmSeverityName(severity: number): string {
  return ALARM_SEVERITIES[severity] ?? String(severity);
}

/** Name of a status; a number that has none is its own name. */
export function alarmStatusName(status: number): string {
  return ALARM_STATUSES[status] ?? String(status);
}
