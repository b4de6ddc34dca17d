// Which type does a plain JSON Schema describe, and what is said where it describes none?

import { describe, expect, it } from 'vitest';

import { LimitError, LocalProtocolError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { jsonSchema } from '../../src/protocol/types/json-schema.ts';
import { typeFromJsonSchema } from '../../src/protocol/types/json-schema-type.ts';
import { typeToLine } from '../../src/protocol/types/text.ts';
import { any, anyArray, double, structure } from '../../src/protocol/types/type-desc.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const parsed = (text: string): unknown => JSON.parse(text);

describe('a plain JSON Schema', () => {
  it.each<[string, string]>([
    ['{"type":"boolean"}', 'boolean'],
    ['{"type":"integer"}', 'long'],
    ['{"type":"integer","minimum":0,"maximum":100}', 'int'],
    ['{"type":"integer","minimum":0}', 'long'],
    ['{"type":"integer","minimum":0,"maximum":18446744073709551615}', 'ulong'],
    ['{"type":"integer","format":"uint16"}', 'ushort'],
    ['{"type":"integer","format":"constructor"}', 'long'],
    ['{"type":"number"}', 'double'],
    ['{"type":"number","format":"float"}', 'float'],
    ['{"type":"string","maxLength":8,"pattern":"a*"}', 'string'],
    ['{"type":["integer","number"]}', 'double'],
    ['{"type":["string","null"]}', 'union { string string }'],
    ['{"enum":["Off","On"]}', 'string'],
    ['{"enum":[1,2]}', 'long'],
    ['{"const":true}', 'boolean'],
    ['true', 'any'],
    ['{}', 'any'],
    ['{"type":"array"}', 'any[]'],
    ['{"type":"array","items":{"type":"number"},"maxItems":3}', 'double[]'],
    ['{"properties":{"x":{"type":"number"},"a/b":{"type":"string"}}}', 'struct { double x, string "a/b" }'],
    ['{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer"}}}}', 'struct[] { long n }'],
    [
      '{"items":{"anyOf":[{"type":"null"},{"type":"object","properties":{"n":{"type":"boolean"}}}]}}',
      'struct[] { boolean n }',
    ],
    ['{"oneOf":[{"type":"string"},{"type":"number"},{"type":"null"}]}', 'union { string string, double double }'],
    [
      '{"oneOf":[{"title":"celsius","type":"number"},{"title":"kelvin","type":"number"}]}',
      'union { double celsius, double kelvin }',
    ],
    ['{"type":"integer","minimum":-2147483648,"maximum":2147483647}', 'int'],
    ['{"type":"integer","minimum":-2147483649,"maximum":2147483647}', 'long'],
    ['{"type":"integer","minimum":-2147483648,"maximum":2147483648}', 'long'],
    ['{"type":"integer","maximum":5}', 'long'],
    ['{"type":"integer","minimum":0,"maximum":9223372036854775808}', 'ulong'],
    ['{"type":"integer","minimum":0,"maximum":9223372036854774784}', 'long'],
    ['{"type":"integer","minimum":-1,"maximum":18446744073709551615}', 'long'],
    ['{"type":"integer","minimum":1,"maximum":1e400}', 'long'],
    ['{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10}', 'int'],
    ['{"type":"integer","minimum":"0","maximum":10}', 'long'],
    ['{"type":"integer","minimum":0,"maximum":10,"format":"int64"}', 'long'],
    ['{"type":"integer","format":7}', 'long'],
    ['{"type":["integer"]}', 'long'],
    ['{"enum":[1,2.5]}', 'double'],
    ['{"enum":[true,false]}', 'boolean'],
    ['{"enum":[9007199254740992]}', 'double'],
    ['{"oneOf":[{"const":null},{"type":"string"}]}', 'union { string string }'],
    ['{"oneOf":[{"title":7,"type":"string"}]}', 'union { string string }'],
    [
      '{"oneOf":[{"x-pva-type":"string(8)"},{"items":{"type":"number"}},{"properties":{}},{"type":"array"},true]}',
      'union { string(8) string, double[] doubleArray, struct {} structure, any[] anyArray, any any }',
    ],
    // Elements of structure arrays may be missing: null beside an object says no more than that.
    ['{"items":{"anyOf":[{"type":"null"},{"type":"object","properties":{}}]}}', 'struct[] {}'],
    ['{"items":{"oneOf":[{"properties":{}},{"const":null}]}}', 'struct[] {}'],
    ['{"items":{"anyOf":[{"type":"null"},{"type":"string"}]}}', 'union[] { string string }'],
    ['{"items":{"anyOf":[{"type":"null"},true]}}', 'union[] { any any }'],
    ['{"items":{"anyOf":[{"properties":{}},{"type":"string"}]}}', 'union[] { struct {} structure, string string }'],
    [
      '{"items":{"anyOf":[{"type":"null"},{"properties":{}},{"type":"string"}]}}',
      'union[] { struct {} structure, string string }',
    ],
    ['{"$ref":"#/$defs/x~0y","$defs":{"x~y":{"type":"string"}}}', 'string'],
    ['{"$ref":"#/$defs/x%20y","$defs":{"x y":{"type":"string"}}}', 'string'],
    ['{"$ref":"#/list/1","list":[true,{"type":"string"}]}', 'string'],
    ['{"properties":{"b":true,"a":{"type":"string"}},"x-pva-fields":["a","b"]}', 'struct { string a, any b }'],
    ['{"type":"object","properties":{"a":true},"additionalProperties":false}', 'struct { any a }'],
    [
      '{"x-pva-type":"union","oneOf":[{"type":"null"},{"properties":{"select":{"const":"a"},"value":true}}]}',
      'union { any a }',
    ],
    ['{"type":["string","boolean"]}', 'union { string string, boolean boolean }'],
    ['{"items":{"type":["string","boolean"]}}', 'union[] { string string, boolean boolean }'],
    [
      '{"properties":{"a":{"$ref":"#/$defs/x~1y"}},"$defs":{"x/y":{"type":"integer","format":"int8"}}}',
      'struct { byte a }',
    ],
  ])('%s is %s', (schema, type) => {
    expect(typeToLine(typeFromJsonSchema(parsed(schema)))).toBe(type);
  });

  it.each([
    ['false', '#: false describes no value'],
    ['7', '#: 7 describes no value'],
    ['{"type":"null"}', '#/type: a value that is only ever null'],
    ['{"type":"decimal"}', '#/type: "decimal" is no type of JSON Schema'],
    ['{"properties":{"a":{"allOf":[]}}}', '#/properties/a/allOf: pvData has no type for this'],
    ['{"properties":{"a/b":{"not":{}}}}', '#/properties/a~1b/not: '],
    ['{"type":"object"}', '#/properties: the fields of a structure expected'],
    ['{"type":"object","additionalProperties":{"type":"number"}}', '#/additionalProperties: '],
    ['{"items":{"items":{"type":"number"}}}', '#/items: pvData has arrays of scalars'],
    ['{"prefixItems":[{"type":"number"}]}', '#/prefixItems: '],
    ['{"oneOf":[{"type":"number"},{"type":"number"}]}', "#/oneOf: two alternatives would be called 'double'"],
    ['{"oneOf":[{"type":"null"}]}', '#/oneOf: alternatives other than null'],
    ['{"anyOf":[]}', '#/anyOf: a list that is not empty'],
    ['{"enum":[1,"a"]}', '#/enum: values of one scalar type'],
    ['{"$ref":"other.json"}', '#/$ref: "other.json" is no pointer'],
    ['{"$ref":"#/$defs/none"}', '#/$ref: there is nothing at'],
    ['{"x-pva-type":"doubel"}', '#/x-pva-type: "doubel" is no type'],
    ['{"x-pva-type":7}', '#/x-pva-type: 7 is no type'],
    ['{"x-pva-type":{"kind":"structure","id":"","fields":[]}}', '#/x-pva-type: {"kind"'],
    ['{"x-pva-type":"structure","x-pva-id":7,"properties":{}}', '#/x-pva-id: 7 is no id'],
    ['{"x-pva-type":"structure","properties":{"a":{}},"x-pva-fields":["b"]}', '#/x-pva-fields: the names of all'],
    ['{"x-pva-type":"structure","properties":{"a":{}},"x-pva-fields":"a"}', '#/x-pva-fields: a list of different'],
    ['{"x-pva-type":"union","oneOf":[{"type":"number"}]}', '#/oneOf/0/properties: a member of a union'],
    ['{"x-pva-type":"structure[]","items":{"type":"array","items":{"type":"array"}}}', '#/items/items: pvData has'],
  ])('%s is refused at %s', (schema, reason) => {
    expect(() => typeFromJsonSchema(parsed(schema))).toThrow(`JSON Schema at ${reason}`);
  });

  const NO_MEMBER = 'a member of a union expected, {"select": {"const": NAME}, "value": ...}';

  it.each([
    ['null', '#', 'null describes no value, a schema expected'],
    ['[]', '#', '[] describes no value, a schema expected'],
    ['{"type":[]}', '#/type', 'alternatives other than null expected'],
    ['{"type":["null"]}', '#/type', 'a value that is only ever null has no type in pvData'],
    ['{"type":["string","null","decimal"]}', '#/type/2/type', '"decimal" is no type of JSON Schema'],
    ['{"oneOf":[{"type":"string"},{"type":"decimal"}]}', '#/oneOf/1/type', '"decimal" is no type of JSON Schema'],
    ['{"properties":{"a":{"type":"decimal"}}}', '#/properties/a/type', '"decimal" is no type of JSON Schema'],
    ['{"properties":{"a~b":{"not":{}}}}', '#/properties/a~0b/not', 'pvData has no type for this'],
    ['{"type":"object","properties":[]}', '#/properties', 'the fields of a structure expected'],
    ['{"const":null}', '#/const', 'values of one scalar type expected: text, numbers, or true and false'],
    ['{"enum":[{}]}', '#/enum', 'values of one scalar type expected: text, numbers, or true and false'],
    ['{"items":{"anyOf":[{"type":"null"}]}}', '#/items/anyOf', 'alternatives other than null expected'],
    ['{"items":{"anyOf":{"type":"null"}}}', '#/items/anyOf', 'a list that is not empty expected'],
    ['{"$ref":"#/$defs/%zz"}', '#/$ref', 'there is nothing at "#/$defs/%zz"'],
    ['{"$ref":"#/title/x","title":"t"}', '#/$ref', 'there is nothing at "#/title/x"'],
    ['{"$ref":"#/a/b","a":null}', '#/$ref', 'there is nothing at "#/a/b"'],
    ['{"$ref":"#/a","a":false}', '#/$ref', 'false describes no value, a schema expected'],
    ['{"$ref":"#x"}', '#/$ref', '"#x" is no pointer into this schema, such as "#/$defs/limits"'],
    ['{"$ref":7}', '#/$ref', '7 is no pointer into this schema, such as "#/$defs/limits"'],
    ['{"properties":{"a":true},"x-pva-fields":["a","a"]}', '#/x-pva-fields', 'a list of different names expected'],
    ['{"properties":{"a":true},"x-pva-fields":["a",1]}', '#/x-pva-fields', 'a list of different names expected'],
    [
      '{"properties":{"a":true},"x-pva-fields":[]}',
      '#/x-pva-fields',
      'the names of all properties expected, each once',
    ],
    ['{"x-pva-type":"union","oneOf":[7]}', '#/oneOf/0/properties', NO_MEMBER],
    ['{"x-pva-type":"union","oneOf":[{"properties":{}}]}', '#/oneOf/0/properties', NO_MEMBER],
    ['{"x-pva-type":"union","oneOf":[{"properties":{"select":7}}]}', '#/oneOf/0/properties', NO_MEMBER],
    ['{"x-pva-type":"union","oneOf":[{"properties":{"select":{"const":7}}}]}', '#/oneOf/0/properties', NO_MEMBER],
    [
      '{"x-pva-type":"union","oneOf":[{"properties":{"select":{"const":"a"}}}]}',
      '#/oneOf/0/properties/value',
      'nothing describes no value, a schema expected',
    ],
    [
      '{"properties":{"a":{"x-pva-type":"int[99999999999]"}}}',
      '#/properties/a/x-pva-type',
      'size of an array is 99999999999, a whole number from 1 to 2147483647 expected',
    ],
    [`{"type":"${'x'.repeat(58)}"}`, '#/type', `"${'x'.repeat(58)}" is no type of JSON Schema`],
    [`{"type":"${'x'.repeat(59)}"}`, '#/type', `"${'x'.repeat(59)}… is no type of JSON Schema`],
  ])('%s is refused at %s in full words', (schema, at, why) => {
    expect(() => typeFromJsonSchema(parsed(schema))).toThrow(new LocalProtocolError(`JSON Schema at ${at}: ${why}`));
  });

  it.each<[schema: string, limit: keyof Limits, most: number, where: string]>([
    ['{"x-pva-type":"any[]"}', 'maxTypeFields', 2, 'fields of one type'],
    ['{"properties":{"a":true,"b":true}}', 'maxTypeFields', 3, 'schemas'],
    ['{"properties":{"abc":true}}', 'maxSchemaCharacters', 3, 'names in a schema'],
    ['{"properties":{"a":{"properties":{"b":true}}}}', 'maxTypeNesting', 2, 'schema at #/properties/a/properties/b'],
    ['{"oneOf":[{"oneOf":[true]}]}', 'maxTypeNesting', 2, 'schema at #/oneOf/0/oneOf/0'],
    ['{"items":{"properties":{"a":true}}}', 'maxTypeNesting', 2, 'schema at #/items/properties/a'],
    [
      '{"x-pva-type":"union","oneOf":[{"properties":{"select":{"const":"a"},"value":{"items":true}}}]}',
      'maxTypeNesting',
      2,
      'schema at #/oneOf/0/properties/value/items',
    ],
  ])('%s is read up to %s of %i', (schema, limit, most, where) => {
    const readUpTo = (allowed: number) => typeFromJsonSchema(parsed(schema), { ...DEFAULT_LIMITS, [limit]: allowed });
    expect(() => readUpTo(most)).not.toThrow();
    expect(() => readUpTo(most - 1)).toThrow(new LimitError(limit, most, most - 1, where));
  });

  it('cannot go on without end', () => {
    expect(() => typeFromJsonSchema(parsed('{"$ref":"#"}'))).toThrow('maxTypeNesting allows 20');
    let deep = '{}';
    for (let level = 0; level < 5_000; level++) deep = `{"properties":{"a":${deep}}}`;
    expect(() => typeFromJsonSchema(parsed(deep))).toThrow('maxTypeNesting allows 20');
    // Ten references at each of ten levels: ten thousand million fields in a page of text.
    const levels = Array.from({ length: 10 }, (_, level) => {
      const next = level === 9 ? { type: 'number' } : { $ref: `#/$defs/${level + 1}` };
      return { properties: Object.fromEntries(Array.from({ length: 10 }, (_, field) => [`f${field}`, next])) };
    });
    expect(() => typeFromJsonSchema({ $ref: '#/$defs/0', $defs: levels })).toThrow('maxTypeFields allows 10000');
  });

  it('is followed once where many references lead to a long one, and no name is read without end', () => {
    hitsLimit('maxSchemaCharacters');
    const depth = 10_000;
    const nest = `${'{"a":'.repeat(depth)}{"type":"number"}${'}'.repeat(depth)}`;
    const long = `{"$ref":"#/x${'/a'.repeat(depth)}"}`;
    const fields = Array.from({ length: 3_000 }, (_, index) => `"f${index}":{"$ref":"#/p"}`).join();
    const before = performance.now();
    expect(typeFromJsonSchema(parsed(`{"properties":{${fields}},"p":${long},"x":${nest}}`)).nodeCount).toBe(3_001);
    expect(performance.now() - before).toBeLessThan(1_000);
    for (const what of [
      `"properties":{"${'x'.repeat(1_000)}":true}`,
      `"x-pva-id":"${'x'.repeat(1_000)}","properties":{}`,
    ]) {
      const many = `{"properties":{${fields}},"p":{${what}}}`;
      expect(() => typeFromJsonSchema(parsed(many))).toThrow('maxSchemaCharacters allows 1048576');
    }
  });

  it('takes properties named as prototypes are for what they are', () => {
    const type = typeFromJsonSchema(parsed('{"properties":{"__proto__":{"type":"number"},"constructor":true}}'));
    expect(type).toBe(
      structure('', [
        { name: '__proto__', type: double },
        { name: 'constructor', type: any },
      ]),
    );
    expect(typeFromJsonSchema(parsed(jsonSchema(anyArray)))).toBe(anyArray);
  });
});
