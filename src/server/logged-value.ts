// How does a value look in one line of a log? As JSON, cut short where it is long: whoever puts an image does not fill the
// disk twice.

import type { TypeDesc } from '../protocol/types/type-desc.ts';
import type { PvValue } from '../protocol/types/value-of.ts';
import { shortestText } from '../protocol/values/format-scalar.ts';
import {
  contentOf,
  elementsOf,
  fieldOf,
  scalarsOf,
  selectedOf,
  type TypedValue,
} from '../protocol/values/value-parts.ts';

/**
 * What `JSON.stringify` takes: numbers that JSON does not have, and integers that it does not keep, are texts; what is
 * cut is `{ length, first }`.
 */
export type LoggedValue =
  | null
  | boolean
  | number
  | string
  | readonly LoggedValue[]
  | { readonly [name: string]: LoggedValue };

/** Elements of an array that are shown. */
const SHOWN_ELEMENTS = 10;
const SHOWN_CHARACTERS = 200;
/** Values inside of one value that are shown; an array of structures has many. */
const SHOWN_PARTS = 100;
const LEFT_OUT = '...';

/** How much more may be shown. */
interface Budget {
  parts: number;
}

export function loggedValue(type: TypeDesc, value: PvValue): LoggedValue {
  return shown(type, value, { parts: SHOWN_PARTS });
}

function shown(type: TypeDesc, value: PvValue, budget: Budget): LoggedValue {
  if (budget.parts-- <= 0) return LEFT_OUT;
  switch (type.kind) {
    case 'scalar':
      return shownScalar(type.scalar === 'float', value);
    case 'boundedString':
      return shownScalar(false, value);
    case 'scalarArray':
      return shownList(scalarsOf(value), (element) => shownScalar(type.scalar === 'float', element));
    case 'structure':
      // fromEntries() makes own fields of any name, `__proto__` included.
      return Object.fromEntries(
        type.fields
          .slice(0, budget.parts + 1)
          .map((field) => [field.name, shown(field.type, fieldOf(value, field), budget)]),
      );
    case 'union': {
      const selected = selectedOf(type, value);
      return selected && { select: selected.select, value: shown(selected.type, selected.value, budget) };
    }
    case 'any':
      return shownContent(contentOf(value), budget);
    case 'structureArray':
      return shownList(elementsOf(value), (element) =>
        element === null ? null : shown(type.element, element, budget),
      );
    case 'unionArray':
      return shownList(elementsOf(value), (element) => shown(type.element, element, budget));
    case 'anyArray':
      return shownList(elementsOf(value), (element) => shownContent(contentOf(element), budget));
  }
}

function shownContent(content: TypedValue | null, budget: Budget): LoggedValue {
  return content && shown(content.type, content.value, budget);
}

function shownList<E extends PvValue>(elements: ArrayLike<E>, show: (element: E) => LoggedValue): LoggedValue {
  const { length } = elements;
  const first = Array.from({ length: Math.min(length, SHOWN_ELEMENTS) }, (_, index) => {
    const element = elements[index];
    return element === undefined ? null : show(element);
  });
  return length <= SHOWN_ELEMENTS ? first : { length, first };
}

function shownScalar(isFloat: boolean, value: PvValue): LoggedValue {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) return String(value);
      return isFloat ? Number(shortestText('float', value)) : value;
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'string':
      if (value.length <= SHOWN_CHARACTERS) return value;
      return { length: value.length, first: value.slice(0, SHOWN_CHARACTERS) };
    default:
      return null;
  }
}
