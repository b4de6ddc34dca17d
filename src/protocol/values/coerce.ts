// How does what a person or a program gives become a value of a type, strictly but without fuss?
//
// Beside what coerce-scalar.ts and coerce-array.ts take:
// - a structure: a plain object that names fields, some or all; `a.b` names a field further down; undefined is left out
// - NTScalar, NTScalarArray and NTEnum: also the bare value, for their field `value`
// - enum_t: also a label or an index, looked up in the choices of the current value
// - a union: `{ select, value }`, null, or a bare value that only one member can take
// - any: `{ type, value }`, null, or a bare value whose type is inferred (infer-type.ts)
// What has the type already comes out as it went in. Nothing is taken from prototypes, unknown fields are refused.

import { BitSet } from '../bit-set.ts';
import { LimitError, LocalProtocolError, PvaError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { fieldBits } from '../types/field-bits.ts';
import { isEnum, normativeKind } from '../types/normative-kind.ts';
import { any, type Field, type StructureType, type TypeDesc, type UnionType } from '../types/type-desc.ts';
import type { AnyValue, PvValue, StructureValue, UnionValue } from '../types/value-of.ts';
import { anyCodecOf } from './codec.ts';
import { coerceArray, listOf } from './coerce-array.ts';
import { coerceBoundedString, scalarCoercion } from './coerce-scalar.ts';
import { enumIndex } from './enum-index.ts';
import { infer } from './infer-type.ts';
import { inField, located } from './located.ts';
import { typeMismatch } from './mismatch.ts';
import { looksLike } from './looks-like.ts';
import { isPlainObject, isSelection, isTypedValue } from './plain-object.ts';
import type { Update } from './update.ts';

/** Kinds whose bare value may stand for the whole. */
const BARE_KINDS: ReadonlySet<string | undefined> = new Set(['NTScalar', 'NTScalarArray', 'NTEnum']);

const SHOWN_FIELDS = 12;

/**
 * A full value of `type`. Fields that `input` does not name are those of `current`, or defaults.
 * Throws `LocalProtocolError` with `fieldPath`, `path` standing before it, when the input does not fit.
 */
export function coerce(type: TypeDesc, input: unknown, path = '', current?: PvValue): PvValue {
  return located(path, () => apply(type, input, current, 0, { changed: undefined, anyNesting: 0 }));
}

/**
 * A full value and the leaves that `patch` names (values/leaf-mask.ts), for a post or put of some fields. Throws like
 * `coerce`. Labels of an enum need `current`, which has the choices.
 */
export function coercePartial(type: TypeDesc, patch: unknown, current?: PvValue): Update {
  const changed = BitSet.empty();
  const value = located('', () => apply(type, patch, current, 0, { changed, anyNesting: 0 }));
  return { changed, value };
}

/** What goes along through all levels of a value. */
interface Pass {
  /** Takes the bits of what is set; undefined where there are none, inside of arrays, unions and any. */
  readonly changed: BitSet | undefined;
  readonly anyNesting: number;
}

/** `base` with `input` over it; `bit` is the number of this value's own bit. */
function apply(type: TypeDesc, input: unknown, base: PvValue | undefined, bit: number, pass: Pass): PvValue {
  if (type.kind === 'structure') return applyToStructure(type, input, base, bit, pass);
  pass.changed?.add(bit);
  switch (type.kind) {
    case 'scalar':
      return scalarCoercion(type.scalar)(input);
    case 'boundedString':
      return coerceBoundedString(type.bound, input);
    case 'scalarArray':
      return coerceArray(type, input);
    case 'union':
      return toUnion(type, input, pass);
    case 'any':
      return toAny(input, pass);
    case 'structureArray':
    case 'unionArray':
      return toList(type.element, input, pass);
    case 'anyArray':
      return toList(any, input, pass);
  }
}

function applyInside(type: TypeDesc, input: unknown, { anyNesting }: Pass): PvValue {
  return apply(type, input, undefined, 0, { changed: undefined, anyNesting });
}

// --- structures ------------------------------------------------------------------------------------------------

function applyToStructure(
  type: StructureType,
  input: unknown,
  base: PvValue | undefined,
  bit: number,
  pass: Pass,
): PvValue {
  // A value of a structure type is a structure.
  const before = (base === undefined ? anyCodecOf(type).defaultValue() : base) as StructureValue;
  const named = isPlainObject(input) ? input : nameBare(type, input, before);
  const after: Record<string, PvValue> = { ...before };
  if (type.fields.length === 0) pass.changed?.add(bit);
  for (const path of Object.keys(named)) {
    const given = named[path];
    if (given === undefined) continue;
    const { index, field, rest } = findField(type, path);
    const { name } = field;
    const value = inField(name, () =>
      apply(
        field.type,
        rest === undefined ? given : { [rest]: given },
        Object.hasOwn(after, name) ? after[name] : undefined,
        bit + (fieldBits(type)[index] ?? 0),
        pass,
      ),
    );
    setField(after, name, value);
  }
  return after;
}

/** Assignment is several times as fast, but that of `__proto__` would set the prototype. */
function setField(fields: Record<string, PvValue>, name: string, value: PvValue): void {
  if (name !== '__proto__') fields[name] = value;
  else Object.defineProperty(fields, name, { value, enumerable: true, writable: true, configurable: true });
}

/** What stands for a structure without naming its fields. */
function nameBare(type: StructureType, input: unknown, before: StructureValue): Readonly<Record<string, unknown>> {
  if (isEnum(type)) {
    // isEnum says that choices are strings.
    return { index: enumIndex(before['choices'] as readonly string[], input) };
  }
  // Of a field it means that it is left out; in place of a value it is a slip, and would do nothing in silence.
  if (input !== undefined && BARE_KINDS.has(normativeKind(type))) return { value: input };
  throw typeMismatch(`an object with fields ${listed(type.fields)}`, input);
}

interface FoundField {
  readonly index: number;
  readonly field: Field;
  /** What is left of a path that goes on inside of the field. */
  readonly rest: string | undefined;
}

/** The field of that name, or else the structure that the path begins with: names with dots in them come first. */
function findField(type: StructureType, path: string): FoundField {
  const whole = type.indexOf.get(path);
  const named = whole === undefined ? undefined : type.fields[whole];
  if (whole !== undefined && named !== undefined) return { index: whole, field: named, rest: undefined };
  // Past the longest name nothing is looked up: a path of a thousand dots would be, a thousand times.
  let end = path.lastIndexOf('.', longestName(type));
  for (; end >= 0; end = end === 0 ? -1 : path.lastIndexOf('.', end - 1)) {
    const index = type.indexOf.get(path.slice(0, end));
    const field = index === undefined ? undefined : type.fields[index];
    if (index === undefined || field === undefined) continue;
    if (field.type.kind === 'structure') return { index, field, rest: path.slice(end + 1) };
  }
  const unknown = new LocalProtocolError(
    `no such field, ${type.id === '' ? 'the structure' : type.id} has ${listed(type.fields)}`,
  );
  unknown.fieldPath = path;
  throw unknown;
}

const longestNames = new WeakMap<StructureType, number>();

function longestName(type: StructureType): number {
  let longest = longestNames.get(type);
  if (longest === undefined) {
    longest = type.fields.reduce((most, { name }) => Math.max(most, name.length), 0);
    longestNames.set(type, longest);
  }
  return longest;
}

function listed(fields: readonly Field[]): string {
  if (fields.length === 0) return 'none';
  const shown = fields.slice(0, SHOWN_FIELDS).map(({ name }) => name);
  return fields.length > SHOWN_FIELDS
    ? `${shown.join(', ')} and ${fields.length - SHOWN_FIELDS} more`
    : shown.join(', ');
}

// --- unions, any and lists of them -----------------------------------------------------------------------------

function toUnion(type: UnionType, input: unknown, pass: Pass): UnionValue {
  if (input === null) return null;
  if (!isSelection(input)) return toOnlyMember(type, input, pass);
  const field = type.fields[type.indexOf.get(input.select) ?? -1];
  if (field === undefined) throw typeMismatch(`the name of a member (${listed(type.fields)})`, input.select);
  return { select: field.name, value: inField(field.name, () => applyInside(field.type, input.value, pass)) };
}

/** Members that look like the input come first: any text is a string, though a number might be read from it. */
function toOnlyMember(type: UnionType, input: unknown, pass: Pass): UnionValue {
  const alike = takers(
    type.fields.filter((field) => looksLike(field.type, input)),
    input,
    pass,
  );
  const all = alike.length > 0 ? alike : takers(type.fields, input, pass);
  const [only, ...others] = all;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) throw typeMismatch(`a value that a member takes (${listed(type.fields)}), or null`, input);
  const names = all.map(({ select }) => select).join(', ');
  throw new LocalProtocolError(`{ select, value } expected, because ${names} could all take the value`);
}

