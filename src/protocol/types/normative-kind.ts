// Which normative type is a structure, judged by its id and by the fields that make it one?
//
// Ids name a type and a version, such as `epics:nt/NTScalar:1.0`; only the major version decides. Other fields may stand
// before, between and behind the ones looked for: groups of an IOC put theirs first.
// Spec: Normative-Types-Specification, "Normative Type instance self-identification".

import type { StructureType, TypeDesc } from './type-desc.ts';

/** The normative types that are known by name. Spec: Normative-Types-Specification. */
export type NormativeKind =
  | 'NTScalar'
  | 'NTScalarArray'
  | 'NTEnum'
  | 'NTTable'
  | 'NTNDArray'
  | 'NTURI'
  | 'NTNameValue'
  | 'NTUnion'
  | 'NTAttribute';

/** The major version of all normative types known here. */
const MAJOR_VERSION = '1';

const ID = /^epics:nt\/(?<name>\w+):(?<major>\d+)(?:\.\d+)*$/;

type Shape = Readonly<Record<string, (type: TypeDesc) => boolean>>;

const isText = (type: TypeDesc): boolean =>
  (type.kind === 'scalar' && type.scalar === 'string') || type.kind === 'boundedString';
const isTexts = (type: TypeDesc): boolean => type.kind === 'scalarArray' && type.scalar === 'string';
const isScalar = (type: TypeDesc): boolean => type.kind === 'scalar' || type.kind === 'boundedString';
const isScalarArray = (type: TypeDesc): boolean => type.kind === 'scalarArray';
const isUnion = (type: TypeDesc): boolean => type.kind === 'union' || type.kind === 'any';
const isColumns = (type: TypeDesc): boolean =>
  type.kind === 'structure' && type.fields.every((field) => isScalarArray(field.type));
const isAny = (type: TypeDesc): boolean => type.kind === 'any';
const isStructureArray = (type: TypeDesc): boolean => type.kind === 'structureArray';

/** The fields that have to be there, and how each is known. */
const SHAPES: ReadonlyMap<string, readonly [kind: NormativeKind, shape: Shape]> = new Map(
  Object.entries({
    NTScalar: ['NTScalar', { value: isScalar }],
    NTScalarArray: ['NTScalarArray', { value: isScalarArray }],
    NTEnum: ['NTEnum', { value: isEnum }],
    NTTable: ['NTTable', { labels: isTexts, value: isColumns }],
    NTNDArray: ['NTNDArray', { value: isUnion, dimension: isStructureArray }],
    NTURI: ['NTURI', { scheme: isText, path: isText }],
    NTNameValue: ['NTNameValue', { name: isTexts, value: isScalarArray }],
    NTUnion: ['NTUnion', { value: isUnion }],
    NTAttribute: ['NTAttribute', { name: isText, value: isAny }],
  } satisfies Readonly<Record<NormativeKind, readonly [NormativeKind, Shape]>>),
);

const kinds = new WeakMap<StructureType, NormativeKind | 'none'>();

/** The normative type that `type` says it is, if it has the fields that go with it. */
export function normativeKind(type: TypeDesc): NormativeKind | undefined {
  if (type.kind !== 'structure' || type.id === '') return undefined;
  let kind = kinds.get(type);
  if (kind === undefined) {
    kind = findKind(type) ?? 'none';
    kinds.set(type, kind);
  }
  return kind === 'none' ? undefined : kind;
}

/** An `enum_t`: the index of one of its choices. Known by its fields; some peers give no id, or another order. */
export function isEnum(type: TypeDesc): boolean {
  if (type.kind !== 'structure' || type.fields.length !== 2) return false;
  const index = fieldType(type, 'index');
  const choices = fieldType(type, 'choices');
  return index?.kind === 'scalar' && index.scalar === 'int' && choices !== undefined && isTexts(choices);
}

function findKind(type: StructureType): NormativeKind | undefined {
  const { name = '', major } = ID.exec(type.id)?.groups ?? {};
  if (major !== MAJOR_VERSION) return undefined;
  const [kind, shape = {}] = SHAPES.get(name) ?? [];
  const fits = Object.entries(shape).every(([field, isRight]) => {
    const found = fieldType(type, field);
    return found !== undefined && isRight(found);
  });
  return fits ? kind : undefined;
}

function fieldType(type: StructureType, name: string): TypeDesc | undefined {
  return type.fields[type.indexOf.get(name) ?? -1]?.type;
}
