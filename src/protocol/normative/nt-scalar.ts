// How are NTScalar and NTScalarArray built, with the fields that a server offers beside the value?
//
// Spec: Normative-Types-Specification, "NTScalar", "NTScalarArray"; fields and their order as pvxs and IOCs send them.

import {
  arrayOf,
  structure,
  type FieldTypes,
  type ScalarArrayType,
  type ScalarName,
  type ScalarType,
  type StructureType,
  type TypeDesc,
} from '../types/type-desc.ts';
import type { NumericName } from '../values/array-codec.ts';
import {
  alarmType,
  controlType,
  displayFormType,
  displayType,
  plainDisplayType,
  timeStampType,
  valueAlarmType,
} from './substructures.ts';

/** Which optional fields to have. Text and booleans have no limits: `form`, `control` and `valueAlarm` add nothing. */
export interface NtScalarOptions {
  /** description, units, and the limits to show a number within. */
  readonly display?: boolean;
  /** Adds precision and form to display, as IOCs do; implies `display`. */
  readonly form?: boolean;
  /** The limits to put a number within. */
  readonly control?: boolean;
  /** The limits outside of which a number is in alarm. */
  readonly valueAlarm?: boolean;
}

/** In an intersection: nothing. */
type NoFields = unknown;

type DisplayOf<S extends ScalarName, O> = S extends NumericName
  ? O extends { readonly form: true }
    ? { display: ReturnType<typeof displayFormType<S>> }
    : O extends { readonly display: true }
      ? { display: ReturnType<typeof displayType<S>> }
      : NoFields
  : O extends { readonly display: true } | { readonly form: true }
    ? { display: typeof plainDisplayType }
    : NoFields;

type ControlOf<S extends ScalarName, O> = S extends NumericName
  ? O extends { readonly control: true }
    ? { control: ReturnType<typeof controlType<S>> }
    : NoFields
  : NoFields;

type ValueAlarmOf<S extends ScalarName, O> = S extends NumericName
  ? O extends { readonly valueAlarm: true }
    ? { valueAlarm: ReturnType<typeof valueAlarmType<S>> }
    : NoFields
  : NoFields;

/** The fields that `ntScalar` and `ntScalarArray` give for a scalar and options, for `ValueOf`. */
type NtFields<V extends TypeDesc, S extends ScalarName, O> = {
  value: V;
  alarm: typeof alarmType;
  timeStamp: typeof timeStampType;
} & DisplayOf<S, O> &
  ControlOf<S, O> &
  ValueAlarmOf<S, O>;

/** What `ntScalar` makes of a scalar and options. */
export type NtScalarType<S extends ScalarName, O> = StructureType<NtFields<ScalarType<S>, S, O>>;
/** What `ntScalarArray` makes of a scalar and options. */
export type NtScalarArrayType<S extends ScalarName, O> = StructureType<NtFields<ScalarArrayType<S>, S, O>>;

/** `epics:nt/NTScalar:1.0`: a scalar with alarm, timeStamp and what `options` name. */
export function ntScalar<S extends ScalarName, const O extends NtScalarOptions = NtScalarOptions>(
  scalar: ScalarType<S>,
  options?: O,
): NtScalarType<S, O> {
  const type = remembered('NTScalar', scalar, options ?? {}, (fields) => ({ value: scalar, ...fields }));
  // The options decide the fields here and in NtFields alike.
  return type as unknown as NtScalarType<S, O>;
}

/** `epics:nt/NTScalarArray:1.0`: an array of scalars, of any length, with alarm, timeStamp and what `options` name. */
export function ntScalarArray<S extends ScalarName, const O extends NtScalarOptions = NtScalarOptions>(
  element: ScalarType<S>,
  options?: O,
): NtScalarArrayType<S, O> {
  const type = remembered('NTScalarArray', element, options ?? {}, (fields) => ({
    value: arrayOf(element),
    ...fields,
  }));
  // As above.
  return type as unknown as NtScalarArrayType<S, O>;
}

/** By what they were made of; there are a few hundred that can be. Servers ask for the same one for each of many PVs. */
const made = new Map<string, StructureType>();

function remembered(
  name: 'NTScalar' | 'NTScalarArray',
  scalar: ScalarType,
  options: NtScalarOptions,
  fieldsOf: (metadata: FieldTypes) => FieldTypes,
): StructureType {
  const { display, form, control, valueAlarm } = options;
  const key = `${name} ${scalar.scalar} ${display} ${form} ${control} ${valueAlarm}`;
  let type = made.get(key);
  if (type === undefined) {
    type = structure(`epics:nt/${name}:1.0`, fieldsOf(metadata(scalar, options)));
    made.set(key, type);
  }
  return type;
}

function metadata(scalar: ScalarType, { display, form, control, valueAlarm }: NtScalarOptions): FieldTypes {
  const hasDisplay = display === true || form === true;
  const always = { alarm: alarmType, timeStamp: timeStampType };
  if (!isNumeric(scalar)) return hasDisplay ? { ...always, display: plainDisplayType } : always;
  return {
    ...always,
    ...(hasDisplay && { display: form === true ? displayFormType(scalar) : displayType(scalar) }),
    ...(control === true && { control: controlType(scalar) }),
    ...(valueAlarm === true && { valueAlarm: valueAlarmType(scalar) }),
  };
}

function isNumeric(scalar: ScalarType): scalar is ScalarType<NumericName> {
  return scalar.scalar !== 'string' && scalar.scalar !== 'boolean';
}
