// Which type and which fields beside its value does a channel of the configuration have?

import { valueAlarmOf, type AlarmLevel } from '../channels/limit-alarm.ts';
import type { AlarmDefinition, ChannelDefinition, ControlDefinition, Limit } from '../config/channel-definition.ts';
import { controlRange, fieldLimit, isBeyondType } from '../config/field-limits.ts';
import { enumValue, ntEnum } from '../protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray, type NtScalarOptions } from '../protocol/normative/nt-scalar.ts';
import { DISPLAY_FORMS } from '../protocol/normative/substructures.ts';
import { scalar, type ScalarName, type StructureType, type TypeDesc } from '../protocol/types/type-desc.ts';

export function configuredType({ type, ...definition }: ChannelDefinition): StructureType {
  switch (type.kind) {
    case 'enum':
      return ntEnum;
    case 'scalar':
      return ntScalar(scalar(type.scalar), optionsOf(definition));
    case 'array':
      return ntScalarArray(scalar(type.element), optionsOf(definition));
    case 'structure':
      return type.structure;
  }
}

/** The fields display, control and valueAlarm as a patch: those of them that the type has. */
export function configuredFields(
  definition: ChannelDefinition,
  into: StructureType,
): Readonly<Record<string, unknown>> {
  const { units, description, display, control, alarm } = definition;
  const number = numberOf(definition);
  const displayed = {
    description: description ?? '',
    units: units ?? '',
    limitLow: fieldLimit(display?.low ?? 0, number, 'down'),
    limitHigh: fieldLimit(display?.high ?? 0, number, 'up'),
    precision: display?.precision ?? 0,
    form: enumValue(DISPLAY_FORMS, formIndex(display?.format)),
  };
  return {
    ...only(displayed, 'display', into),
    ...only({ ...(control && controlOf(control, number)) }, 'control', into),
    ...only({ ...(alarm && shownAlarm(alarm, number)) }, 'valueAlarm', into),
  };
}

export function fieldType(type: StructureType, name: string): TypeDesc | undefined {
  return type.fields[type.indexOf.get(name) ?? -1]?.type;
}

/** Only what the configuration speaks of: a type says what a client may expect to find. */
function optionsOf({ units, description, display, control, alarm }: Omit<ChannelDefinition, 'type'>): NtScalarOptions {
  return {
    display: units !== undefined || description !== undefined || display !== undefined,
    form: display?.precision !== undefined || display?.format !== undefined,
    control: control !== undefined,
    valueAlarm: alarm !== undefined,
  };
}

/** What of `fields` the structure `name` of the type has, under its name; nothing if there is no such structure. */
function only(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  into: StructureType,
): Readonly<Record<string, unknown>> {
  const type = fieldType(into, name);
  if (type?.kind !== 'structure') return {};
  const had: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(fields)) if (type.indexOf.has(field)) had[field] = value;
  return { [name]: had };
}

/** `format = "Hex"` names one of the forms of display_t; no form is called `%5.2f`. */
function formIndex(format: string | undefined): number {
  if (format === undefined) return 0;
  const index = DISPLAY_FORMS.findIndex((form) => form.toLowerCase() === format.toLowerCase());
  return Math.max(index, 0);
}

/** The scalar that limits are of. */
function numberOf({ type }: ChannelDefinition): ScalarName {
  if (type.kind === 'enum' || type.kind === 'structure') return 'int';
  return type.kind === 'array' ? type.element : type.scalar;
}

function controlOf(control: ControlDefinition, of: ScalarName): Readonly<Record<string, unknown>> {
  const [limitLow, limitHigh] = controlRange(control, of);
  return { limitLow, limitHigh, minStep: fieldLimit(control.minStep ?? 0, of, 'up') };
}

/** All the limits of valueAlarm are of the value's type; severities and hysteresis are not. */
function shownAlarm(alarm: AlarmDefinition, of: ScalarName): Readonly<Record<string, unknown>> {
  const isLow: Readonly<Record<AlarmLevel, boolean>> = { low: true, lowWarning: true, highWarning: false, high: false };
  const limits: { [L in AlarmLevel]?: Limit | undefined } = {};
  for (const level of ['low', 'lowWarning', 'highWarning', 'high'] as const) {
    const limit = alarm[level];
    // A limit that no value of the type gets to is none; at the end of the range it would be one.
    if (limit === undefined || isBeyondType(limit, of, isLow[level] ? 'down' : 'up')) continue;
    limits[level] = fieldLimit(limit, of, isLow[level] ? 'down' : 'up');
  }
  return valueAlarmOf({ ...limits, hysteresis: alarm.hysteresis, severities: alarm.severities });
}
