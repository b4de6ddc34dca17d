// How does an update read as lines, one for each field that it carries? The form that pvxget and pvxmonitor print.

import type { BitSet } from '../bit-set.ts';
import type { StructureType, TypeDesc } from '../types/type-desc.ts';
import type { PvValue } from '../types/value-of.ts';
import { escapeText, scalarArrayText, scalarText, typeText, type TextOptions } from './format-scalar.ts';
import { contentOf, elementsOf, fieldOf, selectedOf } from './value-parts.ts';

/** One line: `alarm.severity int32_t = 2`. */
export interface DeltaLine {
  /** Where: `value.index`, `list[2].name`, `choice->text`; '' for the value itself. */
  readonly path: string;
  /** What: `int32_t`, `struct "alarm_t"`, `null`. */
  readonly type: string;
  /** The value of a scalar or an array of scalars, null for what has lines of its own. */
  readonly text: string | null;
}

/** The lines of the fields that `changed` selects, or of all fields without it. */
export function deltaLines(type: TypeDesc, value: PvValue, changed?: BitSet, options: TextOptions = {}): DeltaLine[] {
  const lines: DeltaLine[] = [];

  /** A value that is whole: the inside of a union, `any` or array, or the field of a selected structure. */
  function whole(path: string, type: TypeDesc, value: PvValue): void {
    switch (type.kind) {
      case 'scalar':
        return add(path, type, scalarText(type.scalar, value, options));
      case 'boundedString':
        return add(path, type, scalarText('string', value, options));
      case 'scalarArray':
        return add(path, type, scalarArrayText(type.scalar, value, options));
      case 'structure':
        return fields(path, type, value);
      case 'any': {
        add(path, type, null);
        return optional(`${path}->`, contentOf(value));
      }
      case 'union': {
        const selected = selectedOf(type, value);
        add(path, type, null);
        return optional(`${path}->${selected?.select ?? ''}`, selected);
      }
      case 'structureArray':
        return array(path, type, value, (at, element) =>
          optional(at, element === null ? null : { type: type.element, value: element }),
        );
      case 'unionArray':
        return array(path, type, value, (at, element) => whole(at, type.element, element));
      case 'anyArray':
        return array(path, type, value, (at, element) => optional(at, contentOf(element)));
    }
  }

  /** What may be absent; a structure that is there gets a line for itself. */
  function optional(path: string, content: { readonly type: TypeDesc; readonly value: PvValue } | null): void {
    if (content === null) return void lines.push({ path, type: 'null', text: null });
    if (content.type.kind === 'structure') add(path, content.type, null);
    whole(path, content.type, content.value);
  }

  function array(path: string, type: TypeDesc, value: PvValue, each: (path: string, element: PvValue) => void): void {
    add(path, type, null);
    const elements = elementsOf(value);
    const limit = options.maxElements ?? 0;
    for (const [index, element] of elements.entries()) {
      if (limit > 0 && index >= limit) return void lines.push({ path: `${path}[${index}]`, type: '...', text: null });
      each(`${path}[${index}]`, element);
    }
  }

  function fields(path: string, type: StructureType, value: PvValue): void {
    for (const field of type.fields) whole(join(path, field.name), field.type, fieldOf(value, field));
  }

  /** The selected fields of a structure whose own bit is `bit`. */
  function selected(path: string, type: TypeDesc, value: PvValue, mask: BitSet, bit: number): void {
    if (mask.has(bit)) {
      if (type.kind === 'structure') add(path, type, null);
      return whole(path, type, value);
    }
    if (type.kind !== 'structure' || !mask.hasAny(bit + 1, bit + type.bitCount)) return;
    let next = bit + 1;
    for (const field of type.fields) {
      if (mask.hasAny(next, next + field.type.bitCount)) {
        selected(join(path, field.name), field.type, fieldOf(value, field), mask, next);
      }
      next += field.type.bitCount;
    }
  }

  function add(path: string, type: TypeDesc, text: string | null): void {
    const id = type.kind === 'structure' && type.id !== '' ? ` "${escapeText(type.id)}"` : '';
    lines.push({ path, type: `${typeText(type)}${id}`, text });
  }

  if (changed === undefined) whole('', type, value);
  else selected('', type, value, changed, 0);
  return lines;
}

/** A line as it is printed: path, type, and the value if it has one. */
export function deltaLineText({ path, type, text }: DeltaLine): string {
  return `${path}${path === '' ? '' : ' '}${type}${text === null ? '' : ` = ${text}`}`;
}

/** Lines joined, each ended by a newline; `indent` stands before each. */
export function formatDelta(
  type: TypeDesc,
  value: PvValue,
  changed?: BitSet,
  options: TextOptions & { readonly indent?: string } = {},
): string {
  const indent = options.indent ?? '';
  return deltaLines(type, value, changed, options)
    .map((line) => `${indent}${deltaLineText(line)}\n`)
    .join('');
}

function join(path: string, name: string): string {
  // A name is a peer's text: whatever it holds stays on its line.
  const safe = escapeText(name);
  return path === '' ? safe : `${path}.${safe}`;
}
