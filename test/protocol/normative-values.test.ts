// Do the helpers make the values of normative types that people mean?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { LocalProtocolError } from '../../src/protocol/errors.ts';
import {
  alarm,
  alarmSeverityName,
  alarmStatusName,
  ALARM_SEVERITIES,
  ALARM_STATUSES,
  NO_ALARM,
} from '../../src/protocol/normative/alarm.ts';
import { imageValue } from '../../src/protocol/normative/image.ts';
import { enumLabel, enumValue } from '../../src/protocol/normative/nt-enum.ts';
import { ntNdArray } from '../../src/protocol/normative/nt-nd-array.ts';
import { ntTable, tableValue } from '../../src/protocol/normative/nt-table.ts';
import { ntUri, uri } from '../../src/protocol/normative/nt-uri.ts';
import { DISPLAY_FORMS } from '../../src/protocol/normative/substructures.ts';
import {
  nanosecondsOf,
  timeStamp,
  timeStampOfNanoseconds,
  wallTimeMs,
} from '../../src/protocol/normative/time-stamp.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import { encodeType } from '../../src/protocol/types/wire.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { Writer } from '../../src/protocol/writer.ts';
import { isSameValue } from '../support/arbitraries.ts';
import { recordedRequests } from '../support/recorded-requests.ts';
import { dataCases, fromHex, typeOf, valueOf } from '../support/vectors.ts';

function recorded(name: string): unknown {
  const one = dataCases().find((item) => item.name === name);
  return valueOf(typeOf(one?.type ?? { kind: 'missing' }), one?.value);
}

describe('a time stamp', () => {
  test.each<[ms: number, seconds: bigint, nanoseconds: number]>([
    [0, 0n, 0],
    [1_700_000_000_123, 1_700_000_000n, 123_000_000],
    [1.5, 0n, 1_500_000],
    [0.000_001, 0n, 1],
    [999.999_999_9, 1n, 0],
    [-0.000_001, -1n, 999_999_999],
    [-1_000, -1n, 0],
    [1_700_000_000_000.25, 1_700_000_000n, 250_000],
  ])('of %d ms', (ms, secondsPastEpoch, nanoseconds) => {
    expect(timeStamp(ms, 7)).toEqual({ secondsPastEpoch, nanoseconds, userTag: 7 });
  });

  test('keeps whole milliseconds and all nanoseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (ms) => {
        expect(wallTimeMs(timeStamp(ms))).toBe(ms + 0);
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (nanoseconds) => {
        const stamp = timeStampOfNanoseconds(nanoseconds);
        expect(nanosecondsOf(stamp)).toBe(nanoseconds);
        expect(stamp.nanoseconds).toBeGreaterThanOrEqual(0);
        expect(stamp.nanoseconds).toBeLessThan(1_000_000_000);
        expect(stamp.userTag).toBe(0);
      }),
    );
  });

  test('of what is no moment is refused', () => {
    expect(() => timeStamp(Number.NaN)).toThrow(
      new LocalProtocolError('NaN is no wall time, milliseconds since 1970 expected'),
    );
  });
});

describe('an alarm', () => {
  test('has names for its numbers', () => {
    expect(ALARM_SEVERITIES.map((_, number) => alarmSeverityName(number))).toEqual([...ALARM_SEVERITIES]);
    expect(ALARM_STATUSES.map((_, number) => alarmStatusName(number))).toEqual([...ALARM_STATUSES]);
    expect([0, 1, 2, 3].map((number) => alarmSeverityName(number))).toEqual(['NO_ALARM', 'MINOR', 'MAJOR', 'INVALID']);
    expect(alarmStatusName(4)).toBe('DB');
    expect(alarmSeverityName(99)).toBe('99');
    expect(alarmStatusName(-1)).toBe('-1');
  });

  test('is made of names', () => {
    expect(alarm('MAJOR', 'DEVICE', 'HIHI')).toEqual({ severity: 2, status: 1, message: 'HIHI' });
    expect(alarm('NO_ALARM', 'NONE')).toEqual(NO_ALARM);
  });

  test('and a display has its forms in the order of the specification', () => {
    expect(DISPLAY_FORMS.indexOf('Hex')).toBe(4);
  });
});

