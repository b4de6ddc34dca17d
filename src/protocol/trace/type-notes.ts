// Which bytes of a type description (FieldDesc) say what?
//
// The type is decoded by the registry of the link, as always; its bytes are then gone through once more, beside what
// they were found to mean. They need no registry for that: an id that stands for a type is three bytes.
//
// Spec: Protocol-Encoding, "Introspection Data".

import { counted } from '../counted.ts';
import type { Reader } from '../reader.ts';
import type { TypeDesc } from '../types/type-desc.ts';
import { escapeText, sizingText } from '../values/format-scalar.ts';
import type { NoteTaker } from './notes.ts';

const ONLY_ID = 0xfe;
const FULL_WITH_ID = 0xfd;

/** Reads a type, or null for the null type. */
export function noteType(note: NoteTaker, name: string): TypeDesc | null {
  const start = note.reader.offset;
  const type = note.types.decode(note.reader);
  note.reader.offset = start;
  describe(note, name, type);
  return type;
}

/** The words of pvData: `double`, `int[8]` for exactly eight, `int<8>` for at most eight, `structure "time_t"`. */
export function typeName(type: TypeDesc): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar;
    case 'scalarArray':
      return `${type.scalar}${sizingText(type)}`;
    case 'boundedString':
      return `string(${type.bound})`;
    case 'any':
      return 'any';
    case 'anyArray':
      return 'any[]';
    case 'structure':
    case 'union':
      return withId(type.kind, type.id);
    case 'structureArray':
      return withId('structure[]', type.element.id);
    case 'unionArray':
      return withId('union[]', type.element.id);
  }
}

function withId(kind: string, id: string): string {
  return id === '' ? kind : `${kind} "${escapeText(id)}"`;
}

/** Of a field its name belongs to the same note, and stands in front of the type. */
function describe(note: NoteTaker, name: string, type: TypeDesc | null, isField = false): void {
  const { reader } = note;
  note.group<TypeDesc | undefined>(
    name,
    () => {
      if (isField) reader.string();
      const code = reader.u8();
      if (type === null) return ['null type', undefined];
      if (code === ONLY_ID) return [`${typeName(type)}, defined before as type ${reader.u16()}`, undefined];
      const id = code === FULL_WITH_ID ? `, from now on type ${reader.u16()}` : '';
      if (code === FULL_WITH_ID) reader.skip(1);
      return [`${typeName(type)}${readHead(reader, type)}${id}`, type];
    },
    (described) => {
      if (described !== undefined) describeInside(note, described);
    },
  );
}

/** What stands between the code of a type and the types inside of it. */
function readHead(reader: Reader, type: TypeDesc): string {
  switch (type.kind) {
    case 'boundedString':
      reader.size();
      return '';
    case 'scalarArray':
      if (type.sizing !== 'variable') reader.size();
      return '';
    case 'structure':
    case 'union':
      reader.string();
      reader.size();
      return `, ${counted(type.fields.length, 'field')}`;
    default:
      return '';
  }
}

function describeInside(note: NoteTaker, type: TypeDesc): void {
  switch (type.kind) {
    case 'structure':
    case 'union':
      for (const field of type.fields) describe(note, field.name, field.type, true);
      return;
    case 'structureArray':
    case 'unionArray':
      return describe(note, 'element', type.element);
    default:
  }
}
