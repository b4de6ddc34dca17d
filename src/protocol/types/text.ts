// How does a type read as text, with the names that pvData gives to scalars?
//
// `double value`, `string(8) name` (at most 8 bytes), `int[] a`, `int<8> a` (at most 8), `int[8] a` (exactly 8),
// `struct "time_t" { ... } timeStamp`, `union {...} choice`, `struct[] "item_t" {...} list`, `any anything`.

import type { Field, TypeDesc } from './type-desc.ts';

const INDENT = '    ';

/** A type over several lines, each ended by a newline; `name` stands behind it as behind a field. */
export function typeToText(type: TypeDesc, name = ''): string {
  return linesOf(type, name)
    .map((line) => `${line}\n`)
    .join('');
}

/** A type on one line: `struct "time_t" { long secondsPastEpoch, int nanoseconds, int userTag }`. */
export function typeToLine(type: TypeDesc, name = ''): string {
  const fields = fieldsOf(type);
  if (fields === undefined) return `${headOf(type)}${behind(name)}`;
  const inner = fields.map((field) => typeToLine(field.type, field.name)).join(', ');
  return `${headOf(type)} ${inner === '' ? '{}' : `{ ${inner} }`}${behind(name)}`;
}

function linesOf(type: TypeDesc, name: string): readonly string[] {
  const fields = fieldsOf(type);
  if (fields === undefined || fields.length === 0) return [typeToLine(type, name)];
  const inner = fields.flatMap((field) => linesOf(field.type, field.name)).map((line) => `${INDENT}${line}`);
  return [`${headOf(type)} {`, ...inner, `}${behind(name)}`];
}

function headOf(type: TypeDesc): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar;
    case 'boundedString':
      return `string(${type.bound})`;
    case 'scalarArray':
      return `${type.scalar}${{ variable: '[]', bounded: `<${type.size}>`, fixed: `[${type.size}]` }[type.sizing]}`;
    case 'structure':
      return `struct${idOf(type.id)}`;
    case 'union':
      return `union${idOf(type.id)}`;
    case 'structureArray':
      return `struct[]${idOf(type.element.id)}`;
    case 'unionArray':
      return `union[]${idOf(type.element.id)}`;
    case 'any':
      return 'any';
    case 'anyArray':
      return 'any[]';
  }
}

function fieldsOf(type: TypeDesc): readonly Field[] | undefined {
  if (type.kind === 'structure' || type.kind === 'union') return type.fields;
  if (type.kind === 'structureArray' || type.kind === 'unionArray') return type.element.fields;
  return undefined;
}

function idOf(id: string): string {
  return id === '' ? '' : ` ${quote(id)}`;
}

/** Names come from peers: only harmless ones go to a terminal as they are. */
function behind(name: string): string {
  if (name === '') return '';
  return /^[\w$.:-]+$/.test(name) ? ` ${name}` : ` ${quote(name)}`;
}

/** As JSON, and without the control characters that JSON lets through. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
