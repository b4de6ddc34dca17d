// Is a stored definition read back as it was, compared by what it says, and refused where it is damaged or hostile?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences } from '../../../src/channels/stores/definition-difference.ts';
import { StoreError } from '../../../src/channels/stores/store-error.ts';
import {
  decodeDefinition,
  encodeDefinition,
  isSameDefinition,
} from '../../../src/channels/stores/stored-definition.ts';
import * as t from '../../../src/protocol/types/type-desc.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { structureTypes } from '../../support/arbitraries.ts';
import { hitsLimit } from '../../support/hits-limit.ts';

const TYPE = t.structure('demo/1.0', { value: t.double, label: t.string });
const DEFINITION = { name: 'lab:x', type: TYPE, settings: { units: 'mm', control: { high: 10, low: 0 } } };
const TEXT = encodeDefinition(DEFINITION);

function changed(patch: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(TEXT) as object), ...patch });
}

describe('the stored form of a definition', () => {
  it('is JSON with a format, the settings with keys in order, and the type for people and in bytes', () => {
    expect(TEXT).toBe(
      '{"format":1,"settings":{"control":{"high":10,"low":0},"units":"mm"},' +
        '"text":"struct \\"demo/1.0\\" { double value, string label }",' +
        // 0x80, id, count 2, "value" 0x43, "label" 0x60
        '"type":"gAhkZW1vLzEuMAIFdmFsdWVDBWxhYmVsYA=="}',
    );
  });

  it('comes back as it was, whatever the type and the settings', () => {
    fc.assert(
      fc.property(structureTypes(), fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (type, settings) => {
        // No setting is called that, and what JSON cannot tell apart is one.
        fc.pre(!JSON.stringify(settings).includes('__proto__'));
        const definition = { name: 'a', type, settings: JSON.parse(JSON.stringify(settings)) as typeof settings };
        const decoded = decodeDefinition('a', encodeDefinition({ ...definition, settings: definition.settings as {} }));
        expect(decoded.type).toBe(type);
        expect(decoded.settings).toEqual(definition.settings);
      }),
    );
  });

  it('is the same whatever the order of keys', () => {
    const other = { ...DEFINITION, settings: { control: { low: 0, high: 10 }, units: 'mm' } };
    expect(encodeDefinition(other)).toBe(TEXT);
    expect(isSameDefinition(other, DEFINITION)).toBe(true);
    expect(isSameDefinition({ ...other, settings: { units: 'mm' } }, DEFINITION)).toBe(false);
  });

  it.each([
    ['no JSON', '{', /no JSON/u],
    ['a list', '[]', /no JSON object/u],
    ['a newer format', changed({ format: 2 }), /of format 2; this version of pvkit reads up to 1/u],
    ['no format', changed({ format: '1' }), /names no format/u],
    ['a foreign key', changed({ owner: 'me' }), /has the key "owner"/u],
    ['a prototype', TEXT.replace('"units"', '"__proto__"'), /has the key '__proto__'/u],
    ['a prototype outside', TEXT.replace('"text"', '"__proto__":{},"text"'), /has the key "__proto__"/u],
    ['no type', changed({ type: undefined }), /text or type is missing/u],
    ['a type that is no base64', changed({ type: '####' }), /no base64/u],
    ['a type that is cut short', changed({ type: 'gAhk' }), /its type cannot be read/u],
    ['a type that is not assigned', changed({ type: Buffer.of(0x99).toString('base64') }), /its type cannot be read/u],
    ['a type that is no structure', changed({ type: Buffer.of(0x43).toString('base64') }), /its type is scalar/u],
    ['bytes behind the type', changed({ type: 'gAhkZW1vLzEuMAIFdmFsdWVDBWxhYmVsYAAA' }), /2 bytes follow its type/u],
    ['settings that are a list', changed({ settings: [] }), /settings is no JSON object/u],
    [
      'settings without an end',
      TEXT.replace('{"high":10,"low":0}', `${'{"a":'.repeat(100)}0${'}'.repeat(100)}`),
      /nested deeper than 20 levels/u,
    ],
    ['too many characters', `${TEXT}${' '.repeat(DEFAULT_LIMITS.maxDefinitionCharacters)}`, /characters, at most/u],
  ])('is refused by name with %s', (_, text, why) => {
    hitsLimit('maxDefinitionCharacters');
    expect(() => decodeDefinition('lab:x', text)).toThrow(why);
    expect(() => decodeDefinition('lab:x', text)).toThrow(/channel 'lab:x'/u);
    expect(() => decodeDefinition('lab:x', text)).toThrow(StoreError);
  });

  it('takes no settings that JSON cannot say', () => {
    for (const value of [Number.NaN, 1n, () => 1, new Date(0)]) {
      // What a program without types may give.
      const settings = { value } as unknown as typeof DEFINITION.settings;
      expect(() => encodeDefinition({ ...DEFINITION, settings })).toThrow(/settings\.value is no JSON/u);
    }
  });
});

describe('the difference of two definitions', () => {
  it('names each key with both values', () => {
    const other = {
      name: 'lab:x',
      type: t.structure('demo/2.0', { value: t.int, unit: t.string }),
      settings: { units: 'inch', control: { low: 0, high: 20 }, extra: true },
    };
    expect(differences(DEFINITION, other)).toEqual([
      'the id of type is demo/1.0 in the store and demo/2.0 here',
      'type.value is double in the store and int here',
      'type.label is string in the store and missing here',
      'type.unit is missing in the store and string here',
      'settings.control.high is 10 in the store and 20 here',
      'settings.extra is missing in the store and true here',
      'settings.units is "mm" in the store and "inch" here',
    ]);
  });

  it('names another order of fields', () => {
    const other = { ...DEFINITION, type: t.structure('demo/1.0', { label: t.string, value: t.double }) };
    expect(differences(DEFINITION, other)).toEqual(['the fields of type are in another order']);
  });

  it('is nothing for the same', () => {
    expect(differences(DEFINITION, decodeDefinition('lab:x', TEXT))).toEqual([]);
  });
});
