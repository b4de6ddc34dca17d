// What do scalars, arrays, types and nested values look like in delta and tree form?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { formatDelta } from '../../src/protocol/values/format-delta.ts';
import { escapeText, scalarArrayText, scalarText, typeText } from '../../src/protocol/values/format-scalar.ts';
import { formatTree, formatType } from '../../src/protocol/values/format-tree.ts';

const alarm = t.structure('alarm_t', { severity: t.int, status: t.int, message: t.string });
const item = t.structure('item_t', { name: t.string, n: t.int });
const choice = t.union({ i: t.int, s: t.string, item });
const odd = t.structure('odd_t', {
  value: t.double,
  alarm,
  any: t.any,
  choice,
  list: t.arrayOf(item),
  choices: t.arrayOf(choice),
  anys: t.anyArray,
});
const oddValue = {
  value: 1.5,
  alarm: { severity: 1, status: 2, message: 'HIGH' },
  any: { type: item, value: { name: 'x', n: 1 } },
  choice: { select: 'item', value: { name: 'y', n: 2 } },
  list: [{ name: 'a', n: 1 }, null],
  choices: [null, { select: 'i', value: 5 }],
  anys: [{ type: t.arrayOf(t.int), value: Int32Array.of(1, 2) }, null],
};

describe('a number', () => {
  it.each([
    [t.double, 42.5, '42.5'],
    [t.double, 0.1 + 0.2, '0.30000000000000004'],
    [t.double, -0, '-0'],
    [t.double, 1e300, '1e+300'],
    [t.double, Number.NaN, 'nan'],
    [t.double, Number.POSITIVE_INFINITY, 'inf'],
    [t.double, Number.NEGATIVE_INFINITY, '-inf'],
    [t.float, Math.fround(0.1), '0.1'],
    [t.float, Math.fround(16777216.5), '16777216'],
    [t.float, Math.fround(1 / 3), '0.33333334'],
    [t.int, -7, '-7'],
    [t.ulong, 18446744073709551615n, '18446744073709551615'],
    [t.boolean, true, 'true'],
  ])('of type %o: %s reads %s', (type, value, text) => {
    expect(scalarText(type.scalar, value)).toBe(text);
  });

  it.each([
    [100_000, '100000'],
    [1_000_000, '1e+06'],
    [0.0001, '0.0001'],
    [0.00001234567, '1.23457e-05'],
    [123456.4, '123456'],
    [2 / 3, '0.666667'],
    [-0, '-0'],
    [0, '0'],
  ])('%d reads %s with six digits, as in C', (value, text) => {
    expect(scalarText('double', value, { digits: 6 })).toBe(text);
  });

  it('of an integer type reads in full whatever digits are asked for, one of a floating type does not', () => {
    expect(scalarText('int', 1_234_567, { digits: 3 })).toBe('1234567');
    expect(scalarText('float', 1_234_567, { digits: 3 })).toBe('1.23e+06');
    expect(scalarText('double', -1.5e-123, { digits: 3 })).toBe('-1.5e-123');
  });

  it('of type float reads back as the same float, and a fraction takes nine digits at most', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = scalarText('float', value);
        expect(Math.fround(Number(text))).toBe(value);
        const digits = text
          .replace(/e.*$/u, '')
          .replaceAll(/\D/gu, '')
          .replaceAll(/^0+|0+$/gu, '');
        if (!Number.isInteger(value)) expect(digits.length).toBeLessThanOrEqual(9);
      }),
    );
  });
});

describe('a text', () => {
  it('is quoted, and what could steer a terminal is escaped', () => {
    expect(scalarText('string', 'a "b" \'c\' \\')).toBe('"a \\"b\\" \\\'c\\\' \\\\"');
    expect(scalarText('string', '\u001b[31m\nred\u0000')).toBe('"\\x1b[31m\\nred\\x00"');
    expect(scalarText('string', 'abc\u202Efed')).toBe('"abc\\xe2\\x80\\xaefed"');
    expect(escapeText('\uD800')).toBe('\\xef\\xbf\\xbd');
  });

  it('shows every character that cannot be printed as the bytes of its UTF-8, or as C does', () => {
    // The letters that C has for these characters.
    const short = new Map(
      [
        ['\x07', 'a'],
        ['\b', 'b'],
        ['\f', 'f'],
        ['\n', 'n'],
        ['\r', 'r'],
        ['\t', 't'],
        ['\v', 'v'],
        ['\\', '\\'],
        ["'", "'"],
        ['"', '"'],
      ].map(([character, letter]) => [character, `\\${letter}`]),
    );
    const bytes = (character: string): string =>
      Buffer.from(character)
        .toString('hex')
        .replaceAll(/../gu, (hex) => `\\x${hex}`);
    const all = Array.from({ length: 0x2_0000 }, (_, point) => String.fromCodePoint(point));
    const wrong = all.filter((character) => {
      const isPlain = /^[ -~]$/u.test(character) && !short.has(character);
      return escapeText(character, true) !== (isPlain ? character : (short.get(character) ?? bytes(character)));
    });
    expect(wrong).toEqual([]);
  });

  it('keeps its letters of any language unless ASCII is asked for', () => {
    expect(escapeText('21 °C 😀')).toBe('21 °C 😀');
    expect(escapeText('21 °C 😀', true)).toBe('21 \\xc2\\xb0C \\xf0\\x9f\\x98\\x80');
    expect(scalarText('string', '21 °C')).toBe('"21 °C"');
    expect(scalarText('string', '21 °C', { asciiOnly: true })).toBe('"21 \\xc2\\xb0C"');
  });
});

