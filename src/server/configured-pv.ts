// Which PV does a channel of the configuration become?

import type { PutRequest } from '../channels/channel.ts';
import { limitAlarm, valueAlarmOf, type AlarmLimits } from '../channels/limit-alarm.ts';
import { SharedPV } from '../channels/shared-pv.ts';
import { requireStructure, stamped } from '../channels/standard-fields.ts';
import type { ChannelDefinition, ControlDefinition } from '../config/channel-definition.ts';
import { PvaError } from '../protocol/errors.ts';
import { NO_ALARM, type Alarm } from '../protocol/normative/alarm.ts';
import { enumValue, ntEnum } from '../protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray, type NtScalarOptions } from '../protocol/normative/nt-scalar.ts';
import { DISPLAY_FORMS } from '../protocol/normative/substructures.ts';
import { timeStamp } from '../protocol/normative/time-stamp.ts';
import { scalar, type ScalarName, type StructureType, type TypeDesc } from '../protocol/types/type-desc.ts';
import type { PvValue } from '../protocol/types/value-of.ts';
import { anyCodecOf } from '../protocol/values/codec.ts';
import { coercePartial } from '../protocol/values/coerce.ts';
import type { Clock } from '../transport/clocks.ts';

/**
 * A PV in memory that clients read, watch and, unless it is read-only, write. A put outside of the control limits is
 * refused; alarm limits set the alarm.
 * @throws LocalProtocolError when the definition does not fit its type
 */
export function configuredPv(definition: ChannelDefinition, clock: Clock): SharedPV {
  const { alarm, control, readOnly } = definition;
  const type = typeOf(definition);

  function alarmOf(value: PvValue | undefined, before: Alarm): Alarm | undefined {
    if (alarm === undefined || (typeof value !== 'number' && typeof value !== 'bigint')) return undefined;
    return limitAlarm(value, alarm, before);
  }

  const initial = coercePartial(type, {
    value: valueOf(definition, type),
    ...metadataOf(definition, type),
    timeStamp: timeStamp(clock.wallTime()),
    alarm: NO_ALARM,
  });
  const first = alarmOf(requireStructure(initial.value)['value'], NO_ALARM);
  // Remembered here, not read from the PV: a client may write alarm.message.
  let before = first ?? NO_ALARM;
  const options = readOnly ? {} : { onPut: (put: PutRequest, pv: SharedPV) => pv.post(changeOf(put)) };
  const pv = new SharedPV<StructureType>(type, { initial, clock, ...options });
  if (first !== undefined) pv.post({ alarm: first });
  return pv;

  function changeOf(put: PutRequest): unknown {
    const update = stamped(type, put, clock.wallTime());
    const value = put.value['value'];
    if (!put.changed.hasAny(1, 1 + (fieldType(type, 'value')?.bitCount ?? 0))) return update;
    if (control !== undefined) requireWithin(value, control);
    const after = alarmOf(value, before);
    if (after === undefined) return update;
    before = after;
    const { changed } = coercePartial(type, { alarm: after });
    return { changed: update.changed.clone().or(changed), value: { ...update.value, alarm: after } };
  }
}

