// Is the JSON of a value strict, complete and exact?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import * as t from '../../src/protocol/types/type-desc.ts';
import type { PvValue } from '../../src/protocol/types/value-of.ts';
import { formatJson, typeJson } from '../../src/protocol/values/format-json.ts';
import { dataCases, typeOf, valueOf } from '../support/vectors.ts';

/** What JSON.parse should give for a value of the vectors. */
function plain(type: t.TypeDesc, value: PvValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (type.kind === 'any' && 'type' in value) {
    const inner = value.type as t.TypeDesc;
    return { type: JSON.parse(typeJson(inner)) as unknown, value: plain(inner, value.value) };
  }
  if (type.kind === 'union' && 'select' in value) {
    const member = type.fields.find(({ name }) => name === value.select);
    return { select: value.select, value: plain(member?.type ?? t.any, value.value) };
  }
  if (type.kind === 'structure') {
    const fields = value as Readonly<Record<string, PvValue>>;
    return Object.fromEntries(type.fields.map((field) => [field.name, plain(field.type, fields[field.name] ?? null)]));
  }
  const element = 'element' in type ? type.element : type.kind === 'anyArray' ? t.any : t.double;
  return Array.from(value as ArrayLike<PvValue>, (item) => plain(element, item));
}

const values = dataCases().flatMap((one) =>
  one.kind === 'value' && one.type ? [{ name: one.name, type: typeOf(one.type), value: one.value }] : [],
);

describe('the JSON of a recorded value', () => {
  it('is there for every vector', () => {
    expect(values.length).toBeGreaterThan(100);
  });

  it.each(values.map(({ name, ...rest }) => [name, rest] as const))('%s', (_name, { type, value: raw }) => {
    const value = valueOf(type, raw);
    // Compared as floats: the JSON of a float has only the digits that a float needs. JSON.stringify loses -0.
    const asFloat = (_key: string, found: unknown): unknown =>
      typeof found === 'number' ? Math.fround(found) + 0 : found;
    const text = formatJson(type, value);
    const expected = JSON.stringify(plain(type, value));
    expect(JSON.parse(text, asFloat)).toEqual(JSON.parse(expected, asFloat));
  });
});

describe('a scalar', () => {
  it.each<[t.TypeDesc, PvValue, string]>([
    [t.double, Number.NaN, '"NaN"'],
    [t.double, Number.POSITIVE_INFINITY, '"Infinity"'],
    [t.float, Number.NEGATIVE_INFINITY, '"-Infinity"'],
    [t.double, -0, '-0'],
    [t.double, 1e21, '1e+21'],
    [t.double, 5e-324, '5e-324'],
    [t.float, Math.fround(0.1), '0.1'],
    [t.long, 9007199254740991n, '9007199254740991'],
    [t.long, 9007199254740992n, '"9007199254740992"'],
    [t.long, -9007199254740992n, '"-9007199254740992"'],
    [t.ulong, 18446744073709551615n, '"18446744073709551615"'],
    [t.boolean, false, 'false'],
    [t.string, 'a"\n\u0007', '"a\\"\\n\\u0007"'],
    [t.string, '\uD800', '"\\ud800"'],
    [t.boundedString(5), 'x', '"x"'],
  ])('%#: %o', (type, value, json) => {
    expect(formatJson(type, value)).toBe(json);
    expect(() => void JSON.parse(json)).not.toThrow();
  });

  it('of type double is read back as the same number', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const read: unknown = JSON.parse(formatJson(t.double, value));
        expect(typeof read === 'string' ? Number(read) : read).toBe(value);
      }),
    );
  });
});

