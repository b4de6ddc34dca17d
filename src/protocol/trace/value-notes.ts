// Which bytes of a value are which field of it?
//
// Goes down as far as fields have names; what is one item there is read by the codec of its type.
// Spec: Protocol-Encoding, "User Data" and "Partial Structure Serialization".

import { BitSet } from '../bit-set.ts';
import { counted } from '../counted.ts';
import { RemoteProtocolError } from '../errors.ts';
import type { Field, StructureType, TypeDesc, UnionType } from '../types/type-desc.ts';
import type { NoteTaker } from './notes.ts';
import { noteType, typeName } from './type-notes.ts';

/** Bits that a remark lists; the fields themselves follow anyway. */
const SHOWN_BITS = 32;

/** A value that is there as a whole. */
export function noteValue(note: NoteTaker, name: string, type: TypeDesc): void {
  switch (type.kind) {
    case 'structure':
      return note.section(name, typeName(type), () => {
        for (const field of type.fields) noteValue(note, field.name, field.type);
      });
    case 'union':
      return noteUnion(note, name, type, () => '');
    case 'any':
      return noteAny(note, name, () => '');
    case 'structureArray':
      return noteElements(note, name, type, (at, present) => noteStructureElement(note, at, type.element, present));
    case 'unionArray':
      return noteElements(note, name, type, (at, present) => noteUnion(note, at, type.element, present));
    case 'anyArray':
      return noteElements(note, name, type, (at, present) => noteAny(note, at, present));
    default:
      note.value(name, type);
  }
}

/** A type and, unless it is the null type, a value of it. */
export function noteTypeAndValue(note: NoteTaker, typeLabel: string, valueLabel: string): void {
  const type = noteType(note, typeLabel);
  if (type === null) return;
  note.types.spendOn(type);
  note.types.insideAny(() => noteValue(note, valueLabel, type));
}

/** A BitSet and the fields that it selects. */
export function noteUpdate(note: NoteTaker, bitsLabel: string, valueLabel: string, type: TypeDesc): void {
  const mask = noteBits(note, bitsLabel, type);
  noteSelected(note, valueLabel, type, mask, 0);
}

/** Fields of `type`. */
export function noteBits(note: NoteTaker, name: string, { bitCount }: TypeDesc): BitSet {
  return note.mark(name, () => BitSet.decode(note.reader, bitCount), bitsText);
}

function noteSelected(note: NoteTaker, name: string, type: TypeDesc, mask: BitSet, bit: number): void {
  if (mask.has(bit)) return noteValue(note, name, type);
  if (type.kind !== 'structure' || !mask.hasAny(bit + 1, bit + type.bitCount)) return;
  note.section(name, typeName(type), () => noteSelectedFields(note, type, mask, bit));
}

function noteSelectedFields(note: NoteTaker, type: StructureType, mask: BitSet, bit: number): void {
  let next = bit + 1;
  for (const field of type.fields) {
    noteSelected(note, field.name, field.type, mask, next);
    next += field.type.bitCount;
  }
}

/** Reads the byte that says whether an element is there; '' if it is, else what to say. */
type ReadPresence = () => '' | 'not there';

function noteElements(
  note: NoteTaker,
  name: string,
  type: TypeDesc,
  noteElement: (name: string, readPresence: ReadPresence) => void,
): void {
  const readPresence: ReadPresence = () => (note.reader.boolean() ? '' : 'not there');
  note.group(
    name,
    () => {
      const count = note.reader.count(1);
      // As the codecs do, here and below: a count is cheap to claim, and an element takes more than its bytes.
      note.types.spend(count);
      return [`${typeName(type)}, ${counted(count, 'element')}`, count];
    },
    (count) => {
      for (let index = 0; index < count; index++) noteElement(`[${index}]`, readPresence);
    },
  );
}

function noteStructureElement(note: NoteTaker, name: string, type: StructureType, readPresence: ReadPresence): void {
  note.group(
    name,
    () => {
      const absence = readPresence();
      return [absence === '' ? typeName(type) : absence, absence === ''];
    },
    (isThere) => {
      if (!isThere) return;
      note.types.spendOn(type);
      for (const field of type.fields) noteValue(note, field.name, field.type);
    },
  );
}

function noteUnion(note: NoteTaker, name: string, type: UnionType, readPresence: ReadPresence): void {
  note.group(
    name,
    () => {
      const absence = readPresence();
      if (absence !== '') return [absence, undefined];
      const index = note.reader.sizeOrNull();
      if (index === null) return [`${typeName(type)}, nothing selected`, undefined];
      return [`${typeName(type)}, member ${index}`, memberAt(note, type, index)];
    },
    (member) => {
      if (member === undefined) return;
      note.types.spendOn(member.type);
      noteValue(note, member.name, member.type);
    },
  );
}

function noteAny(note: NoteTaker, name: string, readPresence: ReadPresence): void {
  note.group(
    name,
    () => {
      const absence = readPresence();
      return [absence === '' ? 'any' : absence, absence === ''];
    },
    (isThere) => {
      if (isThere) noteTypeAndValue(note, 'type', 'value');
    },
  );
}

function memberAt(note: NoteTaker, { fields }: UnionType, index: number): Field {
  const member = fields[index];
  if (member !== undefined) return member;
  throw new RemoteProtocolError(
    `union selector ${index} before offset ${note.reader.offset}, the union has ${fields.length} members`,
  );
}

function bitsText(mask: BitSet): string {
  const bits: number[] = [];
  for (let bit = mask.next(0); bit !== -1; bit = mask.next(bit + 1)) {
    if (bits.length === SHOWN_BITS) return `bits ${bits.join(', ')}, ...`;
    bits.push(bit);
  }
  if (bits.length === 0) return 'no bits';
  return `${bits.length === 1 ? 'bit' : 'bits'} ${bits.join(', ')}`;
}
