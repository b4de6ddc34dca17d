// Do values and types come back from their JSON as they were?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import {
  any,
  anyArray,
  arrayOf,
  boolean,
  double,
  int,
  string,
  structure,
  union,
} from '../../src/protocol/types/type-desc.ts';
import { typeFromJson } from '../../src/protocol/types/type-from-json.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { formatJson, typeJson } from '../../src/protocol/values/format-json.ts';
import { leafMask } from '../../src/protocol/values/leaf-mask.ts';
import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { updateFromJson } from '../../src/protocol/values/parse-json.ts';
import { isSameValue, masksOf, structureTypes, types, valuesOf } from '../support/arbitraries.ts';

const parsed = (text: string): unknown => JSON.parse(text);

describe('typeFromJson', () => {
  it('gives the very type that typeJson wrote', () => {
    fc.assert(fc.property(types(), (type) => typeFromJson(parsed(typeJson(type))) === type));
  });

  it.each([
    ['"doubel"', '"doubel" is no type'],
    ['"double[-1]"', '"double[-1]" is no type'],
    ['"any[3]"', '"any[3]" is no type'],
    ['"string(0)"', 'bound of a string is 0'],
    ['"int[99999999999]"', 'size of an array is 99999999999'],
    ['7', '7 is no type'],
    ['{"kind":"struct","id":"","fields":[]}', 'kind "struct" is no type'],
    ['{"kind":"union","fields":[]}', 'id of a union is undefined'],
    ['{"kind":"union","id":""}', 'a union has no list of fields'],
    ['{"kind":"structure","id":"","fields":[{"type":"int"}]}', 'a field is {"type":"int"}'],
    ['{"kind":"structure","id":"","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}', "named 'a'"],
  ])('refuses %s', (json, reason) => {
    expect(() => typeFromJson(parsed(json))).toThrow(reason);
  });

  it('refuses types that nest deeper, or are larger, than a peer may send', () => {
    let deep = '"int"';
    for (let level = 0; level < 5_000; level++)
      deep = `{"kind":"structure","id":"","fields":[{"name":"a","type":${deep}}]}`;
    expect(() => typeFromJson(parsed(deep))).toThrow('maxTypeNesting allows 20');
    const fields = Array.from({ length: 10_001 }, (_, index) => ({ name: `f${index}`, type: 'int' }));
    expect(() => typeFromJson({ kind: 'structure', id: '', fields })).toThrow('maxTypeFields allows 10000');
  });
});

