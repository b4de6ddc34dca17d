// Which fields of a type does a pvRequest select?
//
// As in pvxs: the type sent is always the full type; a request names fields by structures without data; names that the
// type does not have are ignored as long as one is found; what is not a structure is no name; an empty structure
// selects all below it; a request without `field`, or with an empty one, selects everything.

import { BitSet } from '../bit-set.ts';
import { LocalProtocolError } from '../errors.ts';
import { OPTIONS_FIELD, type FieldPart } from '../pv-request.ts';
import { fieldBits } from '../types/field-bits.ts';
import type { StructureType, TypeDesc } from '../types/type-desc.ts';
import type { AnyValue } from '../types/value-of.ts';

/** The fields of a type that a pvRequest selects. */
export interface Selection {
  /** Bits of the selected leaves (values/leaf-mask.ts): equal selections are equal sets. */
  readonly mask: BitSet;
  readonly isEverything: boolean;
  /** Requested names that the type does not have, as dotted paths. */
  readonly unmatched: readonly string[];
  /** A sentence about `unmatched` for the client's MESSAGE; undefined when there are none. */
  readonly notice: string | undefined;
}

const SHOWN_NAMES = 5;
const SHOWN_CHARACTERS = 100;

/**
 * Applies the `field` part, or another, to a type. For PUT_GET a missing `putField` or `getField` falls back to `field`.
 * Throws `LocalProtocolError` when names are given and none is found: the text for a Status ERROR.
 */
export function selectionOf(type: TypeDesc, pvRequest: AnyValue, part: FieldPart = 'field'): Selection {
  if (type.kind !== 'structure') return everything(BitSet.of(0));
  const requested = partOf(pvRequest, part) ?? (part === 'field' ? undefined : partOf(pvRequest, 'field'));
  if (requested === undefined) return everything(leavesOf(type));

  const found: Found = { mask: BitSet.empty(), unmatched: [], matchCount: 0 };
  if (requested.kind === 'structure') {
    const names = namesOf(requested, type);
    if (names.length === 0) return everything(leavesOf(type));
    for (const name of names) select(type, 0, name, '', found);
  }
  if (found.matchCount === 0) throw nothingSelected(type, part, found.unmatched);
  return {
    mask: found.mask,
    isEverything: found.mask.equals(leavesOf(type)),
    unmatched: found.unmatched,
    notice: noticeOf(type, found.unmatched),
  };
}

interface Found {
  readonly mask: BitSet;
  readonly unmatched: string[];
  matchCount: number;
}

/** A name to be looked for, with what is asked for inside of it. */
interface Name {
  readonly name: string;
  readonly inner: StructureType;
}

function everything(mask: BitSet): Selection {
  return { mask, isEverything: true, unmatched: [], notice: undefined };
}

function partOf(pvRequest: AnyValue, part: FieldPart): TypeDesc | undefined {
  if (pvRequest?.type.kind !== 'structure') return undefined;
  return fieldType(pvRequest.type, part);
}

function fieldType(type: StructureType, name: string): TypeDesc | undefined {
  return type.fields[type.indexOf.get(name) ?? -1]?.type;
}

/** Structures name fields; `_options` beside them carries options, unless the type has a field of that name. */
function namesOf(requested: StructureType, type: TypeDesc): readonly Name[] {
  const isName = (name: string): boolean =>
    name !== OPTIONS_FIELD || (type.kind === 'structure' && type.indexOf.has(OPTIONS_FIELD));
  return requested.fields.flatMap(({ name, type: inner }) =>
    inner.kind === 'structure' && isName(name) ? [{ name, inner }] : [],
  );
}

function select(type: StructureType, bit: number, { name, inner }: Name, prefix: string, found: Found): void {
  const path = prefix === '' ? name : `${prefix}.${name}`;
  const index = type.indexOf.get(name);
  const field = index === undefined ? undefined : type.fields[index]?.type;
  if (index === undefined || field === undefined) {
    found.unmatched.push(path);
    return;
  }
  const fieldBit = bit + (fieldBits(type)[index] ?? 0);
  const names = namesOf(inner, field);
  if (names.length > 0 && field.kind === 'structure') {
    for (const one of names) select(field, fieldBit, one, path, found);
    return;
  }
  // A name inside of what is no structure is not there; the whole field is sent, as in pvxs.
  for (const one of names) found.unmatched.push(`${path}.${one.name}`);
  found.matchCount++;
  addLeaves(field, fieldBit, found.mask);
}

function leavesOf(type: StructureType): BitSet {
  const leaves = BitSet.empty();
  addLeaves(type, 0, leaves);
  return leaves;
}

/** A structure without fields has no leaves and counts as one itself. */
function addLeaves(type: TypeDesc, bit: number, leaves: BitSet): void {
  if (type.kind !== 'structure' || type.fields.length === 0) {
    leaves.add(bit);
    return;
  }
  const bits = fieldBits(type);
  for (const [index, field] of type.fields.entries()) addLeaves(field.type, bit + (bits[index] ?? 0), leaves);
}

function nothingSelected(type: StructureType, part: FieldPart, unmatched: readonly string[]): LocalProtocolError {
  const given = unmatched.length === 0 ? `${part} names none` : `there is no ${listed(unmatched)}`;
  const fields = type.fields.map(({ name }) => name);
  return new LocalProtocolError(
    `pvRequest must select at least one field: ${given}, ${describeType(type)} has ${fields.length === 0 ? 'none' : listed(fields)}`,
  );
}

function noticeOf(type: StructureType, unmatched: readonly string[]): string | undefined {
  if (unmatched.length === 0) return undefined;
  return `pvRequest: ${describeType(type)} has no ${listed(unmatched)}; ignored`;
}

function describeType(type: StructureType): string {
  return type.id === '' ? 'the structure' : clip(type.id);
}

/** Names as they came from the peer: few and short enough for a sentence. */
function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, SHOWN_NAMES)
    .map((name) => `'${clip(name)}'`)
    .join(', ');
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown;
}

function clip(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
