// Which array of a channel is an ARRAY operation about, and how does a change of it become a put?

import { LocalProtocolError } from '../../protocol/errors.ts';
import { selectionOf } from '../../protocol/pv-request/selection.ts';
import type { ScalarArrayType, StructureType, TypeDesc } from '../../protocol/types/type-desc.ts';
import type { AnyValue, PvValue, ScalarArrayValue, StructureValue } from '../../protocol/types/value-of.ts';
import { coercePartial } from '../../protocol/values/coerce.ts';
import type { Update } from '../../protocol/values/update.ts';

/** What a request that names no field is about: normative types have their array there. */
const USUAL_FIELD = 'value';
const SHOWN_FIELDS = 5;

export interface ArrayField {
  /** Names from the outermost structure down. */
  readonly path: readonly string[];
  readonly type: ScalarArrayType;
}

/**
 * The one array of scalars that a pvRequest selects.
 * @throws LocalProtocolError when it selects something else
 */
export function arrayFieldOf(type: StructureType, pvRequest: AnyValue): ArrayField {
  const { mask, isEverything } = selectionOf(type, pvRequest);
  const arrays: ArrayField[] = [];
  let leafCount = 0;
  walk(type, [], 0, (path, field, bit) => {
    if (!mask.has(bit)) return;
    leafCount++;
    if (field.kind === 'scalarArray') arrays.push({ path, type: field });
  });
  const [only] = arrays;
  if (only !== undefined && leafCount === 1) return only;
  const usual = isEverything ? arrays.find(({ path }) => path.length === 1 && path[0] === USUAL_FIELD) : undefined;
  if (usual !== undefined) return usual;
  throw new LocalProtocolError(`pvRequest must select one array of scalars, ${described(type)}`);
}

/** The array in a value of the channel. */
export function arrayIn(value: StructureValue, { path }: ArrayField): ScalarArrayValue {
  let at: PvValue = value;
  // The path leads through structures to an array: the value has the type that the path was found in.
  for (const name of path) at = (at as StructureValue)[name] as PvValue;
  return at as ScalarArrayValue;
}

/** The value with another array in this field, and the bit of the field. */
export function updateOf(
  type: StructureType,
  { path }: ArrayField,
  array: ScalarArrayValue,
  current: StructureValue,
): Update {
  // Own members, also of a field named `__proto__`.
  const patch = path.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), array);
  return coercePartial(type, patch, current);
}

type Visit = (path: readonly string[], type: TypeDesc, bit: number) => void;

/** Visits every leaf with its bit. */
function walk(type: TypeDesc, path: readonly string[], bit: number, visit: Visit): void {
  if (type.kind !== 'structure') return visit(path, type, bit);
  let next = bit + 1;
  for (const field of type.fields) {
    walk(field.type, [...path, field.name], next, visit);
    next += field.type.bitCount;
  }
}

function described(type: StructureType): string {
  const names: string[] = [];
  walk(type, [], 0, (path, { kind }) => {
    if (kind === 'scalarArray') names.push(path.join('.'));
  });
  if (names.length === 0) return 'this PV has none';
  const shown = names.slice(0, SHOWN_FIELDS).join(', ');
  return `this PV has ${shown}${names.length > SHOWN_FIELDS ? ` and ${names.length - SHOWN_FIELDS} more` : ''}`;
}
