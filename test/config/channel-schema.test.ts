// Which channels do JSON Schemas describe, with which first values, and where are those refused that describe none?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseChannelSchema } from '../../src/config/channel-schema.ts';
import { formatChannelType, parseChannelType } from '../../src/config/channel-type.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { jsonSchema } from '../../src/protocol/types/json-schema.ts';
import { typeToLine } from '../../src/protocol/types/text.ts';
import { structure } from '../../src/protocol/types/type-desc.ts';
import { types } from '../support/arbitraries.ts';
import { hitsLimit } from '../support/hits-limit.ts';

function read(schema: unknown) {
  const parsed = parseChannelSchema(JSON.stringify(schema));
  if (!parsed.ok) throw new Error(parsed.wrong);
  const { type, value } = parsed.value;
  return { type: type.kind === 'structure' ? typeToLine(type.structure) : formatChannelType(type), value };
}

describe('the channel of a JSON Schema', () => {
  it.each([
    [{ type: 'number' }, 'double', undefined],
    [{ type: 'number', default: 2.5 }, 'double', 2.5],
    [{ type: 'number', default: 'NaN' }, 'double', Number.NaN],
    [{ type: 'integer', minimum: 0, maximum: 9, default: 3 }, 'int', 3],
    [{ type: 'integer', default: '9007199254740993' }, 'long', 9_007_199_254_740_993n],
    [{ type: 'boolean', default: true }, 'boolean', true],
    [{ type: 'string', default: '12' }, 'string', '12'],
    [{ type: 'array', items: { type: 'string' }, default: ['a,b'] }, 'string[]', ['a,b']],
    [{ type: 'array', items: { type: 'number' }, default: [1, '-Infinity'] }, 'double[]', [1, -Infinity]],
    [{ enum: ['Off', 'On'], default: 'On' }, 'enum(Off|On)', 1],
    // As they are, whatever they hold.
    [{ enum: ['A|B', 'C '], default: 'C ' }, 'enum["A|B","C "]', 1],
    [{ enum: ['(off)', 'on'], default: 'on' }, 'enum["(off)","on"]', 1],
    [{ enum: ['5 V, "high"', ' '] }, 'enum["5 V, \\"high\\""," "]', undefined],
    [{ $ref: '#/$defs/t', $defs: { t: { type: 'number', default: 4 } } }, 'double', 4],
    [{ $ref: '#/$defs/t', default: 5, $defs: { t: { type: 'number', default: 4 } } }, 'double', 5],
  ])('%j is a %s that begins with %s', (schema, type, value) => {
    expect(read(schema)).toEqual({ type, value });
  });

  it('is exactly the structure that an object describes, its defaults laid over those of its properties', () => {
    const point = { properties: { x: { type: 'number', default: 1 }, y: { type: 'number', default: 2 } } };
    expect(read({ properties: { a: { $ref: '#/$defs/point' }, b: { type: 'string' } }, $defs: { point } })).toEqual({
      type: 'struct { struct { double x, double y } a, string b }',
      value: { patch: { a: { x: 1, y: 2 } } },
    });
    expect(read({ ...point, default: { y: 7 } }).value).toEqual({ patch: { x: 1, y: 7 } });
    expect(read({ properties: { n: { type: 'integer' } } }).value).toBeUndefined();
  });

  it('has alternatives and any in an NTUnion, and all else that is no structure as a value with alarm and time stamp', () => {
    expect(read({ type: ['string', 'number'], default: 'x' })).toEqual({
      type: expect.stringMatching(
        /^struct "epics:nt\/NTUnion:1\.0" \{ union \{ string string, double double \} value,/u,
      ) as unknown,
      value: { patch: { value: 'x' } },
    });
    expect(read(true).type).toMatch(/^struct "epics:nt\/NTUnion:1\.0" \{ any value,/u);
    expect(read({ items: { properties: { n: { type: 'number' } } } }).type).toMatch(
      /^struct \{ struct\[\] \{ double n \} value, struct "alarm_t" .* timeStamp \}$/u,
    );
    expect(read({ type: 'string', maxLength: 8, 'x-pva-type': 'string(8)', default: 'ab' })).toMatchObject({
      type: expect.stringMatching(/^struct \{ string\(8\) value, /u) as unknown,
      value: { patch: { value: 'ab' } },
    });
  });

  it('takes properties named as prototypes are for what they are', () => {
    const schema = '{"properties":{"__proto__":{"type":"number","default":3},"constructor":{"type":"string"}}}';
    const parsed = parseChannelSchema(schema);
    const value = parsed.ok ? parsed.value.value : undefined;
    const patch = typeof value === 'object' && 'patch' in value ? value.patch : undefined;
    expect(JSON.stringify(patch)).toBe('{"__proto__":3}');
  });

  it.each([
    ['{"type":', 'is no JSON'],
    ['7', 'JSON Schema at #: 7 describes no value'],
    ['{"properties":{"a":{"items":{"items":{}}}}}', 'JSON Schema at #/properties/a/items: pvData has arrays of'],
    ['{"type":"integer","default":1.5}', 'JSON Schema at #/default: '],
    ['{"type":"number","default":null}', 'JSON Schema at #/default: '],
    ['{"properties":{"a/b":{"type":"boolean","default":"yes"}}}', 'JSON Schema at #/properties/a~1b/default: '],
    ['{"properties":{"a":{"type":"number"}},"default":{"b":1}}', 'JSON Schema at #/default: '],
    ['{"enum":["a|b"],"default":"c"}', 'JSON Schema at #/default: '],
    ['{"type":"number","default":1e999}', 'JSON Schema at #/default: '],
    ['{"enum":["a","a"]}', 'JSON Schema at #/enum: has the choice "a" twice'],
    ['{"enum":["a",""]}', 'JSON Schema at #/enum: '],
  ])('%s is refused: %s', (text, reason) => {
    const parsed = parseChannelSchema(text);
    expect(parsed.ok ? 'taken' : parsed.wrong).toContain(reason);
  });

  it('is not looked for in a text past its limit', () => {
    hitsLimit('maxSchemaCharacters');
    const parsed = parseChannelSchema(`"${'x'.repeat(100)}"`, { ...DEFAULT_LIMITS, maxSchemaCharacters: 50 });
    expect(parsed).toEqual({ ok: false, wrong: 'has 102 characters; at most 50 are read' });
  });

  it('has no more defaults than a value may hold, however many references lead to one', () => {
    hitsLimit('maxBodyBytes');
    const schemaOf = (count: number): string => {
      const fields = Array.from({ length: count }, (_, index) => `"f${index}":{"$ref":"#/list"}`).join();
      const list = `{"items":{"type":"number"},"default":[${'0,'.repeat(9_999)}0]}`;
      return `{"properties":{${fields}},"list":${list}}`;
    };
    expect(parseChannelSchema(schemaOf(100)).ok).toBe(true);
    const parsed = parseChannelSchema(schemaOf(1_000));
    expect(parsed.ok ? 'taken' : parsed.wrong).toContain('maxBodyBytes allows 67108864');
  });

  it('is refused with what is wrong where its text is nested as deep as can be', () => {
    const parsed = parseChannelSchema('['.repeat(400_000) + ']'.repeat(400_000));
    expect(parsed).toEqual({ ok: false, wrong: 'is nested too deeply; a type has 20 levels at most' });
  });

  it('has the very type that its schema was made of, for 1 000 random structures; so does the name of the type', () => {
    fc.assert(
      fc.property(types(), (inner) => {
        const type = structure('a:b', { value: inner });
        const parsed = parseChannelSchema(jsonSchema(type));
        const named = parseChannelType(formatChannelType({ kind: 'structure', structure: type }));
        return (
          parsed.ok &&
          parsed.value.type.kind === 'structure' &&
          parsed.value.type.structure === type &&
          named.ok &&
          named.value.kind === 'structure' &&
          named.value.structure === type
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
