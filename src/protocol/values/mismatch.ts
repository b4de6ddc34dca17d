// How is a value that does not have the type it should have described to its author?

import { LocalProtocolError } from '../errors.ts';

const SHOWN_CHARACTERS = 60;

export function typeMismatch(expected: string, found: unknown): LocalProtocolError {
  return new LocalProtocolError(`${expected} expected, ${describe(found)} given`);
}

export function outOfRange(
  type: string,
  low: number | bigint,
  high: number | bigint,
  found: unknown,
): LocalProtocolError {
  return new LocalProtocolError(`${describe(found)} does not fit ${type}, whole numbers from ${low} to ${high} do`);
}

function describe(found: unknown): string {
  if (typeof found === 'string') {
    return `text '${shown(found)}'`;
  }
  if (Array.isArray(found)) return `a list of ${found.length}`;
  if (ArrayBuffer.isView(found)) return `a ${found.constructor.name}`;
  switch (typeof found) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return `${typeof found} ${shown(String(found))}`;
    case 'object':
      return describeObject(found);
    case 'undefined':
      return 'nothing';
    default:
      return `a ${typeof found}`;
  }
}

function shown(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function describeObject(found: object | null): string {
  if (found === null) return 'null';
  const prototype: unknown = Object.getPrototypeOf(found);
  const maker = typeof prototype === 'object' && prototype !== null ? prototype.constructor : undefined;
  return typeof maker === 'function' && maker !== Object ? `a ${maker.name}` : 'an object';
}
