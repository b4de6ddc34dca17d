// Can a value of the type that a server has be used as one of the type that a caller expects?

import { LocalProtocolError } from '../protocol/errors.ts';
import type { StructureType, TypeDesc } from '../protocol/types/type-desc.ts';

/**
 * A server may have fields besides the expected ones, and other ids: servers of different versions do.
 * @throws LocalProtocolError that names the first field that is missing or of another type
 */
export function requireExpected(pvName: string, type: StructureType, expected: StructureType | undefined): void {
  if (expected === undefined || type === expected) return;
  const difference = differenceOf(type, expected, '');
  if (difference === undefined) return;
  throw new LocalProtocolError(`${pvName}: ${difference}`);
}

function differenceOf(type: TypeDesc, expected: TypeDesc, path: string): string | undefined {
  if (type === expected) return undefined;
  const subject = path === '' ? 'the channel' : `field ${path}`;
  if (type.kind !== 'structure' || expected.kind !== 'structure') {
    return `${subject} is ${nameOf(type)}, ${nameOf(expected)} expected`;
  }
  for (const field of expected.fields) {
    const fieldPath = path === '' ? field.name : `${path}.${field.name}`;
    const own = type.fields[type.indexOf.get(field.name) ?? -1];
    if (own === undefined) return `${subject} has no ${field.name}, ${nameOf(field.type)} expected`;
    const difference = differenceOf(own.type, field.type, fieldPath);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function nameOf(type: TypeDesc): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar;
    case 'scalarArray':
      return type.sizing === 'variable' ? `${type.scalar}[]` : `${type.scalar}[] (${type.sizing} ${type.size})`;
    case 'boundedString':
      return `string of at most ${type.bound}`;
    case 'structure':
    case 'union':
      return type.id === '' ? type.kind : `${type.kind} ${type.id}`;
    case 'structureArray':
    case 'unionArray':
      return `${nameOf(type.element)}[]`;
    case 'any':
      return 'any';
    case 'anyArray':
      return 'any[]';
  }
}
