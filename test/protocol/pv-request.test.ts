// Is pvRequest text read as pvAccessCPP's and pvxs's tools read it, and does every mistake name its place?

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { LimitError, LocalProtocolError } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { parsePvRequest, withRecordOptions } from '../../src/protocol/pv-request.ts';
import { string, structure, type TypeDesc } from '../../src/protocol/types/type-desc.ts';
import type { AnyValue, PvValue } from '../../src/protocol/types/value-of.ts';
import { hitsLimit } from '../support/hits-limit.ts';
import { recordedRequests } from '../support/recorded-requests.ts';
import { dataCases, typeOf, valueOf } from '../support/vectors.ts';

/** Structures as nested objects; options as text. Readable in an expectation, and blind to the order of names. */
function plain(request: AnyValue): unknown {
  return request === null ? null : show(request.type, request.value);
}

function show(type: TypeDesc, value: PvValue | undefined): unknown {
  if (type.kind !== 'structure') return value;
  const fields = value as Readonly<Record<string, PvValue>>;
  return Object.fromEntries(type.fields.map((field) => [field.name, show(field.type, fields[field.name])]));
}

describe('pvRequest text', () => {
  test.each<[text: string, expected: unknown]>([
    ['', { field: {} }],
    ['   ', { field: {} }],
    ['field()', { field: {} }],
    ['field( )', { field: {} }],
    ['field(value)', { field: { value: {} } }],
    ['value', { field: { value: {} } }],
    ['value,alarm', { field: { value: {}, alarm: {} } }],
    ['value alarm', { field: { value: {}, alarm: {} } }],
    ['alarm.severity', { field: { alarm: { severity: {} } } }],
    ['field(alarm.severity,alarm.status)', { field: { alarm: { severity: {}, status: {} } } }],
    ['field(a,b{c,d})', { field: { a: {}, b: { c: {}, d: {} } } }],
    ['field(b{c.d{e}})', { field: { b: { c: { d: { e: {} } } } } }],
    ['b{}', { field: { b: {} } }],
    ['field(alarm,alarm.severity)', { field: { alarm: {} } }],
    ['field(alarm.severity,alarm)', { field: { alarm: {} } }],
    ['field()value', { field: {} }],
    ['value field(alarm)', { field: { value: {}, alarm: {} } }],
    ['record[queueSize=8]', { record: { _options: { queueSize: '8' } }, field: {} }],
    ['record[]', { record: {}, field: {} }],
    [
      'record[queueSize=8,pipeline=true]field(value,alarm.severity)',
      { record: { _options: { queueSize: '8', pipeline: 'true' } }, field: { value: {}, alarm: { severity: {} } } },
    ],
    [
      ' record [ queueSize = 8 , ackAny = 50% ] , field ( value , alarm . severity ) ',
      { record: { _options: { queueSize: '8', ackAny: '50%' } }, field: { value: {}, alarm: { severity: {} } } },
    ],
    ['record[a=1]record[b=2]', { record: { _options: { a: '1', b: '2' } }, field: {} }],
    ['value[deadband=abs:0.5]', { field: { value: { _options: { deadband: 'abs:0.5' } } } }],
    ['field(p[a=b]{c})', { field: { p: { _options: { a: 'b' }, c: {} } } }],
    ['putField(a)getField(b.c)', { putField: { a: {} }, getField: { b: { c: {} } } }],
    ['field(field,record)', { field: { field: {}, record: {} } }],
  ])('%s', (text, expected) => {
    expect(plain(parsePvRequest(text))).toEqual(expected);
  });

  test('names that are dangerous in JavaScript are names like others', () => {
    const request = parsePvRequest('record[__proto__=1]field(__proto__.constructor)');
    expect(Object.getPrototypeOf(request.value)).toBe(Object.prototype);
    expect(request.type.fields.map(({ name }) => name)).toEqual(['record', 'field']);
    const field = request.type.fields[1]?.type;
    expect(field?.kind === 'structure' && field.indexOf.has('__proto__')).toBe(true);
  });

  test.each<[text: string, message: string]>([
    ['field', "pvRequest 'field', position 6: '(' after field expected, the text ends"],
    ['field value', "pvRequest 'field value', position 7: '(' after field expected, 'v' found"],
    ['record(a=1)', "pvRequest 'record(a=1)', position 7: '[' after record expected, '(' found"],
    ['field(value', "pvRequest 'field(value', position 12: ',' or ')' expected, the text ends"],
    ['field(,)', "pvRequest 'field(,)', position 7: the name of a field expected, ',' found"],
    ['field(value,)', "pvRequest 'field(value,)', position 13: the name of a field expected, ')' found"],
    ['field(a{b)', "pvRequest 'field(a{b)', position 10: ',' or '}' expected, ')' found"],
    ['field(alarm.)', "pvRequest 'field(alarm.)', position 13: the name of a field expected, ')' found"],
    [')', "pvRequest ')', position 1: record[...], field(...) or the name of a field expected, ')' found"],
    ['a,,b', "pvRequest 'a,,b', position 3: record[...], field(...) or the name of a field expected, ',' found"],
    ['record[a]', "pvRequest 'record[a]', position 9: '=' and a value for option 'a' expected, ']' found"],
    ['record[a=]', "pvRequest 'record[a=]', position 10: a value for option 'a' expected, ']' found"],
    ['record[a=1', "pvRequest 'record[a=1', position 11: ',' or ']' expected, the text ends"],
    ['record[=1]', "pvRequest 'record[=1]', position 8: the name of an option expected, '=' found"],
    [
      'record[a=1,a=2]',
      "pvRequest 'record[a=1,a=2]', position 12: an option other than 'a', given before, expected, 'a' found",
    ],
  ])('%s is refused at the place of the mistake', (text, message) => {
    expect(() => parsePvRequest(text)).toThrow(new LocalProtocolError(message));
  });

  test('a long text is shown by its beginning', () => {
    expect(() => parsePvRequest(`${'a'.repeat(100)})`)).toThrow(/^pvRequest 'a{60}…', position 101: /);
  });

  test('length, names and levels are bounded', () => {
    hitsLimit('maxPvRequestCharacters', 'maxTypeFields', 'maxTypeNesting');
    const limitOf = (text: string): unknown => {
      try {
        return parsePvRequest(text);
      } catch (thrown) {
        return thrown instanceof LimitError ? thrown.limit : thrown;
      }
    };
    expect(limitOf('a'.repeat(DEFAULT_LIMITS.maxPvRequestCharacters + 1))).toBe('maxPvRequestCharacters');
    expect(limitOf(Array.from({ length: 10_001 }, (_, index) => `a${index}`).join(','))).toBe('maxTypeFields');
    expect(limitOf('a.'.repeat(1_000).concat('a'))).toBe('maxTypeNesting');
    expect(limitOf('a{'.repeat(1_000))).toBe('maxTypeNesting');
    expect(parsePvRequest(Array(17).fill('a').join('.')).type.depth).toBeLessThanOrEqual(DEFAULT_LIMITS.maxTypeNesting);
  });

  test('no text does anything but be read or be refused with a pvkit error', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .array(fc.constantFrom('field', 'record', 'a', 'b.c', '(', ')', '[', ']', '{', '}', ',', '=', '.', ' '))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (one) => {
        try {
          expect(parsePvRequest(one).type.kind).toBe('structure');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(LocalProtocolError);
        }
      }),
    );
  });
});

