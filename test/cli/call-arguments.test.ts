// Which types do the arguments of a call get?

import { describe, expect, it } from 'vitest';

import { argumentsOf } from '../../src/cli/call-arguments.ts';
import { UsageError } from '../../src/cli/fault.ts';
import { secondsOf } from '../../src/cli/options.ts';
import { arrayOf, boolean, double, int, long, string, structure, ubyte, ulong } from '../../src/protocol/index.ts';

describe('an argument', () => {
  it.each([
    ['a=2', double, 2],
    ['a=-3.5e2', double, -350],
    ['a=true', boolean, true],
    ['a=false', boolean, false],
    ['a=text', string, 'text'],
    ['a=', string, ''],
    ['a=0x10', string, '0x10'],
    ['a=1 2', string, '1 2'],
    ['a=[1, 2.5]', arrayOf(double), Float64Array.of(1, 2.5)],
    ['a=["x","y"]', arrayOf(string), ['x', 'y']],
    ['a=[true]', arrayOf(boolean), [true]],
    ['a=[not json', string, '[not json'],
    ['a={"x": 1, "s": "t"}', structure({ x: double, s: string }), { x: 1, s: 't' }],
    ['a=[9007199254740991]', arrayOf(double), Float64Array.of(9007199254740991)],
    ['a=[1, -9007199254740993]', arrayOf(long), BigInt64Array.of(1n, -9007199254740993n)],
    ['a=[1, 18446744073709551615]', arrayOf(ulong), BigUint64Array.of(1n, 18446744073709551615n)],
    [
      'a={"id": 12345678901234567, "n": 1, "12345678901234567": "12345678901234567", "t": "n1"}',
      structure({ id: long, n: double, '12345678901234567': string, t: string }),
      { id: 12345678901234567n, n: 1, '12345678901234567': '12345678901234567', t: 'n1' },
    ],
    ['a=9007199254740992', double, 9007199254740992],
    ['a=+1e22', double, 1e22],
    ['a:int=3', int, 3],
    ['a:long=9007199254740993', long, 9007199254740993n],
    ['a:string=3', string, '3'],
    ['a:ubyte[]=[1,255]', arrayOf(ubyte), Uint8Array.of(1, 255)],
  ])('%s', (word, type, value) => {
    const { a } = argumentsOf([word], false);
    expect(a?.type).toBe(type);
    expect(a?.value).toEqual(value);
  });

  it.each(['9'.repeat(100_000) + '(', '9'.repeat(100_000) + '.', '.' + '9'.repeat(100_000) + 'e'])(
    'of many digits is read at once',
    (word) => {
      const before = performance.now();
      if (word.endsWith('.')) expect(() => argumentsOf([`a=${word}`], false)).toThrow('is past the largest double');
      else expect(argumentsOf([`a=${word}`], false)).toHaveProperty('a');
      expect(() => secondsOf(word, 10)).toThrow('Expected a number of seconds from 0 to 10.');
      expect(performance.now() - before).toBeLessThan(1_000);
    },
  );

  it('is text when texts are asked for, unless it says otherwise itself', () => {
    expect(argumentsOf(['a=2', 'b=true', 'c=[1]', 'd:int=4'], true)).toEqual({
      a: { type: string, value: '2' },
      b: { type: string, value: 'true' },
      c: { type: string, value: '[1]' },
      d: { type: int, value: 4 },
    });
  });

  it('with a path is part of a structure', () => {
    expect(argumentsOf(['a.x=1', 'a.y.z=t', 'b=2'], false)).toEqual({
      a: {
        type: structure({ x: double, y: structure({ z: string }) }),
        value: { x: 1, y: { z: 't' } },
      },
      b: { type: double, value: 2 },
    });
  });

  it('of thirty thousand levels is refused with a sentence', () => {
    const word = `a=${'['.repeat(30_000)}1${']'.repeat(30_000)}`;
    expect(() => argumentsOf([word], false)).toThrow('levels of a value: 21 asked, maxTypeNesting allows 20');
  });

  it.each([
    ['word', '"word" is not FIELD=VALUE'],
    ['a:nosuch=1', 'a: "nosuch" is no type; expected one of boolean'],
    [`${'a.'.repeat(2_000)}b=1`, 'an argument of 2001 levels; a type has 20 at most'],
    ['a:int=1.5', 'a: '],
    ['a:byte=300', 'a: '],
    ['a:int[]=[1,"x"]', 'a: '],
    ['a=[]', 'a: '],
    ['a=9007199254740993', 'a: "9007199254740993" is no double; give the type, such as a:long=9007199254740993'],
    ['a.b=-9007199254740993', 'a.b: "-9007199254740993" is no double; give the type, such as a.b:long='],
    ['a=1e400', 'a: "1e400" is past the largest double'],
    ['a=[1, 1e400]', 'a: "1e400" is past the largest double'],
    ['a={"b": [-1e400]}', 'a: "-1e400" is past the largest double'],
    ['a=[18446744073709551616]', 'a: [0]: a number of 64 bits expected, bigint 18446744073709551616 given'],
    ['a:double[]=[1e400]', 'a: [0]: a number up to 1.8e308 (double) expected'],
  ])('%s is refused', (word, message) => {
    expect(() => argumentsOf([word], false)).toThrow(UsageError);
    expect(() => argumentsOf([word], false)).toThrow(message);
  });

  it('given twice is refused', () => {
    expect(() => argumentsOf(['a=1', 'a=2'], false)).toThrow('a is given twice');
    expect(() => argumentsOf(['a=1', 'a.b=2'], false)).toThrow('a is given twice');
  });
});
