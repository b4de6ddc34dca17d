// How do types read as text?

import { describe, expect, test } from 'vitest';

import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { timeStampType } from '../../src/protocol/normative/substructures.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { TypeDesc } from '../../src/protocol/types/type-desc.ts';
import { typeToLine, typeToText } from '../../src/protocol/types/text.ts';

describe('a type on one line', () => {
  test.each<[type: TypeDesc, line: string]>([
    [t.double, 'double'],
    [t.boundedString(8), 'string(8)'],
    [t.arrayOf(t.ubyte), 'ubyte[]'],
    [t.boundedArrayOf(t.int, 8), 'int<8>'],
    [t.fixedArrayOf(t.int, 8), 'int[8]'],
    [t.any, 'any'],
    [t.anyArray, 'any[]'],
    [t.structure({}), 'struct {}'],
    [timeStampType, 'struct "time_t" { long secondsPastEpoch, int nanoseconds, int userTag }'],
    [t.union({ i: t.int, s: t.string }), 'union { int i, string s }'],
    [t.arrayOf(t.union('u', { i: t.int })), 'union[] "u" { int i }'],
    [
      t.structure({ list: t.arrayOf(t.structure('item_t', { n: t.int })) }),
      'struct { struct[] "item_t" { int n } list }',
    ],
  ])('%#: %o', (type, line) => {
    expect(typeToLine(type)).toBe(line);
  });

  test('may have a name', () => {
    expect(typeToLine(t.double, 'value')).toBe('double value');
    expect(typeToLine(t.structure({}), 'query')).toBe('struct {} query');
  });
});

describe('a type over several lines', () => {
  test('is indented as pvxinfo does', () => {
    expect(typeToText(ntScalar(t.double, { display: true }))).toBe(
      [
        'struct "epics:nt/NTScalar:1.0" {',
        '    double value',
        '    struct "alarm_t" {',
        '        int severity',
        '        int status',
        '        string message',
        '    } alarm',
        '    struct "time_t" {',
        '        long secondsPastEpoch',
        '        int nanoseconds',
        '        int userTag',
        '    } timeStamp',
        '    struct {',
        '        double limitLow',
        '        double limitHigh',
        '        string description',
        '        string units',
        '    } display',
        '}',
        '',
      ].join('\n'),
    );
  });

  test('of a scalar or an empty structure is one line', () => {
    expect(typeToText(t.int, 'n')).toBe('int n\n');
    expect(typeToText(t.structure({ query: t.structure({}) }))).toBe('struct {\n    struct {} query\n}\n');
  });
});

test('names from peers do nothing to a terminal', () => {
  const esc = String.fromCodePoint(27);
  const type = t.structure(`id${esc}[2J"`, [{ name: `a\n${String.fromCodePoint(0x9b)}b`, type: t.int }]);
  expect(typeToLine(type)).toBe(String.raw`struct "id\u001b[2J\"" { int "a\n\u009bb" }`);
});
