// Which structures do normative types share? Layout and ids as pvxs and IOCs send them.
//
// Where the specification differs (display_t, control_t and alarmLimit_t with ids, double limits for every type), what
// IOCs send wins: no id, limits of the value's own type, valueAlarm beside display.
// Spec: Normative-Types-Specification, "Structured Normative Type fields".

import {
  arrayOf,
  boolean,
  double,
  int,
  long,
  string,
  structure,
  type ScalarName,
  type ScalarType,
  type StructureType,
} from '../types/type-desc.ts';
import type { NumericName } from '../values/array-codec.ts';

/** `alarm_t`: severity and status are indexes of ALARM_SEVERITIES and ALARM_STATUSES (normative/alarm.ts). */
export const alarmType = structure('alarm_t', { severity: int, status: int, message: string });

/** `time_t`: seconds since 1970-01-01T00:00:00Z and nanoseconds after that. */
export const timeStampType = structure('time_t', { secondsPastEpoch: long, nanoseconds: int, userTag: int });

/** `enum_t`: the index of one of the choices. */
export const enumType = structure('enum_t', { index: int, choices: arrayOf(string) });

/** display of text and booleans, which have no limits. */
export const plainDisplayType = structure({ description: string, units: string });

/** display of an NTEnum, which has no units either. */
export const enumDisplayType = structure({ description: string });

type DisplayType<S extends ScalarName> = StructureType<{
  limitLow: ScalarType<S>;
  limitHigh: ScalarType<S>;
  description: typeof string;
  units: typeof string;
}>;

type DisplayFormType<S extends ScalarName> = StructureType<{
  limitLow: ScalarType<S>;
  limitHigh: ScalarType<S>;
  description: typeof string;
  units: typeof string;
  precision: typeof int;
  form: typeof enumType;
}>;

/** display of numbers as small servers have it: limits, description, units. */
export function displayType<S extends NumericName>(scalar: ScalarType<S>): DisplayType<S> {
  return structure({ limitLow: scalar, limitHigh: scalar, description: string, units: string });
}

/** display of numbers as IOCs have it: with the digits behind the point and the form (default, hex, ...). */
export function displayFormType<S extends NumericName>(scalar: ScalarType<S>): DisplayFormType<S> {
  return structure({
    limitLow: scalar,
    limitHigh: scalar,
    description: string,
    units: string,
    precision: int,
    form: enumType,
  });
}

/** Choices of `display.form`. Spec: display_t. */
export const DISPLAY_FORMS: readonly string[] = Object.freeze([
  'Default',
  'String',
  'Binary',
  'Decimal',
  'Hex',
  'Exponential',
  'Engineering',
]);

/** Limits within which a client may put, and the least difference that matters. */
export function controlType<S extends NumericName>(
  scalar: ScalarType<S>,
): StructureType<{ limitLow: ScalarType<S>; limitHigh: ScalarType<S>; minStep: ScalarType<S> }> {
  return structure({ limitLow: scalar, limitHigh: scalar, minStep: scalar });
}

/** Limits outside of which the value is in alarm, each with its severity. */
export function valueAlarmType<S extends NumericName>(
  scalar: ScalarType<S>,
): StructureType<{
  active: typeof boolean;
  lowAlarmLimit: ScalarType<S>;
  lowWarningLimit: ScalarType<S>;
  highWarningLimit: ScalarType<S>;
  highAlarmLimit: ScalarType<S>;
  lowAlarmSeverity: typeof int;
  lowWarningSeverity: typeof int;
  highWarningSeverity: typeof int;
  highAlarmSeverity: typeof int;
  hysteresis: typeof double;
}> {
  return structure({
    active: boolean,
    lowAlarmLimit: scalar,
    lowWarningLimit: scalar,
    highWarningLimit: scalar,
    highAlarmLimit: scalar,
    lowAlarmSeverity: int,
    lowWarningSeverity: int,
    highWarningSeverity: int,
    highAlarmSeverity: int,
    hysteresis: double,
  });
}
