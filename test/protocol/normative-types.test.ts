// Are normative types, field for field, those that pvxs and IOCs were recorded sending?

import { describe, expect, expectTypeOf, test } from 'vitest';

import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntNameValue } from '../../src/protocol/normative/nt-name-value.ts';
import { ntNdArray } from '../../src/protocol/normative/nt-nd-array.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { ntTable } from '../../src/protocol/normative/nt-table.ts';
import { ntUnion } from '../../src/protocol/normative/nt-union.ts';
import { ntUri } from '../../src/protocol/normative/nt-uri.ts';
import { enumType } from '../../src/protocol/normative/substructures.ts';
import { isEnum, normativeKind } from '../../src/protocol/types/normative-kind.ts';
import {
  any,
  arrayOf,
  boolean,
  byte,
  double,
  int,
  long,
  string,
  structure,
  ubyte,
  uint,
  ulong,
  union,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';
import type { ValueOf } from '../../src/protocol/types/value-of.ts';
import { seenIn, transcript, transcriptNames } from '../support/conversations.ts';
import { recordedRequests } from '../support/recorded-requests.ts';
import { dataCases, typeOf } from '../support/vectors.ts';

const ALL = { display: true, form: true, control: true, valueAlarm: true } as const;

describe('types of data.json are built by', () => {
  const built: readonly (readonly [name: string, build: () => TypeDesc])[] = [
    ['nt: NTScalar boolean', () => ntScalar(boolean)],
    ['nt: NTScalar int8', () => ntScalar(byte)],
    ['nt: NTScalar int32', () => ntScalar(int)],
    ['nt: NTScalar uint64', () => ntScalar(ulong)],
    ['nt: NTScalar float64', () => ntScalar(double, {})],
    [
      'nt: NTScalar float64 with display, control, valueAlarm',
      () => ntScalar(double, { display: true, control: true, valueAlarm: true }),
    ],
    ['nt: NTScalarArray float64', () => ntScalarArray(double)],
    ['nt: NTScalarArray string', () => ntScalarArray(string)],
    ['nt: NTScalarArray uint8', () => ntScalarArray(ubyte)],
    ['nt: NTScalarArray boolean', () => ntScalarArray(boolean)],
    ['nt: NTEnum', () => ntEnum],
    ['nt: NTTable', () => ntTable({ A: double, B: string, C: int })],
    ['nt: NTNDArray uint8 3x2', () => ntNdArray],
    ['nt: NTURI string and array args', () => ntUri({ name: string, ids: arrayOf(int) })],
    ['nt: NTURI no args', () => ntUri({})],
  ];

  test.each(built)('%s', (name, build) => {
    const recorded = dataCases().find((one) => one.name === name);
    expect(build()).toBe(typeOf(recorded?.type ?? { kind: 'missing' }));
  });

  test('a builder for each', () => {
    const recorded = dataCases().filter((one) => one.category === 'nt');
    expect(recorded.map(({ name }) => name).toSorted()).toEqual(built.map(([name]) => name).toSorted());
  });
});

describe('types that servers sent', () => {
  const seen = transcriptNames().flatMap((name) =>
    seenIn(transcript(name)).map(({ pvName, type }) => ({ name, pvName, type })),
  );

  test.each<[name: string, pvName: string, build: () => TypeDesc]>([
    ['pvxs-get-double', 'vec:double', () => ntScalar(double, { display: true })],
    ['pvxs-monitor-updates', 'vec:tick', () => ntScalar(uint)],
    ['pvxs-get-table', 'vec:table', () => ntTable({ A: double, B: string })],
    ['pvxs-get-enum', 'vec:enum', () => ntEnum],
    ['base-info', 'vec:image', () => ntNdArray],
    ['pvxs-ioc-get-ai', 'ioc:ai', () => ntScalar(double, ALL)],
    ['pvxs-ioc-get-i64', 'ioc:i64', () => ntScalar(long, { form: true, control: true, valueAlarm: true })],
    ['pvxs-ioc-get-str', 'ioc:str', () => ntScalar(string, ALL)],
    ['base-ioc-get-wf', 'ioc:wf', () => ntScalarArray(double, ALL)],
    ['pvxs-ioc-get-mbbo', 'ioc:mbbo', () => ntEnum],
  ])('%s: %s', (name, pvName, build) => {
    const types = seen.filter((one) => one.name === name && one.pvName === pvName).map((one) => one.type);
    expect(types).not.toEqual([]);
    for (const found of types) expect(found).toBe(build());
  });

  test('with an id of a normative type are recognised, whatever order their fields have', () => {
    const kinds = new Map<string, Set<string | undefined>>();
    for (const { type } of seen) {
      if (type.kind !== 'structure' || !type.id.startsWith('epics:nt/')) continue;
      const found = kinds.get(type.id) ?? new Set();
      kinds.set(type.id, found.add(normativeKind(type)));
    }
    expect(Object.fromEntries([...kinds].map(([id, found]) => [id, [...found]]))).toEqual({
      'epics:nt/NTScalar:1.0': ['NTScalar'],
      'epics:nt/NTScalarArray:1.0': ['NTScalarArray'],
      'epics:nt/NTEnum:1.0': ['NTEnum'],
      'epics:nt/NTTable:1.0': ['NTTable'],
      'epics:nt/NTNDArray:1.0': ['NTNDArray'],
    });
  });

  test('and arguments that clients sent as NTURI have the fields of NTURI', () => {
    const sent = recordedRequests().filter(({ kind }) => kind === 'arguments');
    expect(sent.length).toBeGreaterThan(10);
    for (const { value } of sent) expect(normativeKind(value?.type ?? any)).toBe('NTURI');
    const sum = sent.find((one) => one.transcript === 'pvxs-rpc');
    expect(sum?.value?.type).toBe(ntUri({ lhs: string, rhs: string }));
  });
});

describe('optional fields', () => {
  const fieldsOf = (type: TypeDesc): readonly string[] =>
    type.kind === 'structure' ? type.fields.map(({ name }) => name) : [];

  test('of text and booleans are display without limits alone, as in pvxs', () => {
    for (const scalar of [string, boolean]) {
      expect(fieldsOf(ntScalar(scalar, ALL))).toEqual(['value', 'alarm', 'timeStamp', 'display']);
      expect(ntScalar(scalar, ALL)).toBe(ntScalar(scalar, { display: true }));
    }
    expect(ntScalarArray(string, { control: true })).toBe(ntScalarArray(string));
  });

  test('come in the order of pvxs', () => {
    expect(fieldsOf(ntScalar(double, ALL))).toEqual([
      'value',
      'alarm',
      'timeStamp',
      'display',
      'control',
      'valueAlarm',
    ]);
    expect(fieldsOf(ntScalar(double, { valueAlarm: true }))).toEqual(['value', 'alarm', 'timeStamp', 'valueAlarm']);
  });

  test('form brings display with it', () => {
    expect(ntScalar(int, { form: true })).toBe(ntScalar(int, { display: true, form: true }));
  });

  test('are known to the compiler', () => {
    const plain = ntScalar(double);
    expectTypeOf<ValueOf<typeof plain>['value']>().toEqualTypeOf<number>();
    expectTypeOf<ValueOf<typeof plain>>().not.toHaveProperty('display');
    const full = ntScalar(long, ALL);
    expectTypeOf<ValueOf<typeof full>['display']['limitLow']>().toEqualTypeOf<bigint>();
    expectTypeOf<ValueOf<typeof full>['display']['precision']>().toEqualTypeOf<number>();
    expectTypeOf<ValueOf<typeof full>['valueAlarm']['hysteresis']>().toEqualTypeOf<number>();
    const text = ntScalarArray(string, ALL);
    expectTypeOf<ValueOf<typeof text>['display']>().not.toHaveProperty('limitLow');
    expectTypeOf<ValueOf<typeof text>>().not.toHaveProperty('control');
    const table = ntTable({ A: double, B: string });
    expectTypeOf<ValueOf<typeof table>['value']['A']>().toEqualTypeOf<Float64Array>();
    expect(table.fields.map(({ name }) => name)).toEqual(['labels', 'value', 'descriptor', 'alarm', 'timeStamp']);
  });
});

describe('types that no peer was recorded sending', () => {
  test('NTNameValue has names and values', () => {
    const type = ntNameValue(double);
    expect(type.fields.map(({ name }) => name)).toEqual(['name', 'value', 'descriptor', 'alarm', 'timeStamp']);
    expect(normativeKind(type)).toBe('NTNameValue');
  });

  test('NTUnion has a union or any', () => {
    const type = ntUnion(union({ i: int, s: string }));
    expect(type.fields.map(({ name }) => name)).toEqual(['value', 'descriptor', 'alarm', 'timeStamp']);
    expect(normativeKind(type)).toBe('NTUnion');
    expect(normativeKind(ntUnion(any))).toBe('NTUnion');
  });
});

describe('a normative type', () => {
  test.each<[what: string, type: TypeDesc, kind: string | undefined]>([
    ['of a later minor version is still that type', structure('epics:nt/NTScalar:1.7', { value: int }), 'NTScalar'],
    ['of another major version is none', structure('epics:nt/NTScalar:2.0', { value: int }), undefined],
    ['needs its fields', structure('epics:nt/NTScalar:1.0', { val: int }), undefined],
    ['needs the right types', structure('epics:nt/NTScalar:1.0', { value: arrayOf(int) }), undefined],
    ['needs its id', structure({ value: int }), undefined],
    ['needs an id that is known', structure('epics:nt/NTMatrix:1.0', { value: arrayOf(double) }), undefined],
    ['is not named like a property of objects', structure('epics:nt/constructor:1.0', { value: int }), undefined],
    ['is a structure', int, undefined],
    ['may be an attribute', structure('epics:nt/NTAttribute:1.0', { name: string, value: any }), 'NTAttribute'],
    [
      'needs columns to be a table',
      structure('epics:nt/NTTable:1.0', { labels: arrayOf(string), value: structure({ A: int }) }),
      undefined,
    ],
  ])('%s', (_, type, kind) => {
    expect(normativeKind(type)).toBe(kind);
    expect(normativeKind(type)).toBe(kind);
  });

  test('enum_t is known by its fields in any order', () => {
    expect(isEnum(enumType)).toBe(true);
    expect(isEnum(structure({ choices: arrayOf(string), index: int }))).toBe(true);
    expect(isEnum(structure({ choices: arrayOf(string), index: double }))).toBe(false);
    expect(isEnum(structure({ choices: arrayOf(string), index: int, more: int }))).toBe(false);
    expect(isEnum(int)).toBe(false);
  });
});