function typeOf({ type, ...definition }: ChannelDefinition): StructureType {
  switch (type.kind) {
    case 'enum':
      return ntEnum;
    case 'scalar':
      return ntScalar(scalar(type.scalar), optionsOf(definition));
    case 'array':
      return ntScalarArray(scalar(type.element), optionsOf(definition));
  }
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

/** The value, or zero, empty text, an empty array, the first choice: a PV of the configuration always has one. */
function valueOf({ type, value }: ChannelDefinition, into: StructureType): unknown {
  if (type.kind === 'enum') return enumValue(type.choices, Number(value ?? 0));
  const field = fieldType(into, 'value');
  return value ?? (field === undefined ? undefined : anyCodecOf(field).defaultValue());
}

function metadataOf(definition: ChannelDefinition, into: StructureType): Readonly<Record<string, unknown>> {
  const { units, description, display, control, alarm } = definition;
  const number = numberOf(definition);
  const displayed = {
    description: description ?? '',
    units: units ?? '',
    limitLow: limitOf(display?.low ?? 0, number),
    limitHigh: limitOf(display?.high ?? 0, number),
    precision: display?.precision ?? 0,
    form: enumValue(DISPLAY_FORMS, formIndex(display?.format)),
  };
  return {
    ...only(displayed, 'display', into),
    ...only({ ...(control && controlOf(control, number)) }, 'control', into),
    ...only({ ...(alarm && shownAlarm(alarm, number)) }, 'valueAlarm', into),
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
  return { [name]: Object.fromEntries(Object.entries(fields).filter(([field]) => type.indexOf.has(field))) };
}

/** `format = "Hex"` names one of the forms of display_t; no form is called `%5.2f`. */
function formIndex(format: string | undefined): number {
  const index = DISPLAY_FORMS.findIndex((form) => form.toLowerCase() === format?.toLowerCase());
  return Math.max(index, 0);
}

// --- limits ----------------------------------------------------------------------------------------------------

/** Lowest and highest of the integers; the others have no bounds. */
const RANGES: { readonly [S in ScalarName]?: readonly [low: bigint, high: bigint] } = {
  byte: [-0x80n, 0x7fn],
  ubyte: [0n, 0xffn],
  short: [-0x8000n, 0x7fffn],
  ushort: [0n, 0xffffn],
  int: [-0x8000_0000n, 0x7fff_ffffn],
  uint: [0n, 0xffff_ffffn],
  long: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
  ulong: [0n, 0xffff_ffff_ffff_ffffn],
};

/** The scalar that limits are of. */
function numberOf({ type }: ChannelDefinition): ScalarName {
  if (type.kind === 'enum') return 'int';
  return type.kind === 'array' ? type.element : type.scalar;
}

/** A limit as its field can hold it: that of an integer is whole, and no further out than the type reaches. */
function limitOf(limit: number, of: ScalarName): number | bigint {
  const [low, high] = RANGES[of] ?? [];
  if (low === undefined || high === undefined) return limit;
  if (limit <= Number(low)) return low;
  return limit >= Number(high) ? high : BigInt(Math.round(limit));
}

function controlOf({ low, high, minStep }: ControlDefinition, of: ScalarName): Readonly<Record<string, unknown>> {
  return {
    limitLow: limitOf(low ?? Number.NEGATIVE_INFINITY, of),
    limitHigh: limitOf(high ?? Number.POSITIVE_INFINITY, of),
    minStep: limitOf(minStep ?? 0, of),
  };
}

/** All the limits of valueAlarm are of the value's type; severities and hysteresis are not. */
function shownAlarm(limits: AlarmLimits, of: ScalarName): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(valueAlarmOf(limits)).map(([name, value]) => [
      name,
      name.endsWith('Limit') && typeof value === 'number' ? limitOf(value, of) : value,
    ]),
  );
}

/** @throws PvaError OUT_OF_RANGE, the answer to a client that puts too much */
function requireWithin(value: PvValue | undefined, { low, high }: ControlDefinition): void {
  const [lowest, highest] = [low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY];
  for (const number of numbersOf(value)) {
    if (number >= lowest && number <= highest) continue;
    throw new PvaError('OUT_OF_RANGE', `value ${number} is outside of the limits ${lowest} to ${highest}`);
  }
}

function numbersOf(value: PvValue | undefined): Iterable<number | bigint> {
  if (typeof value === 'number' || typeof value === 'bigint') return [value];
  // All views on buffers among the values are arrays of numbers.
  return ArrayBuffer.isView(value) ? value : [];
}

function fieldType(type: StructureType, name: string): TypeDesc | undefined {
  return type.fields[type.indexOf.get(name) ?? -1]?.type;
}
