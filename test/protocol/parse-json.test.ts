// Do values and types come back from their JSON as they were?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BitSet } from '../../src/protocol/bit-set.ts';
import { any, arrayOf, double, int, string, structure, union } from '../../src/protocol/types/type-desc.ts';
import { typeFromJson } from '../../src/protocol/types/type-from-json.ts';
import { codecOf } from '../../src/protocol/values/codec.ts';
import { formatJson, typeJson } from '../../src/protocol/values/format-json.ts';
import { leafMask } from '../../src/protocol/values/leaf-mask.ts';
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

  it('refuses any inside any without end', () => {
    let deep = '{"type":"int","value":1}';
    for (let level = 0; level < 5_000; level++) deep = `{"type":"any","value":${deep}}`;
    expect(() => updateFromJson(structure({ value: any }), parsed(`{"value":${deep}}`))).toThrow('any inside any');
  });
});