describe('an array', () => {
  it('shows its length and its elements', () => {
    expect(scalarArrayText('int', Int32Array.of(1, -2))).toBe('{2}[1, -2]');
    expect(scalarArrayText('string', ['a', ''])).toBe('{2}["a", ""]');
    expect(scalarArrayText('boolean', [true, false])).toBe('{2}[true, false]');
    expect(scalarArrayText('double', new Float64Array())).toBe('{0}[]');
  });

  it('is cut at the limit, and says so', () => {
    expect(scalarArrayText('int', Int32Array.of(1, 2, 3), { maxElements: 2 })).toBe('{3}[1, 2, ...]');
    expect(scalarArrayText('int', Int32Array.of(1, 2), { maxElements: 2 })).toBe('{2}[1, 2]');
  });
});

describe('a type', () => {
  it.each<[t.TypeDesc, string]>([
    [t.boundedString(40), 'string(40)'],
    [t.boundedArrayOf(t.int, 8), 'int32_t<8>'],
    [t.fixedArrayOf(t.int, 8), 'int32_t[8]'],
    [t.arrayOf(t.ubyte), 'uint8_t[]'],
    [t.arrayOf(choice), 'union[]'],
    [t.anyArray, 'any[]'],
  ])('%# reads %s', (type, text) => {
    expect(typeText(type)).toBe(text);
  });

  it('reads as nested braces', () => {
    expect(formatType(odd, { indent: '> ' }).split('\n')).toEqual([
      '> struct "odd_t" {',
      '>     double value',
      '>     struct "alarm_t" {',
      '>         int32_t severity',
      '>         int32_t status',
      '>         string message',
      '>     } alarm',
      '>     any any',
      '>     union {',
      '>         int32_t i',
      '>         string s',
      '>         struct "item_t" {',
      '>             string name',
      '>             int32_t n',
      '>         } item',
      '>     } choice',
      '>     struct[] {',
      '>         string name',
      '>         int32_t n',
      '>     } list',
      '>     union[] {',
      '>         int32_t i',
      '>         string s',
      '>         struct "item_t" {',
      '>             string name',
      '>             int32_t n',
      '>         } item',
      '>     } choices',
      '>     any[] anys',
      '> }',
      '',
    ]);
    expect(formatType(t.structure({}))).toBe('struct {}\n');
  });
});

describe('delta', () => {
  it('shows the fields of the mask and no others', () => {
    // Bits: 0 all, 1 value, 2 alarm, 3 severity, 4 status, 5 message, 6 any.
    expect(formatDelta(odd, oddValue, BitSet.of(1, 5))).toBe('value double = 1.5\nalarm.message string = "HIGH"\n');
    expect(formatDelta(odd, oddValue, BitSet.empty())).toBe('');
  });

  it('names a structure that is selected as a whole, then its fields once, whatever lower bits say', () => {
    const lines = [
      'alarm struct "alarm_t"',
      'alarm.severity int32_t = 1',
      'alarm.status int32_t = 2',
      'alarm.message string = "HIGH"',
      '',
    ];
    expect(formatDelta(odd, oddValue, BitSet.of(2, 4)).split('\n')).toEqual(lines);
  });

  it('goes into unions, any and arrays of these', () => {
    expect(formatDelta(odd, oddValue, undefined, { indent: '  ' }).split('\n')).toEqual([
      '  value double = 1.5',
      '  alarm.severity int32_t = 1',
      '  alarm.status int32_t = 2',
      '  alarm.message string = "HIGH"',
      '  any any',
      '  any-> struct "item_t"',
      '  any->.name string = "x"',
      '  any->.n int32_t = 1',
      '  choice union',
      '  choice->item struct "item_t"',
      '  choice->item.name string = "y"',
      '  choice->item.n int32_t = 2',
      '  list struct[]',
      '  list[0] struct "item_t"',
      '  list[0].name string = "a"',
      '  list[0].n int32_t = 1',
      '  list[1] null',
      '  choices union[]',
      '  choices[0] union',
      '  choices[0]-> null',
      '  choices[1] union',
      '  choices[1]->i int32_t = 5',
      '  anys any[]',
      '  anys[0] int32_t[] = {2}[1, 2]',
      '  anys[1] null',
      '',
    ]);
  });

  it('cuts arrays of structures at the limit too', () => {
    const type = t.structure({ list: t.arrayOf(item) });
    const list = Array.from({ length: 3 }, (_, n) => ({ name: 'x', n }));
    expect(formatDelta(type, { list }, BitSet.of(1), { maxElements: 1 }).split('\n')).toEqual([
      'list struct[]',
      'list[0] struct "item_t"',
      'list[0].name string = "x"',
      'list[0].n int32_t = 0',
      'list[1] ...',
      '',
    ]);
  });

  it('shows a value that is no structure on one line', () => {
    expect(formatDelta(t.double, 2.5)).toBe('double = 2.5\n');
    expect(formatDelta(t.boundedString(4), 'abc', BitSet.of(0))).toBe('string(4) = "abc"\n');
  });

  it('keeps a field whose name has a line break on its line', () => {
    expect(formatDelta(t.structure('', [{ name: 'a\nb', type: t.int }]), { 'a\nb': 1 })).toBe('a\\nb int32_t = 1\n');
  });

  it('shows a missing field with the default of its type', () => {
    expect(formatDelta(item, { name: 'x' })).toBe('name string = "x"\nn int32_t = 0\n');
  });
});

