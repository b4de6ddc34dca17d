// How is a value that does not have the type it should have described to its author?

import { LocalProtocolError } from '../errors.ts';

const SHOWN_CHARACTERS = 60;

export function typeMismatch(expected: string, found: unknown): LocalProtocolError {
  return new LocalProtocolError(`${expected} expected, ${describe(found)} given`);
}

export function outOfRange(type: string, low: number | bigint, high: number | bigint, found: unknown): LocalProtocolError {
  return new LocalProtocolError(`${describe(found)} does not fit ${type}, whole numbers from ${low} to ${high} do`);
}

function describe(found: unknown): string {
  if (found === null || found === undefined) return String(found);
  if (typeof found === 'string') {
    return `text '${found.length > SHOWN_CHARACTERS ? `${found.slice(0, SHOWN_CHARACTERS)}…` : found}'`;
  }
  if (Array.isArray(found)) return `a list of ${found.length}`;
  if (ArrayBuffer.isView(found)) return `a ${found.constructor.name}`;
  if (typeof found === 'object') return 'an object';
  if (typeof found === 'function' || typeof found === 'symbol') return `a ${typeof found}`;
  return `${typeof found} ${String(found)}`;
}