function takers(fields: readonly Field[], input: unknown, pass: Pass): readonly NonNullable<UnionValue>[] {
  return fields.flatMap(({ name, type }) => {
    try {
      return [{ select: name, value: applyInside(type, input, pass) }];
    } catch (thrown) {
      if (thrown instanceof PvaError) return [];
      throw thrown;
    }
  });
}

function toAny(input: unknown, pass: Pass): AnyValue {
  if (input === null) return null;
  const { maxTypeNesting } = DEFAULT_LIMITS;
  const anyNesting = pass.anyNesting + 1;
  if (anyNesting > maxTypeNesting) throw new LimitError('maxTypeNesting', anyNesting, maxTypeNesting, 'any inside any');
  const { type, value } = isTypedValue(input) ? input : { type: infer(input), value: input };
  return { type, value: applyInside(type, value, { changed: undefined, anyNesting }) };
}

function toList(element: TypeDesc, input: unknown, pass: Pass): PvValue {
  const items = listOf(input);
  if (items === undefined) throw typeMismatch(`a list of ${element.kind} values`, input);
  const values: PvValue[] = [];
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    values.push(item === null ? null : inField(`[${index}]`, () => applyInside(element, item, pass)));
  }
  // Every element has been made a value of the one element type.
  return values as PvValue;
}
