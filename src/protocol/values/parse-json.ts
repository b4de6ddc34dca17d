// How does a value come back from the JSON that `formatJson` makes of it? Exactly: no digit and no field is lost.

import { LimitError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Field, StructureType, TypeDesc } from '../types/type-desc.ts';
import { typeFromJson } from '../types/type-from-json.ts';
import type { StructureValue } from '../types/value-of.ts';
import { coercePartial } from './coerce.ts';
import { inField, located } from './located.ts';
import type { Update } from './update.ts';

/**
 * A full value and the leaves that `json` names, `json` being what `JSON.parse` makes of `formatJson(type, value, mask)`.
 * Throws `LocalProtocolError` with `fieldPath` when it is no value of the type.
 */
export function updateFromJson(type: StructureType, json: unknown): Update<StructureValue> {
  const { changed, value } = coercePartial(
    type,
    located('', () => withTypes(type, json, 0)),
  );
  // A value of a structure type is a structure.
  return { changed, value: value as StructureValue };
}

/** The same JSON with the types of `any` values as types; what does not fit its type is left for coercion to refuse. */
function withTypes(type: TypeDesc, json: unknown, anyNesting: number): unknown {
  if (!holdsAny(type)) return json;
  switch (type.kind) {
    case 'any':
      return typedAny(json, anyNesting + 1);
    case 'anyArray':
      return eachOf(json, (item) => typedAny(item, anyNesting + 1));
    case 'structure':
      return fieldsOf(type, json, anyNesting);
    case 'structureArray':
      return eachOf(json, (item) => withTypes(type.element, item, anyNesting));
    case 'union':
      return selectedOf(type.fields, json, anyNesting);
    case 'unionArray':
      return eachOf(json, (item) => withTypes(type.element, item, anyNesting));
    default:
      return json;
  }
}

function typedAny(json: unknown, anyNesting: number): unknown {
  const { maxTypeNesting } = DEFAULT_LIMITS;
  if (anyNesting > maxTypeNesting) throw new LimitError('maxTypeNesting', anyNesting, maxTypeNesting, 'any inside any');
  if (!isObject(json)) return json;
  const type = typeFromJson(json['type']);
  return { type, value: withTypes(type, json['value'], anyNesting) };
}

function fieldsOf({ fields, indexOf }: StructureType, json: unknown, anyNesting: number): unknown {
  if (!isObject(json)) return json;
  const typed = Object.entries(json).map(([name, value]) => {
    const field = fields[indexOf.get(name) ?? -1];
    return [name, field === undefined ? value : inField(name, () => withTypes(field.type, value, anyNesting))];
  });
  // Unlike an assignment this is right for a field named `__proto__`, too.
  return Object.fromEntries(typed);
}

function selectedOf(fields: readonly Field[], json: unknown, anyNesting: number): unknown {
  if (!isObject(json)) return json;
  const { select, value } = json;
  const field = fields.find(({ name }) => name === select);
  return field === undefined
    ? json
    : { select, value: inField(field.name, () => withTypes(field.type, value, anyNesting)) };
}

function eachOf(json: unknown, act: (item: unknown) => unknown): unknown {
  if (!Array.isArray(json)) return json;
  return json.map((item: unknown, index) => inField(`[${index}]`, () => act(item)));
}

const withAny = new WeakMap<TypeDesc, boolean>();

/** Most types hold none, and their lists of a million numbers are not looked at twice. */
function holdsAny(type: TypeDesc): boolean {
  switch (type.kind) {
    case 'any':
    case 'anyArray':
      return true;
    case 'structureArray':
    case 'unionArray':
      return holdsAny(type.element);
    case 'structure':
    case 'union': {
      let known = withAny.get(type);
      if (known === undefined) {
        known = type.fields.some((field) => holdsAny(field.type));
        withAny.set(type, known);
      }
      return known;
    }
    default:
      return false;
  }
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
