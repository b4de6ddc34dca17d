// What do `pvkit info --json` and `pvkit get --json` say, in the form in which p4p says it?
//
// Stands on their documented JSON alone, so that the command line is held against p4p without pvkit's own types.

import { isScalarName, SCALARS, type P4pType, type Tagged } from './tagged.ts';

/** A type as `pvkit info --json` has it. */
type JsonType = string | JsonMembers;

interface JsonMembers {
  readonly kind: 'structure' | 'union' | 'structure[]' | 'union[]';
  readonly id: string;
  readonly fields: readonly { readonly name: string; readonly type: JsonType }[];
}

const CODES = { structure: 'S', union: 'U', 'structure[]': 'aS', 'union[]': 'aU' } as const;

interface GetLine {
  readonly name: string;
  readonly value: unknown;
}

interface InfoLine {
  readonly name: string;
  readonly server: string;
  readonly type: JsonType;
}

/** The lines of `pvkit get --json`. */
export function getLines(stdout: string): readonly GetLine[] {
  return linesOf(stdout) as readonly GetLine[]; // as its help says; what is otherwise fails the comparison
}

/** The lines of `pvkit info --json`. */
export function infoLines(stdout: string): readonly InfoLine[] {
  return linesOf(stdout) as readonly InfoLine[]; // as its help says
}

function linesOf(stdout: string): readonly unknown[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line): unknown => JSON.parse(line));
}

/** The type in p4p's spelling. */
export function p4pTypeOfJson(type: JsonType): P4pType {
  if (typeof type !== 'string') {
    const members = type.fields.map((field) => [field.name, p4pTypeOfJson(field.type)] as const);
    return [CODES[type.kind], type.id === '' ? 'structure' : type.id, members];
  }
  if (type === 'any') return 'v';
  if (type === 'any[]') return 'av';
  const array = /^(\w+)\[\]$/u.exec(type)?.[1];
  return array === undefined ? codeOf(type) : `a${codeOf(array)}`;
}

function codeOf(name: string): string {
  if (!isScalarName(name)) throw new Error(`'${name}' is no type that this test knows`);
  return SCALARS[name][0];
}

/** A value as p4p hands it out. */
export function taggedOfJson(type: JsonType, value: unknown): Tagged {
  if (typeof type !== 'string') return membersOfJson(type, value);
  if (type === 'any') return contentOfJson(value);
  if (type === 'any[]') return listOf(value).map((item) => contentOfJson(item));
  const array = /^(\w+)\[\]$/u.exec(type)?.[1];
  if (array === undefined) return scalarOfJson(type, value);
  const items = listOf(value).map((item) => scalarOfJson(array, item));
  return array === 'string' ? items : { array: isScalarName(array) ? SCALARS[array][1] : '', items };
}

function membersOfJson(type: JsonMembers, value: unknown): Tagged {
  switch (type.kind) {
    case 'structure': {
      const given = objectOf(value);
      const fields = type.fields.map((field) => [field.name, taggedOfJson(field.type, given[field.name])] as const);
      return { structure: type.id === '' ? 'structure' : type.id, fields: Object.fromEntries(fields) };
    }
    case 'union': {
      if (value === null) return null;
      const { select, value: inner } = objectOf(value);
      const member = type.fields.find(({ name }) => name === select);
      if (member === undefined) throw new Error(`union has no member '${String(select)}'`);
      return withoutEmpty(taggedOfJson(member.type, inner));
    }
    case 'structure[]':
    case 'union[]': {
      const kind = type.kind === 'union[]' ? 'union' : 'structure';
      return listOf(value).map((item) => (item === null ? null : membersOfJson({ ...type, kind }, item)));
    }
  }
}

function contentOfJson(value: unknown): Tagged {
  if (value === null) return null;
  const { type, value: inner } = objectOf(value);
  // An any brings its type in the form of `pvkit info --json`.
  return withoutEmpty(taggedOfJson(type as JsonType, inner));
}

/** p4p shows an empty array of numbers in a union or an any as None. */
function withoutEmpty(tagged: Tagged): Tagged {
  const isEmpty = typeof tagged === 'object' && tagged !== null && 'items' in tagged && tagged.items.length === 0;
  return isEmpty ? null : tagged;
}

function scalarOfJson(type: string, value: unknown): Tagged {
  if (type === 'string' && typeof value === 'string') return value;
  if (type === 'boolean' && typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    const number = type === 'float' ? Math.fround(value) : value;
    return Object.is(number, -0) ? { float: '-0.0' } : number;
  }
  if (typeof value === 'string' && /^-?\d+$/u.test(value)) return { int: value };
  const special = { NaN: 'nan', Infinity: 'inf', '-Infinity': '-inf' }[String(value)];
  if (special !== undefined) return { float: special };
  throw new Error(`${JSON.stringify(value)} is no ${type}`);
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${JSON.stringify(value)} is no list`);
  return value;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error(`${JSON.stringify(value)} is no object`);
  return { ...value };
}