describe('a structure', () => {
  it('keeps fields in their order and with any name', () => {
    const type = t.structure('', [
      { name: '__proto__', type: t.int },
      { name: '10', type: t.int },
      { name: '1', type: t.int },
      { name: 'say "hi"', type: t.int },
    ]);
    const value = JSON.parse('{"__proto__":1,"10":2,"1":3,"say \\"hi\\"":4}') as PvValue;
    expect(formatJson(type, value)).toBe('{"__proto__":1,"10":2,"1":3,"say \\"hi\\"":4}');
  });

  it('shows only what the mask selects', () => {
    const type = t.structure({ value: t.int, alarm: t.structure({ severity: t.int, status: t.int }), text: t.string });
    const value = { value: 5, alarm: { severity: 1, status: 2 }, text: 'x' };
    expect(formatJson(type, value, BitSet.of(1, 4))).toBe('{"value":5,"alarm":{"status":2}}');
    expect(formatJson(type, value, BitSet.of(2))).toBe('{"alarm":{"severity":1,"status":2}}');
    expect(formatJson(type, value, BitSet.of(0))).toBe('{"value":5,"alarm":{"severity":1,"status":2},"text":"x"}');
    expect(formatJson(type, value, BitSet.empty())).toBe('{}');
    expect(formatJson(t.int, 5, BitSet.of(0))).toBe('5');
  });
});

describe('what may be absent', () => {
  const item = t.structure('item_t', { n: t.int });
  const choice = t.union({ i: t.int, item });

  it('is null where it is', () => {
    expect(formatJson(choice, null)).toBe('null');
    expect(formatJson(t.any, null)).toBe('null');
    expect(formatJson(t.arrayOf(item), [null, { n: 1 }])).toBe('[null,{"n":1}]');
    expect(formatJson(t.arrayOf(choice), [null, { select: 'item', value: { n: 2 } }])).toBe(
      '[null,{"select":"item","value":{"n":2}}]',
    );
    expect(formatJson(t.anyArray, [null])).toBe('[null]');
  });

  it('brings its type along in an any', () => {
    expect(formatJson(t.any, { type: t.arrayOf(t.double), value: Float64Array.of(1, Number.NaN) })).toBe(
      '{"type":"double[]","value":[1,"NaN"]}',
    );
    expect(formatJson(t.any, { type: item, value: { n: 1 } })).toBe(
      '{"type":{"kind":"structure","id":"item_t","fields":[{"name":"n","type":"int"}]},"value":{"n":1}}',
    );
  });
});

it('tells a type in JSON', () => {
  const item = t.structure('item_t', { n: t.int });
  const choice = t.union({ s: t.boundedString(8) });
  const members = '"id":"","fields":[{"name":"s","type":"string(8)"}]';
  expect(typeJson(choice)).toBe(`{"kind":"union",${members}}`);
  expect(typeJson(t.arrayOf(choice))).toBe(`{"kind":"union[]",${members}}`);
  expect(JSON.parse(typeJson(t.arrayOf(item)))).toEqual({
    kind: 'structure[]',
    id: 'item_t',
    fields: [{ name: 'n', type: 'int' }],
  });
  expect([t.any, t.anyArray, t.fixedArrayOf(t.int, 3), t.boundedArrayOf(t.int, 3)].map(typeJson)).toEqual([
    '"any"',
    '"any[]"',
    '"int[3]"',
    '"int<3>"',
  ]);
});

it('refuses a value that does not fit its type', () => {
  expect(() => formatJson(t.int, { a: 1 })).toThrow(LocalProtocolError);
});

it.each([0, 1, 4_095, 4_096, 4_097, 8_192, 10_000])(
  'a list of %d elements has them all, with commas between',
  (length) => {
    const numbers = Array.from({ length }, (_, index) => index * 3);
    expect(formatJson(t.arrayOf(t.uint), Uint32Array.from(numbers))).toBe(`[${numbers.join(',')}]`);
    const rows = numbers.map((x) => (x % 2 === 0 ? { x } : null));
    expect(JSON.parse(formatJson(t.arrayOf(t.structure({ x: t.uint })), rows))).toEqual(rows);
  },
);