describe('an enum value', () => {
  test('is made of its choices and one of them', () => {
    expect(enumValue(['OFF', 'ON', 'TRIPPED'], 'ON')).toEqual({ index: 1, choices: ['OFF', 'ON', 'TRIPPED'] });
    expect(enumValue(['OFF', 'ON'])).toEqual({ index: 0, choices: ['OFF', 'ON'] });
    expect(enumLabel(enumValue(['OFF', 'ON'], 1))).toBe('ON');
    expect(enumLabel({ index: 5, choices: ['OFF'] })).toBeUndefined();
  });

  test('needs a choice that is there, and choices that differ', () => {
    expect(() => enumValue(['OFF', 'ON'], 'Open')).toThrow(
      "one of 'OFF', 'ON', or an index from 0 to 1 expected, text 'Open' given",
    );
    expect(() => enumValue(['A', 'A'])).toThrow("two choices are named 'A', names of their own expected");
  });
});

describe('a table', () => {
  test('has the recorded value for the recorded columns', () => {
    const { type, value } = tableValue(
      { A: [1, 2, 3], B: ['x', 'y', 'z'], C: Int32Array.of(-1, 0, 1) },
      { labels: ['Column A', 'B', 'Count'] },
    );
    const expected = recorded('nt: NTTable') as typeof value;
    expect(type).toBe(ntTable({ A: t.double, B: t.string, C: t.int }));
    expect(value['labels']).toEqual(expected['labels']);
    expect(value['value']).toStrictEqual(expected['value']);
    expect(value['descriptor']).toBe('');
    expect(value['alarm']).toEqual(NO_ALARM);
  });

  test('takes types for its columns, and needs them where a column is empty', () => {
    const { type, value } = tableValue({ n: ['1', '2'], none: [1, 0] }, { types: { n: t.ushort }, descriptor: 'd' });
    expect(type).toBe(ntTable({ n: t.ushort, none: t.double }));
    expect(value).toMatchObject({ labels: ['n', 'none'], value: { n: Uint16Array.of(1, 2) }, descriptor: 'd' });
    expect(tableValue({ a: [] }, { types: { a: t.string } }).value).toMatchObject({ value: { a: [] } });
    expect(tableValue({}).value).toMatchObject({ labels: [], value: {} });
    expect(() => tableValue({ a: [] })).toThrow(/^value\.a: a list with elements/);
  });

  test.each<[columns: Record<string, unknown>, labels: string[] | undefined, message: string]>([
    [{ a: [1, 2], b: ['x'] }, undefined, "column 'b' has 1 rows, 2 expected as in 'a'"],
    [{ a: [1], b: [2] }, ['only one'], 'a label for each of 2 columns expected, 1 given'],
    [{ a: 5 }, undefined, "column 'a': a list of scalars of one kind expected"],
    [{ a: [1, 'x'] }, undefined, "column 'a': a list of scalars of one kind expected"],
  ])('of %o is refused', (columns, labels, message) => {
    expect(() => tableValue(columns, labels === undefined ? {} : { labels })).toThrow(new LocalProtocolError(message));
  });
});

