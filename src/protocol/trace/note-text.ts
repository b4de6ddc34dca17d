// How does a noted field read?

import { escapeText, scalarArrayText, scalarText, type TextOptions } from '../values/format-scalar.ts';
import type { TypedValue } from '../values/value-parts.ts';
import type { FieldNote } from './notes.ts';
import { typeName } from './type-notes.ts';

/** `value double = 42.5`, `subcommand ubyte = 8 (INIT)`, `timeStamp structure "time_t"`. */
export function noteText({ name, content, remark }: FieldNote, options: TextOptions = {}): string {
  const safeName = escapeText(name);
  if (content === undefined) return remark === '' ? safeName : `${safeName} ${remark}`;
  const text = `${safeName} ${typeName(content.type)} = ${leafText(content, options)}`;
  return remark === '' ? text : `${text} (${remark})`;
}

/** Notes hold values of one bit only: what has fields has notes below. */
function leafText({ type, value }: TypedValue, options: TextOptions): string {
  if (type.kind === 'scalarArray') return scalarArrayText(type.scalar, value, options);
  return scalarText(type.kind === 'scalar' ? type.scalar : 'string', value, options);
}
