// Does a pvRequest select the fields that pvxs would send?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { parsePvRequest } from '../../src/protocol/pv-request.ts';
import { selectionOf } from '../../src/protocol/pv-request/selection.ts';
import {
  any,
  double,
  int,
  long,
  string,
  structure,
  union,
  type StructureType,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';
import { allLeaves, leafMask } from '../../src/protocol/values/leaf-mask.ts';
import { structureTypes } from '../support/arbitraries.ts';

/** Bits: 0 all, 1 value, 2 alarm (3 severity, 4 status, 5 message), 6 timeStamp (7 seconds, 8 nanoseconds), 9 choice. */
const TYPE = structure('epics:nt/NTScalar:1.0', {
  value: double,
  alarm: structure('alarm_t', { severity: int, status: int, message: string }),
  timeStamp: structure('time_t', { secondsPastEpoch: long, nanoseconds: int }),
  choice: union({ i: int, s: string }),
});
const EVERYTHING = [1, 3, 4, 5, 7, 8, 9];

function bits(text: string, type: TypeDesc = TYPE): readonly number[] {
  return [...selectionOf(type, parsePvRequest(text)).mask];
}

describe('a selection', () => {
  test.each<[text: string, expected: readonly number[]]>([
    ['', EVERYTHING],
    ['field()', EVERYTHING],
    ['record[queueSize=4]', EVERYTHING],
    ['value', [1]],
    ['alarm', [3, 4, 5]],
    ['alarm.severity', [3]],
    ['alarm.severity,alarm.message', [3, 5]],
    ['field(timeStamp{nanoseconds})', [8]],
    ['value,alarm,timeStamp,choice', EVERYTHING],
    ['choice', [9]],
    ['alarm[limit=1]', [3, 4, 5]],
    ['value,nosuch', [1]],
    ['alarm{status,nosuch}', [4]],
    ['value.inside', [1]],
    ['choice.i', [9]],
  ])('of %s', (text, expected) => {
    expect(bits(text)).toEqual(expected);
  });

  test('says whether it is everything', () => {
    expect(selectionOf(TYPE, parsePvRequest('')).isEverything).toBe(true);
    expect(selectionOf(TYPE, parsePvRequest('value,alarm,timeStamp,choice')).isEverything).toBe(true);
    expect(selectionOf(TYPE, parsePvRequest('value,alarm')).isEverything).toBe(false);
  });

  test('names what the type does not have, for people too', () => {
    const selection = selectionOf(TYPE, parsePvRequest('value.x,alarm.nosuch,alarm.status,other'));
    expect(selection.unmatched).toEqual(['value.x', 'alarm.nosuch', 'other']);
    expect(selection.notice).toBe(
      "pvRequest: epics:nt/NTScalar:1.0 has no 'value.x', 'alarm.nosuch', 'other'; ignored",
    );
    expect(selectionOf(TYPE, parsePvRequest('value')).notice).toBeUndefined();
  });

  test('of names that are all unknown is refused with the text that pvxs has, and more', () => {
    expect(() => bits('nosuch')).toThrow(
      new LocalProtocolError(
        "pvRequest must select at least one field: there is no 'nosuch', epics:nt/NTScalar:1.0 has 'value', 'alarm', 'timeStamp', 'choice'",
      ),
    );
    expect(() => bits('alarm.nosuch')).toThrow(
      /^pvRequest must select at least one field: there is no 'alarm\.nosuch'/,
    );
    expect(() => bits('a', structure({}))).toThrow(/no 'a', the structure has none$/);
  });

  test('keeps what it says about a hostile request short', () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `${'x'.repeat(50)}${index}`);
    const { notice, unmatched } = selectionOf(TYPE, parsePvRequest(['value', ...names].join(',')));
    expect(unmatched).toHaveLength(1_000);
    expect(notice?.length).toBeLessThan(500);
    expect(notice).toMatch(/ and 995 more; ignored$/);
    const long = structure('i'.repeat(5_000), { value: double });
    expect(() => bits('y'.repeat(5_000), long)).toThrow(/there is no 'y{100}…', i{100}… has 'value'$/);
  });

  test('of a request that is null or no structure is everything', () => {
    expect([...selectionOf(TYPE, null).mask]).toEqual(EVERYTHING);
    expect([...selectionOf(TYPE, { type: double, value: 1 }).mask]).toEqual(EVERYTHING);
    expect([...selectionOf(TYPE, { type: structure({}), value: {} }).mask]).toEqual(EVERYTHING);
  });

  test('takes structures for names and nothing else', () => {
    const textForField = { type: structure({ field: string }), value: { field: 'value' } };
    expect(() => selectionOf(TYPE, textForField)).toThrow(/must select at least one field: field names none/);
    const textForName = {
      type: structure({ field: structure({ value: string }) }),
      value: { field: { value: 'yes' } },
    };
    expect([...selectionOf(TYPE, textForName).mask]).toEqual(EVERYTHING);
  });

  test('names leaves as values/leaf-mask.ts does', () => {
    fc.assert(
      fc.property(structureTypes(), (type) => {
        expect(selectionOf(type, null).mask.equals(allLeaves(type))).toBe(true);
      }),
    );
  });

  test('of a type that is no structure is its one bit', () => {
    expect([...selectionOf(any, parsePvRequest('value')).mask]).toEqual([0]);
  });

  test('reaches fields that are named _options, as the groups of an IOC have', () => {
    const group = structure({ record: structure({ _options: structure({ queueSize: int }) }), n: int });
    expect(bits('field(record._options.queueSize)', group)).toEqual([3]);
    expect(bits('field(record)', group)).toEqual([3]);
  });

  test('looks for names of prototypes in the type only', () => {
    expect(() => bits('constructor')).toThrow(/there is no 'constructor'/);
    expect(bits('__proto__', structure('', [{ name: '__proto__', type: int }]))).toEqual([1]);
  });

  test('of PUT_GET is taken from putField and getField, or else from field', () => {
    const request = parsePvRequest('putField(value)getField(alarm)');
    expect([...selectionOf(TYPE, request, 'putField').mask]).toEqual([1]);
    expect([...selectionOf(TYPE, request, 'getField').mask]).toEqual([3, 4, 5]);
    expect([...selectionOf(TYPE, parsePvRequest('value'), 'getField').mask]).toEqual([1]);
    expect([...selectionOf(TYPE, parsePvRequest('value'), 'putField').mask]).toEqual([1]);
  });

  test('is the union of what each name selects', () => {
    const paths = pathsOf(TYPE, '');
    fc.assert(
      fc.property(fc.subarray(paths, { minLength: 1 }), (chosen) => {
        const together = selectionOf(TYPE, parsePvRequest(chosen.join(','))).mask;
        const oneByOne = chosen.map((path) => selectionOf(TYPE, parsePvRequest(path)).mask);
        expect([...together]).toEqual([...oneByOne.reduce((sum, mask) => sum.clone().or(mask))]);
        expect(leafMask(TYPE, together).equals(together)).toBe(true);
      }),
    );
  });
});

function pathsOf(type: StructureType, prefix: string): string[] {
  return type.fields.flatMap((field) => [
    `${prefix}${field.name}`,
    ...(field.type.kind === 'structure' ? pathsOf(field.type, `${prefix}${field.name}.`) : []),
  ]);
}
