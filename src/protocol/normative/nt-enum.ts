// How is an NTEnum built, and how is one of its choices named?
//
// Spec: Normative-Types-Specification, "NTEnum", "enum_t".

import { LocalProtocolError } from '../errors.ts';
import { structure } from '../types/type-desc.ts';
import type { ValueOf } from '../types/value-of.ts';
import { enumIndex } from '../values/enum-index.ts';
import { alarmType, enumDisplayType, enumType, timeStampType } from './substructures.ts';

/** `epics:nt/NTEnum:1.0`. The choices are part of the value, not of the type. */
export const ntEnum = structure('epics:nt/NTEnum:1.0', {
  value: enumType,
  alarm: alarmType,
  timeStamp: timeStampType,
  display: enumDisplayType,
});

/**
 * The `enum_t` of a choice given by label or index. Throws `LocalProtocolError` when it is none of the choices, or when
 * two choices have one name.
 */
export function enumValue(choices: readonly string[], choice: string | number = 0): ValueOf<typeof enumType> {
  const twice = choices.find((label, index) => choices.indexOf(label) !== index);
  if (twice !== undefined)
    throw new LocalProtocolError(`two choices are named '${twice}', names of their own expected`);
  return { index: enumIndex(choices, choice), choices: [...choices] };
}

/** The label of the current choice; undefined when the index points outside of the choices. */
export function enumLabel(value: ValueOf<typeof enumType>): string | undefined {
  return value.choices[value.index];
}
