// What do the words behind `put NAME` and `call NAME` ask for?

import { describe, expect, it } from 'vitest';

import { parseAssignment, parseJson, patchOf, setAt } from '../../src/cli/assignments.ts';
import { UsageError } from '../../src/cli/fault.ts';

describe('a word', () => {
  it.each([
    ['value=1', ['value'], '', '1'],
    ['alarm.severity=2', ['alarm', 'severity'], '', '2'],
    ['a=b=c', ['a'], '', 'b=c'],
    ['text=', ['text'], '', ''],
    ['n:int=3', ['n'], 'int', '3'],
    ['list:double[]=[1]', ['list'], 'double[]', '[1]'],
    ['note=two\nlines', ['note'], '', 'two\nlines'],
    ['_x9=1', ['_x9'], '', '1'],
  ])('%j is an assignment', (word, path, type, text) => {
    expect(parseAssignment(word)).toEqual({ path, type, text });
  });

  it.each(['1', '-2.5', 'Off', '=1', '1=2', 'a b=1', '.a=1', 'a.=1', '[1]', ''])('%j is none', (word) => {
    expect(parseAssignment(word)).toBeUndefined();
  });
});

describe('the patch of a put', () => {
  it.each<[string[], unknown]>([
    [['1'], { value: '1' }],
    [['-2.5'], { value: '-2.5' }],
    [['two words'], { value: 'two words' }],
    [[''], { value: '' }],
    [['[1, 2, 3]'], { value: [1, 2, 3] }],
    [['{"value": 3, "alarm": {"severity": 1}}'], { value: 3, alarm: { severity: 1 } }],
    [
      ['value=3', 'alarm.severity=1', 'alarm.message=by hand'],
      { value: '3', alarm: { severity: '1', message: 'by hand' } },
    ],
    [['value=[1,2]'], { value: [1, 2] }],
    [['[not json'], { value: '[not json' }],
    [['value={"index":1}'], { value: { index: 1 } }],
    [['{"value":1e400}'], { value: '1e400' }],
    [['[1, -1e400]'], { value: [1, '-1e400'] }],
    [['[09007199254740993]'], { value: '[09007199254740993]' }],
  ])('of %j', (words, patch) => {
    expect(patchOf(words)).toEqual(patch);
  });

  it.each([
    [['1', '2'], '"1" is not FIELD=VALUE; an array is written as one word'],
    [['value=1', '2'], '"2" is not FIELD=VALUE'],
    [['value=1', 'value=2'], 'value is given twice'],
    [['value=1', 'value.index=2'], 'value is given twice'],
    [['value.index=1', 'value=2'], 'value is given twice'],
    [['value:int=1'], 'a put takes no type'],
  ])('of %j is refused: %s', (words, message) => {
    expect(() => patchOf(words)).toThrow(UsageError);
    expect(() => patchOf(words)).toThrow(message);
  });

  it('never touches a prototype', () => {
    const patch = patchOf(['__proto__.polluted=1']);
    expect(JSON.stringify(patch)).toBe('{"__proto__":{"polluted":"1"}}');
    expect(Object.getOwnPropertyDescriptor(Object.prototype, 'polluted')).toBeUndefined();
  });
});

describe('JSON', () => {
  it('keeps whole numbers past 2^53 exact, as texts', () => {
    expect(parseJson('{"a": 9007199254740993, "b": -18446744073709551615, "c": 9007199254740991}')).toEqual({
      a: '9007199254740993',
      b: '-18446744073709551615',
      c: 9007199254740991,
    });
  });

  it('leaves digits inside of texts and long fractions alone', () => {
    expect(parseJson('["90071992547409931", "a\\"90071992547409931", 0.12345678901234567, 1e300]')).toEqual([
      '90071992547409931',
      'a"90071992547409931',
      Number('0.12345678901234567'),
      1e300,
    ]);
  });
});

it('JSON keeps each text and each name as it is beside a number that no double is', () => {
  const text =
    '{"n1": "t", "9007199254740993" : "n9007199254740993", "a": ["", "\\"", "\\u006e1"], "b": 9007199254740993}';
  expect(parseJson(text, (digits) => BigInt(digits))).toEqual({
    n1: 't',
    '9007199254740993': 'n9007199254740993',
    a: ['', '"', 'n1'],
    b: 9007199254740993n,
  });
});

it('sets fields inside of fields', () => {
  const target = {};
  setAt(target, ['a', 'b', 'c'], 1);
  setAt(target, ['a', 'b', 'd'], 2);
  expect(target).toEqual({ a: { b: { c: 1, d: 2 } } });
});