describe('an image', () => {
  test('has the recorded value for the recorded pixels, but for what only a detector knows', () => {
    const image = imageValue(3, 2, Uint8Array.of(1, 2, 3, 4, 5, 6), {
      uniqueId: 42,
      timeStamp: timeStamp(1_700_000_000_000),
      alarm: { severity: 1, status: 3, message: 'HIHI °' },
    });
    const expected = recorded('nt: NTNDArray uint8 3x2') as typeof image;
    expect({
      ...image,
      timeStamp: expected.timeStamp,
      attribute: image.attribute.map((one) => Object.assign({}, one, { source: 'drv' })),
    }).toStrictEqual(expected);
  });

  test('has an element type for each kind of array', () => {
    const selected = [
      [true],
      Int8Array.of(1),
      Int16Array.of(1),
      Int32Array.of(1),
      BigInt64Array.of(1n),
      Uint8Array.of(1),
      Uint16Array.of(1),
      Uint32Array.of(1),
      BigUint64Array.of(1n),
      Float32Array.of(1),
      Float64Array.of(1),
      Uint8ClampedArray.of(1),
    ].map((pixels) => imageValue(1, 1, pixels).value?.select);
    expect(selected).toEqual([
      ...(ntNdArray.fields[0]?.type.kind === 'union' ? ntNdArray.fields[0].type.fields.map(({ name }) => name) : []),
      'ubyteValue',
    ]);
    expect(imageValue(0, 0, []).value).toEqual({ select: 'booleanValue', value: [] });
  });

  test.each([
    ['mono', 0, [4, 2], 8],
    ['rgb1', 2, [3, 4, 2], 24],
    ['rgb2', 3, [4, 3, 2], 24],
    ['rgb3', 4, [4, 2, 3], 24],
  ] as const)('in %s has its dimensions and says so', (colorMode, number, sizes, count) => {
    const image = imageValue(4, 2, new Uint16Array(count), { colorMode });
    expect(image.dimension.map((one) => one?.size)).toEqual(sizes);
    expect(image.attribute[0]).toMatchObject({ name: 'ColorMode', value: { type: t.int, value: number } });
    expect(image.uncompressedSize).toBe(BigInt(count * 2));
    expect(image.compressedSize).toBe(image.uncompressedSize);
  });

  test('can be encoded', () => {
    const writer = new Writer(false);
    codecOf(ntNdArray).encode(writer, imageValue(2, 1, Float32Array.of(1, 2)), encodeType);
    expect(writer.view().length).toBeGreaterThan(100);
  });

  test('needs as many elements as it has pixels', () => {
    expect(() => imageValue(2, 2, new Uint8Array(3))).toThrow('3 elements given for an image of 2 x 2, 4 expected');
    expect(() => imageValue(2, 2, new Uint8Array(4), { colorMode: 'rgb1' })).toThrow(
      '4 elements given for an image of 3 x 2 x 2, 12 expected',
    );
    expect(() => imageValue(1.5, 2, new Uint8Array(3))).toThrow(
      'a whole number from 0 as width expected, number 1.5 given',
    );
    expect(() => imageValue(2, -2, new Uint8Array(3))).toThrow(
      'a whole number from 0 as height expected, number -2 given',
    );
  });
});

describe('an NTURI', () => {
  test('is what pvcall sent for the same arguments', () => {
    const sent = recordedRequests().find((one) => one.transcript === 'base-rpc' && one.kind === 'arguments');
    expect(uri('vec:sum', { lhs: '2', rhs: '3.5' })).toStrictEqual(sent?.value);
  });

  test('has types that are inferred, given, or brought along', () => {
    const arguments_ = uri(
      'svc',
      {
        a: 1,
        b: 'x',
        c: '7',
        d: { type: t.arrayOf(t.int), value: [1, 2] },
        gone: undefined,
        e: { type: t.int, value: 1 },
      },
      { types: { c: t.ulong, e: t.any }, scheme: '', authority: 'host:5075' },
    );
    expect(arguments_.type).toBe(ntUri({ a: t.double, b: t.string, c: t.ulong, d: t.arrayOf(t.int), e: t.any }));
    expect(arguments_.value).toStrictEqual({
      scheme: '',
      authority: 'host:5075',
      path: 'svc',
      query: { a: 1, b: 'x', c: 7n, d: Int32Array.of(1, 2), e: { type: t.int, value: 1 } },
    });
    expect(uri('noargs').value).toStrictEqual({ scheme: 'pva', authority: '', path: 'noargs', query: {} });
  });

  test('says which argument is wrong', () => {
    expect(() => uri('svc', { ids: [] })).toThrow(/^query\.ids: a list with elements/);
    expect(() => uri('svc', { n: 'x' }, { types: { n: t.int } })).toThrow(/^query\.n: a whole number \(int\) expected/);
  });

  test('takes dangerous names as names', () => {
    const { type, value } = uri('svc', JSON.parse('{"__proto__": 1, "constructor": 2}') as Record<string, unknown>, {
      types: {},
    });
    const query = type.fields[3]?.type;
    expect(query).toBe(
      t.structure('', [
        { name: '__proto__', type: t.double },
        { name: 'constructor', type: t.double },
      ]),
    );
    expect(isSameValue(value['query'] ?? null, JSON.parse('{"__proto__": 1, "constructor": 2}') as typeof value)).toBe(
      true,
    );
  });

  test('reads recorded bytes of an argument list into the same structure', () => {
    const one = dataCases().find((item) => item.name === 'nt: NTURI string and array args');
    const writer = new Writer(true);
    const made = uri(
      'svc',
      { name: 'n', ids: [1, 2] },
      { types: { ids: t.arrayOf(t.int) }, scheme: '', authority: 'host:5075' },
    );
    codecOf<t.TypeDesc>(made.type).encode(writer, made.value, encodeType);
    expect(writer.view()).toEqual(fromHex(one?.valueHexBE ?? ''));
  });
});