describe('tree', () => {
  it('shows every field, nested as the type is', () => {
    expect(formatTree(odd, oddValue).split('\n')).toEqual([
      'struct "odd_t" {',
      '    double value = 1.5',
      '    struct "alarm_t" {',
      '        int32_t severity = 1',
      '        int32_t status = 2',
      '        string message = "HIGH"',
      '    } alarm',
      '    any any struct "item_t" {',
      '        string name = "x"',
      '        int32_t n = 1',
      '    }',
      '    union choice.item struct "item_t" {',
      '        string name = "y"',
      '        int32_t n = 2',
      '    }',
      '    struct[] list = {2}[',
      '        struct "item_t" {',
      '            string name = "a"',
      '            int32_t n = 1',
      '        }',
      '        null',
      '    ]',
      '    union[] choices = {2}[',
      '        union null',
      '        union.i int32_t = 5',
      '    ]',
      '    any[] anys = {2}[',
      '        int32_t[] = {2}[1, 2]',
      '        null',
      '    ]',
      '}',
      '',
    ]);
  });

  it('shows as many elements of a list as there are, also where a mask selects it', () => {
    const type = t.structure({ list: t.arrayOf(t.structure({ a: t.int })) });
    const value = { list: Array.from({ length: 200_000 }, () => ({ a: 1 })) };
    expect(formatTree(type, value, { mask: BitSet.of(1) })).toBe(formatTree(type, value));
  });

  it('shows only what a mask selects', () => {
    // Bits: 0 all, 1 value, 2 alarm, 3 severity, 4 status, 5 message, 6 any.
    expect(formatTree(odd, oddValue, { mask: BitSet.of(1, 4, 6) }).split('\n')).toEqual([
      'struct "odd_t" {',
      '    double value = 1.5',
      '    struct "alarm_t" {',
      '        int32_t status = 2',
      '    } alarm',
      '    any any struct "item_t" {',
      '        string name = "x"',
      '        int32_t n = 1',
      '    }',
      '}',
      '',
    ]);
    expect(formatTree(odd, oddValue, { mask: BitSet.of(0, 1) })).toBe(formatTree(odd, oddValue));
    expect(formatTree(t.int, 5, { mask: BitSet.of(0) })).toBe('int32_t = 5\n');
  });

  it('cuts arrays at the limit, and shows empty ones in short', () => {
    const type = t.structure({ list: t.arrayOf(item), text: t.boundedString(9) });
    const list = [null, null];
    expect(formatTree(type, { list, text: 'x' }, { maxElements: 1, indent: ' ' }).split('\n')).toEqual([
      ' struct {',
      '     struct[] list = {2}[',
      '         null',
      '         ...',
      '     ]',
      '     string(9) text = "x"',
      ' }',
      '',
    ]);
    expect(formatTree(t.arrayOf(item), [])).toBe('struct[] = {0}[]\n');
  });
});

describe('a value that does not fit its type', () => {
  it.each<[string, t.TypeDesc, PvValue]>([
    ['a number for a structure', item, 5],
    ['a structure for a scalar', t.int, { a: 1 }],
    ['a scalar for an array', t.arrayOf(t.int), 3],
    ['a scalar for an array of structures', t.arrayOf(item), 3],
    ['an unknown member of a union', choice, { select: 'nosuch', value: 1 }],
    ['an any without a type', t.any, { value: 1 }],
  ])('is refused: %s', (_what, type, value) => {
    expect(() => formatDelta(type, value)).toThrow(LocalProtocolError);
    expect(() => formatTree(type, value)).toThrow(LocalProtocolError);
  });
});

it.each([0, 1, 4_095, 4_096, 4_097, 10_000])('an array of %d has them all, or as many as are shown', (length) => {
  const numbers = Array.from({ length }, (_, index) => index * 3);
  const array = Uint32Array.from(numbers);
  expect(scalarArrayText('uint', array)).toBe(`{${length}}[${numbers.join(', ')}]`);
  const shown = [...numbers.slice(0, 4_096), ...(length > 4_096 ? ['...'] : [])];
  expect(scalarArrayText('uint', array, { maxElements: 4_096 })).toBe(`{${length}}[${shown.join(', ')}]`);
});
