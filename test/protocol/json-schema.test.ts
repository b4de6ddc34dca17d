// Do types come back from their JSON Schema, do values validate against it, and which plain schemas are understood?

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntNdArray } from '../../src/protocol/normative/nt-nd-array.ts';
import { ntScalar } from '../../src/protocol/normative/nt-scalar.ts';
import { ntTable } from '../../src/protocol/normative/nt-table.ts';
import { jsonSchema } from '../../src/protocol/types/json-schema.ts';
import { typeFromJsonSchema } from '../../src/protocol/types/json-schema-type.ts';
import {
  any,
  anyArray,
  arrayOf,
  boolean,
  byte,
  double,
  float,
  int,
  long,
  string,
  structure,
  ubyte,
  ulong,
  union,
  type StructureType,
  type TypeDesc,
} from '../../src/protocol/types/type-desc.ts';
import { typeToLine } from '../../src/protocol/types/text.ts';
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { formatJson } from '../../src/protocol/values/format-json.ts';
import { updateFromJson } from '../../src/protocol/values/parse-json.ts';
import { isSameValue, types, valuesOf } from '../support/arbitraries.ts';
import { hitsLimit } from '../support/hits-limit.ts';

const parsed = (text: string): unknown => JSON.parse(text);

const ajv = new Ajv2020({ strict: true, strictTypes: false });
ajv.addVocabulary(['x-pva-type', 'x-pva-id', 'x-pva-fields']);

function faultsOf(type: TypeDesc, json: string): string {
  // What JSON.parse gives here is an object.
  const schema = parsed(jsonSchema(type)) as object;
  const validate = ajv.compile(schema);
  ajv.removeSchema(schema);
  return validate(parsed(json)) ? '' : `${ajv.errorsText(validate.errors)} in ${json}`;
}

/** Ajv takes a property `__proto__` for its own. */
const namesOf = (type: TypeDesc): readonly string[] => JSON.stringify(parsed(jsonSchema(type))).split('"');

describe('the JSON Schema of a type', () => {
  it('gives the very type back, for 1 000 random types', () => {
    fc.assert(
      fc.property(types(), (type) => typeFromJsonSchema(parsed(jsonSchema(type))) === type),
      { numRuns: 1_000 },
    );
  });

  it('accepts every value of the type in JSON, which comes back as it was', () => {
    const cases = types()
      .filter((type) => !namesOf(type).includes('__proto__'))
      .chain((type) => fc.tuple(fc.constant(structure({ value: type })), valuesOf(type)));
    fc.assert(
      fc.property(cases, ([type, inner]) => {
        const value = { value: inner };
        const json = formatJson(type, value);
        expect(faultsOf(type, json)).toBe('');
        expect(isSameValue(updateFromJson(type, parsed(json)).value, value)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('has JSON from which every value comes back, of 1 000 random types', () => {
    const cases = types().chain((type) => fc.tuple(fc.constant(structure({ value: type })), valuesOf(type)));
    fc.assert(
      fc.property(cases, ([type, inner]) => {
        const value = { value: inner };
        return isSameValue(updateFromJson(type, parsed(formatJson(type, value))).value, value);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps every number that JSON has none for, also inside of a union, any and arrays', () => {
    const type = structure({
      d: arrayOf(double),
      f: arrayOf(float),
      l: arrayOf(long),
      u: arrayOf(ulong),
      chosen: union({ a: long, b: double }),
      anything: any,
      list: anyArray,
    });
    const value = {
      d: Float64Array.of(Number.NaN, Infinity, -Infinity, -0, 5e-324, Number.MAX_VALUE, 0.1),
      f: Float32Array.of(Number.NaN, Infinity, -Infinity, 0.1, 1e-45),
      l: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, -1n),
      u: BigUint64Array.of(2n ** 64n - 1n, 2n ** 53n, 0n),
      chosen: { select: 'a', value: 2n ** 62n + 1n },
      anything: { type: union({ b: double }), value: { select: 'b', value: -Infinity } },
      list: [{ type: ulong, value: 2n ** 64n - 1n }, null, { type: double, value: Number.NaN }],
    };
    const json = formatJson(type, value);
    expect(faultsOf(type, json)).toBe('');
    expect(updateFromJson(type, parsed(json)).value).toEqual(value);
  });

  it.each<[string, StructureType]>([
    ['NTScalar', ntScalar(double, { display: true, control: true, valueAlarm: true })],
    ['NTEnum', ntEnum],
    ['NTTable', ntTable({ name: string, position: double })],
    ['NTNDArray', ntNdArray],
  ])('accepts the empty value of %s', (_, type) => {
    expect(faultsOf(type, formatJson(type, anyCodecOf(type).defaultValue()))).toBe('');
  });

  it.each<[TypeDesc, string]>([
    [byte, '128'],
    [ubyte, '-1'],
    [int, '1.5'],
    [int, '"1"'],
    [long, '9007199254740993'],
    [long, '"12"'],
    [ulong, '-1'],
    [double, '"much"'],
    [double, 'null'],
    [string, '1'],
    [arrayOf(boolean), '[true,null]'],
    [structure({ a: int }), '{}'],
    [structure({ a: int }), '{"a":1,"b":2}'],
    [union({ a: int }), '{"select":"b","value":1}'],
    [union({ a: int }), '1'],
    [any, '{"type":"int"}'],
  ])('of %o refuses %s', (type, json) => {
    expect(faultsOf(type, json)).not.toBe('');
  });

  it.each<[string, TypeDesc]>([
    ['NaN', double],
    ['-Infinity', float],
    ['9223372036854775807', long],
    ['-9223372036854775808', long],
    ['18446744073709551615', ulong],
  ])('accepts the text %s for what JSON numbers cannot be', (text, type) => {
    expect(faultsOf(type, JSON.stringify(text))).toBe('');
  });

  it('is readable', () => {
    expect(parsed(jsonSchema(structure('time_t', { seconds: long, tag: byte }), 'lab:time'))).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'lab:time',
      type: 'object',
      properties: {
        seconds: {
          anyOf: [
            { type: 'integer', minimum: -9007199254740991, maximum: 9007199254740991 },
            { type: 'string', pattern: '^-?[0-9]{16,19}$' },
          ],
          'x-pva-type': 'long',
        },
        tag: { type: 'integer', minimum: -128, maximum: 127, 'x-pva-type': 'byte' },
      },
      required: ['seconds', 'tag'],
      additionalProperties: false,
      'x-pva-type': 'structure',
      'x-pva-id': 'time_t',
    });
  });
});

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