describe('updateFromJson', () => {
  it('gives back every value with every leaf', () => {
    const cases = structureTypes().chain((type) => fc.tuple(fc.constant(type), valuesOf(type)));
    fc.assert(
      fc.property(cases, ([type, value]) => {
        const back = updateFromJson(type, parsed(formatJson(type, value)));
        expect(isSameValue(back.value, value)).toBe(true);
        expect(back.changed.equals(leafMask(type, BitSet.of(0)))).toBe(true);
      }),
    );
  });

  it('gives back the leaves that were selected, and defaults for the others', () => {
    // The JSON of a structure without fields is {}, whether it is selected or not.
    const filled = structureTypes().filter((type) => type.fields.length > 0);
    const cases = filled.chain((type) => fc.tuple(fc.constant(type), valuesOf(type), masksOf(type)));
    fc.assert(
      fc.property(cases, ([type, value, bits]) => {
        const mask = leafMask(type, bits);
        const back = updateFromJson(type, parsed(formatJson(type, value, mask)));
        const codec = codecOf<typeof type>(type);
        const expected = codec.merge(codec.defaultValue(), value as typeof back.value, mask);
        expect(isSameValue(back.value, expected)).toBe(true);
        expect(back.changed.equals(mask)).toBe(true);
      }),
    );
  });

  const type = structure({
    value: double,
    choice: union({ text: string, number: int }),
    list: arrayOf(structure({ inner: any })),
  });

  it.each([
    ['{"value":"much"}', 'value: '],
    ['{"nosuch":1}', 'nosuch: no such field'],
    ['[1]', 'an object with fields value, choice, list expected'],
    ['{"choice":{"select":"colour","value":1}}', 'choice: the name of a member'],
    ['{"list":[{"inner":{"type":"doubel","value":1}}]}', 'list[0].inner: "doubel" is no type'],
    ['{"list":[{"inner":{"type":"int","value":1.5}}]}', 'list[0].inner: number 1.5 does not fit int'],
  ])('refuses %s and says where', (json, reason) => {
    expect(() => updateFromJson(type, parsed(json))).toThrow(reason);
  });

  describe('of a type with any', () => {
    const anyType = structure({
      more: anyArray,
      one: any,
      inner: structure({ a: any }),
      rows: arrayOf(structure({ a: any })),
      choice: union({ a: any, b: int }),
      choices: arrayOf(union({ a: any })),
    });
    const read = (json: string) => updateFromJson(anyType, parsed(json)).value;

    it('has null wherever there may be nothing', () => {
      const nothing = { one: null, more: [null], rows: [null], choice: null, choices: [null] };
      expect(read(JSON.stringify(nothing))).toEqual({ ...nothing, inner: { a: null } });
    });

    it('has types wherever any stands', () => {
      const seven = { type: int, value: 7 };
      const sevens = {
        one: seven,
        more: [seven, null],
        inner: { a: seven },
        rows: [{ a: seven }, null],
        choice: { select: 'a', value: seven },
        choices: [{ select: 'a', value: seven }],
      };
      const json = JSON.stringify(sevens, (key, value: unknown) => (key === 'type' ? 'int' : value));
      expect(read(json)).toEqual(sevens);
    });

    it('guesses the type where the JSON is a bare value, as for all that people type', () => {
      expect(read('{"one":5,"inner":{"a":true},"more":["x"]}')).toMatchObject({
        one: { type: double, value: 5 },
        inner: { a: { type: boolean, value: true } },
        more: [{ type: string, value: 'x' }],
      });
    });

    it('is read with a field of any name', () => {
      const odd = structure('', [{ name: '__proto__', type: any }]);
      const { value } = updateFromJson(odd, parsed('{"__proto__":{"type":"int","value":7}}'));
      expect(Object.entries(value)).toEqual([['__proto__', { type: int, value: 7 }]]);
    });

    const NO_TYPE = 'is no type; "double", "int[]", "string(40)", "any" or {"kind", "id", "fields"} expected';

    it.each([
      ['null', '', 'an object with fields more, one, inner, rows, choice, choices expected, null given'],
      ['[]', '', 'an object with fields more, one, inner, rows, choice, choices expected, a list of 0 given'],
      ['{"nosuch":{"type":"y"}}', 'nosuch', 'no such field, the structure has more, one, inner, rows, choice, choices'],
      ['{"inner":5}', 'inner', 'an object with fields a expected, number 5 given'],
      ['{"inner":[]}', 'inner', 'an object with fields a expected, a list of 0 given'],
      ['{"inner":{"b":1}}', 'inner.b', 'no such field, the structure has a'],
      ['{"inner":{"a":{"type":"y"}}}', 'inner.a', `"y" ${NO_TYPE}`],
      ['{"one":{}}', 'one', `undefined ${NO_TYPE}`],
      ['{"one":{"type":"int"}}', 'one', 'a whole number (int) expected, nothing given'],
      ['{"more":{"a":1}}', 'more', 'a list of any values expected, an object given'],
      ['{"more":[{"type":"y"}]}', 'more[0]', `"y" ${NO_TYPE}`],
      ['{"rows":5}', 'rows', 'a list of structure values expected, number 5 given'],
      ['{"rows":[{},{"a":{"type":"y"}}]}', 'rows[1].a', `"y" ${NO_TYPE}`],
      ['{"choice":[]}', 'choice', 'a value that a member takes (a, b), or null expected, a list of 0 given'],
      ['{"choice":{"select":"c","value":1}}', 'choice', "the name of a member (a, b) expected, text 'c' given"],
      ['{"choice":{"select":"a","value":{"type":"y"}}}', 'choice.a', `"y" ${NO_TYPE}`],
      ['{"choice":{"select":"b","value":"y"}}', 'choice.b', "a whole number (int) expected, text 'y' given"],
      ['{"choices":[{"select":"a","value":{"type":"y"}}]}', 'choices[0].a', `"y" ${NO_TYPE}`],
    ])('refuses %s, at "%s"', (json, fieldPath, why) => {
      const refused = new LocalProtocolError(fieldPath === '' ? why : `${fieldPath}: ${why}`);
      expect(() => read(json)).toThrow(Object.assign(refused, { fieldPath }));
    });

    it.each([
      ['any', '{"type":"any","value":', '}'],
      ['any[]', '{"type":"any[]","value":[', ']}'],
    ])('is read 20 levels of %s deep, and refused below before the stack is full', (_, open, close) => {
      const nested = (levels: number): string =>
        `{"one":${open.repeat(levels - 1)}{"type":"int","value":1}${close.repeat(levels - 1)}}`;
      expect(read(nested(20))['one']).not.toBe(null);
      for (const levels of [21, 100_000]) {
        expect(() => read(nested(levels))).toThrow('any inside any: 21 asked, maxTypeNesting allows 20');
      }
    });
  });
});
