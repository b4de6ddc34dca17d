// How does a type, or a value with its type, read as nested braces? The form that pvxcall and pvxinfo print.

import type { BitSet } from '../bit-set.ts';
import type { Field, TypeDesc } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import { escapeText, scalarArrayText, scalarText, typeText, type TextOptions } from './format-scalar.ts';
import { contentOf, elementsOf, fieldOf, selectedOf, type TypedValue } from './value-parts.ts';

const INDENT = '    ';

/** How a tree is printed. */
export interface TreeOptions extends TextOptions {
  /** Stands before each line. */
  readonly indent?: string;
  /** Only the fields that it selects are shown. */
  readonly mask?: BitSet;
}

/** Lines of a value, each ended by a newline. */
export function formatTree(type: TypeDesc, value: PvValue, options: TreeOptions = {}): string {
  const { mask } = options;
  const lines =
    mask === undefined ? valueLines(type, value, '', options) : selectedLines(type, value, '', options, mask, 0);
  return joinLines(lines, options.indent);
}

/** Lines of a type alone, each ended by a newline. */
export function formatType(type: TypeDesc, options: { readonly indent?: string } = {}): string {
  return joinLines(typeLines(type, ''), options.indent);
}

function joinLines(lines: readonly string[], indent = ''): string {
  return lines.map((line) => `${indent}${line}\n`).join('');
}

// --- values ----------------------------------------------------------------------------------------------------

/** As `valueLines`, with only those fields of a structure, whose own bit is `bit`, that `mask` selects. */
function selectedLines(
  type: TypeDesc,
  value: PvValue,
  name: string,
  options: TextOptions,
  mask: BitSet,
  bit: number,
): string[] {
  if (type.kind !== 'structure' || mask.has(bit)) return valueLines(type, value, name, options);
  const lines: string[] = [];
  let next = bit + 1;
  for (const field of type.fields) {
    if (mask.hasAny(next, next + field.type.bitCount)) {
      // Not push(...): a list of structures has more lines than a call takes arguments.
      for (const line of selectedLines(field.type, fieldOf(value, field), field.name, options, mask, next)) {
        lines.push(line);
      }
    }
    next += field.type.bitCount;
  }
  return braced(headOf(type), lines, name);
}

function valueLines(type: TypeDesc, value: PvValue, name: string, options: TextOptions): string[] {
  const head = headOf(type);
  switch (type.kind) {
    case 'scalar':
      return [`${head}${after(name)} = ${scalarText(type.scalar, value, options)}`];
    case 'boundedString':
      return [`${head}${after(name)} = ${scalarText('string', value, options)}`];
    case 'scalarArray':
      return [`${head}${after(name)} = ${scalarArrayText(type.scalar, value, options)}`];
    case 'structure':
      return braced(
        head,
        type.fields.flatMap((field) => valueLines(field.type, fieldOf(value, field), field.name, options)),
        name,
      );
    case 'any':
      return inline(`${head}${after(name)}`, contentOf(value), options);
    case 'union': {
      const selected = selectedOf(type, value);
      const member = selected === null ? '' : `.${escapeText(selected.select)}`;
      return inline(`${head}${after(name)}${member}`, selected, options);
    }
    case 'structureArray':
      return elements(type, value, name, options, (element) =>
        optional(element === null ? null : { type: type.element, value: element }, options),
      );
    case 'unionArray':
      return elements(type, value, name, options, (element) => valueLines(type.element, element, '', options));
    case 'anyArray':
      return elements(type, value, name, options, (element) => optional(contentOf(element), options));
  }
}

function optional(content: TypedValue | null, options: TextOptions): string[] {
  return content === null ? ['null'] : valueLines(content.type, content.value, '', options);
}

/** What a union or `any` holds begins on its own line. */
function inline(head: string, content: TypedValue | null, options: TextOptions): string[] {
  const [first = '', ...rest] = optional(content, options);
  return [`${head} ${first}`, ...rest];
}

function elements(
  type: TypeDesc,
  value: PvValue,
  name: string,
  options: TextOptions,
  linesOf: (element: PvValue) => string[],
): string[] {
  const all = elementsOf(value);
  const head = `${headOf(type)}${after(name)} = {${all.length}}[`;
  if (all.length === 0) return [`${head}]`];
  const limit = options.maxElements ?? 0;
  const shown = limit > 0 ? all.slice(0, limit) : all;
  const lines = shown.flatMap(linesOf);
  if (shown.length < all.length) lines.push('...');
  return [head, ...lines.map((line) => `${INDENT}${line}`), ']'];
}

// --- types -----------------------------------------------------------------------------------------------------

function typeLines(type: TypeDesc, name: string): string[] {
  switch (type.kind) {
    case 'structure':
    case 'union':
      return braced(headOf(type), fieldLines(type.fields), name);
    case 'structureArray':
    case 'unionArray':
      return braced(headOf(type), fieldLines(type.element.fields), name);
    default:
      return [`${headOf(type)}${after(name)}`];
  }
}

function fieldLines(fields: readonly Field[]): string[] {
  return fields.flatMap((field) => typeLines(field.type, field.name));
}

// --- both ------------------------------------------------------------------------------------------------------

function headOf(type: TypeDesc): string {
  const id = type.kind === 'structure' || type.kind === 'union' ? type.id : '';
  return id === '' ? typeText(type) : `${typeText(type)} "${escapeText(id)}"`;
}

function braced(head: string, lines: readonly string[], name: string): string[] {
  if (lines.length === 0) return [`${head} {}${after(name)}`];
  return [`${head} {`, ...lines.map((line) => `${INDENT}${line}`), `}${after(name)}`];
}

function after(name: string): string {
  return name === '' ? '' : ` ${escapeText(name)}`;
}
