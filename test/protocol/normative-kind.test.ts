// Which structures are taken for a normative type, and which only say that they are one?
import { describe, expect, it } from 'vitest';
import { isEnum, normativeKind } from '../../src/protocol/types/normative-kind.ts';
import {
  any,
  arrayOf,
  boundedString,
  double,
  int,
  long,
  string,
  structure,
  union,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';

const ENUM = structure('enum_t', { index: int, choices: arrayOf(string) });
const ROW = structure({ size: int });
const COLUMNS = structure({ a: arrayOf(double), b: arrayOf(string) });
const CHOICE = union({ a: arrayOf(double) });

/** What makes each type what it is. */
const SHAPES: Readonly<Record<string, Readonly<Record<string, TypeDesc>>>> = {
  NTScalar: { value: double },
  NTScalarArray: { value: arrayOf(double) },
  NTEnum: { value: ENUM },
  NTTable: { labels: arrayOf(string), value: COLUMNS },
  NTNDArray: { value: CHOICE, dimension: arrayOf(ROW) },
  NTURI: { scheme: string, path: string },
  NTNameValue: { name: arrayOf(string), value: arrayOf(double) },
  NTUnion: { value: CHOICE },
  NTAttribute: { name: string, value: any },
};

/** What looks like it, and is not. */
const WRONG: readonly (readonly [kind: string, field: string, type: TypeDesc])[] = [
  ['NTScalar', 'value', arrayOf(double)],
  ['NTScalar', 'value', ENUM],
  ['NTScalarArray', 'value', double],
  ['NTEnum', 'value', int],
  ['NTEnum', 'value', structure({ index: long, choices: arrayOf(string) })],
  ['NTEnum', 'value', structure({ index: arrayOf(int), choices: arrayOf(string) })],
  ['NTEnum', 'value', structure({ index: int, choices: arrayOf(int) })],
  ['NTEnum', 'value', structure({ index: int, choices: string })],
  ['NTEnum', 'value', structure({ index: int, choice: arrayOf(string) })],
  ['NTEnum', 'value', structure({ index: int, choices: arrayOf(string), more: int })],
  ['NTTable', 'labels', string],
  ['NTTable', 'labels', arrayOf(double)],
  ['NTTable', 'value', structure({ a: arrayOf(double), b: double })],
  ['NTTable', 'value', arrayOf(double)],
  ['NTNDArray', 'value', arrayOf(double)],
  ['NTNDArray', 'dimension', ROW],
  ['NTURI', 'scheme', double],
  ['NTURI', 'path', arrayOf(string)],
  ['NTNameValue', 'name', string],
  ['NTNameValue', 'value', double],
  ['NTUnion', 'value', double],
  ['NTAttribute', 'name', double],
  ['NTAttribute', 'value', CHOICE],
];

describe('the kind of a normative type', () => {
  it.each(Object.entries(SHAPES))('is told by its id and its fields: %s', (kind, fields) => {
    expect(normativeKind(structure(`epics:nt/${kind}:1.0`, fields))).toBe(kind);
    expect(normativeKind(structure(`epics:nt/${kind}:1`, { before: int, ...fields, behind: string }))).toBe(kind);
    expect(normativeKind(structure(`epics:nt/${kind}:1.2.3`, fields))).toBe(kind);
  });

  it.each(Object.entries(SHAPES))('is not told where a field is missing: %s', (kind, fields) => {
    for (const missing of Object.keys(fields)) {
      const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => name !== missing));
      expect(normativeKind(structure(`epics:nt/${kind}:1.0`, { other: int, ...rest }))).toBeUndefined();
    }
  });

  it.each(WRONG)('is not told where a field is another: %s with %s', (kind, field, type) => {
    expect(normativeKind(structure(`epics:nt/${kind}:1.0`, { ...SHAPES[kind], [field]: type }))).toBeUndefined();
  });

  it.each([
    '',
    'epics:nt/NTScalar:2.0',
    'epics:nt/NTScalar:11.0',
    'epics:nt/NTScalar',
    'epics:nt/NTScalar:1.',
    'epics:nt/NTScalar:1.x',
    'xepics:nt/NTScalar:1.0',
    'epics:nt/NTScalar:1.0x',
    'epics:nt/NTOther:1.0',
    'NTScalar:1.0',
  ])('is not told by the id %j', (id) => {
    expect(normativeKind(structure(id, { value: double }))).toBeUndefined();
  });

  it('is the same when it is asked for again', () => {
    const type = structure('epics:nt/NTScalar:1.0', { value: double });
    const other = structure('epics:nt/NTScalar:1.0', { other: double });
    expect([type, type, other, other].map(normativeKind)).toEqual(['NTScalar', 'NTScalar', undefined, undefined]);
  });

  it('takes text of bounded length for text and for a scalar', () => {
    const bounded = boundedString(40);
    expect(normativeKind(structure('epics:nt/NTScalar:1.0', { value: bounded }))).toBe('NTScalar');
    expect(normativeKind(structure('epics:nt/NTURI:1.0', { scheme: bounded, path: bounded }))).toBe('NTURI');
  });

  it('takes any for a union', () => {
    expect(normativeKind(structure('epics:nt/NTUnion:1.0', { value: any }))).toBe('NTUnion');
    expect(normativeKind(structure('epics:nt/NTNDArray:1.0', { value: any, dimension: arrayOf(ROW) }))).toBe(
      'NTNDArray',
    );
  });

  it('is none of what is no structure', () => {
    for (const type of [double, any, arrayOf(double), CHOICE, arrayOf(ROW)])
      expect(normativeKind(type)).toBeUndefined();
  });
});

describe('an enum', () => {
  it('is known by its two fields, whatever its id and their order', () => {
    expect([ENUM, structure({ index: int, choices: arrayOf(string) })].map(isEnum)).toEqual([true, true]);
    expect(isEnum(structure('other', { choices: arrayOf(string), index: int }))).toBe(true);
  });

  it('is nothing else', () => {
    const others = [int, arrayOf(string), union({ index: int, choices: arrayOf(string) }), structure({ index: int })];
    expect(others.map(isEnum)).toEqual(others.map(() => false));
  });
});