describe('recorded pvRequests', () => {
  const textOf: Readonly<Record<string, string>> = {
    'pvRequest: field()': 'field()',
    'pvRequest: field(value,alarm,timeStamp.nanoseconds)': 'field(value,alarm,timeStamp.nanoseconds)',
    'pvRequest: record[process=true,block=true]field(value), string options':
      'record[process=true,block=true]field(value)',
  };

  test.each(Object.entries(textOf))('%s has the recorded type and value', (name, text) => {
    const recorded = dataCases().find((one) => one.name === name);
    const type = typeOf(recorded?.type ?? { kind: 'missing' });
    const request = parsePvRequest(text);
    expect(request.type).toBe(type);
    expect(request.value).toStrictEqual(valueOf(type, recorded?.value));
  });

  const requests = recordedRequests().filter(({ kind }) => kind === 'pvRequest');
  // Tools with -r send what it says with their operation; some read the value first with a request of their own.
  const withText = requests.filter(({ args, commandName }) => args.includes('-r') && commandName !== 'RPC');

  test('are there', () => {
    expect(withText.length).toBeGreaterThanOrEqual(14);
  });

  test.each(withText.map((one) => [`${one.transcript} ${one.commandName}`, one] as const))('%s', (_, one) => {
    const text = one.args[one.args.indexOf('-r') + 1] ?? '';
    const request = parsePvRequest(text);
    expect(plain(request)).toEqual(plain(one.value));
    // pvAccessCPP keeps the order of the text, as we do; pvxs puts field first and sorts options.
    if (one.transcript.startsWith('base-')) expect(request).toStrictEqual(one.value);
  });
});

describe('options added to a request', () => {
  test('stand beside those that are there, and replace those of the same name', () => {
    const request = parsePvRequest('record[queueSize=8,DBE=1]field(value)');
    expect(plain(withRecordOptions(request, { queueSize: '4', pipeline: 'true' }))).toEqual({
      field: { value: {} },
      record: { _options: { DBE: '1', queueSize: '4', pipeline: 'true' } },
    });
    expect(plain(request)).toEqual({ record: { _options: { queueSize: '8', DBE: '1' } }, field: { value: {} } });
  });

  test('make a record where there is none, or where it is no structure', () => {
    expect(plain(withRecordOptions(parsePvRequest(''), { block: 'true' }))).toEqual({
      field: {},
      record: { _options: { block: 'true' } },
    });
    const odd = { type: structure({ record: string }), value: { record: 'x' } };
    expect(plain(withRecordOptions(odd, { block: 'true' }))).toEqual({ record: { _options: { block: 'true' } } });
  });
});
