// Do types come back from their JSON Schema, and do values validate against it?

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
import { anyCodecOf } from '../../src/protocol/values/codec.ts';
import { formatJson } from '../../src/protocol/values/format-json.ts';
import { updateFromJson } from '../../src/protocol/values/parse-json.ts';
import { isSameValue, types, valuesOf } from '../support/arbitraries.ts';

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
