// What do expressions of computed channels compute, and what do they say of a text that is none?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { expression, wrongInputName } from '../../src/channels/expression/expression.ts';
import { LimitError, LocalProtocolError } from '../../src/protocol/errors.ts';
import { hitsLimit } from '../support/hits-limit.ts';

function compute(text: string, inputs: Readonly<Record<string, unknown>> = {}): number | bigint {
  return expression(text, Object.keys(inputs))(inputs);
}

describe('an expression', () => {
  it.each([
    ['1', 1],
    [' 1.5e3 ', 1500],
    ['.5', 0.5],
    ['5.', 5],
    ['0x1F', 31],
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 4 - 3', 3],
    ['24 / 4 / 2', 3],
    ['7 % 4', 3],
    ['-7 % 4', -3],
    ['7 % 0', Number.NaN],
    ['2 ^ 3 ^ 2', 512],
    ['-2 ^ 2', -4],
    ['2 ^ -1', 0.5],
    ['--2', 2],
    ['+2', 2],
    ['1 / 0', Number.POSITIVE_INFINITY],
    ['0 / 0', Number.NaN],
    ['1 < 2', 1],
    ['2 < 1', 0],
    ['2 <= 2', 1],
    ['2 > 2', 0],
    ['2 >= 2', 1],
    ['2 == 2', 1],
    ['2 != 2', 0],
    ['NaN == NaN', 0],
    ['NaN != NaN', 1],
    ['NaN < 1', 0],
    ['1 + 1 == 2', 1],
    ['1 && 0 || 1', 1],
    ['0 && 1 || 0', 0],
    ['5 && 7', 1],
    ['NaN || 0', 0],
    ['!0', 1],
    ['!3', 0],
    ['!NaN', 1],
    ['1 ? 2 : 3', 2],
    ['0 ? 2 : 3', 3],
    ['0 ? 1 : 0 ? 2 : 3', 3],
    ['1 ? 0 ? 4 : 5 : 6', 5],
    ['2 > 1 ? 10 : 20', 10],
    ['PI', Math.PI],
    ['E', Math.E],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['sqrt(16)', 4],
    ['cbrt(27)', 3],
    ['abs(-3)', 3],
    ['round(2.5) + floor(-0.5) + ceil(0.2) + trunc(-1.7)', 2],
    ['sign(-9)', -1],
    ['min(3, 1, 2)', 1],
    ['max(3, 1, 2)', 3],
    ['max(1, NaN, 2)', Number.NaN],
    ['min(NaN, 2)', Number.NaN],
    ['hypot(3, 4)', 5],
    ['pow(2, 10)', 1024],
    ['atan2(0, -1)', Math.PI],
    ['log10(1000) + log2(8)', 6],
    ['sin(0) + cos(0)', 1],
    ['isNaN(0 / 0)', 1],
    ['isFinite(1 / 0)', 0],
  ])('%s is %d', (text, value) => {
    expect(compute(text)).toBe(value);
  });

  it('takes the inputs that it names', () => {
    expect(compute('sqrt(a*a + b*b)', { a: 3, b: 4 })).toBe(5);
    expect(compute('_x1 - X', { _x1: 3, X: 1 })).toBe(2);
  });

  it('takes a truth as 1 or 0, and what is no number as NaN', () => {
    expect(compute('a + a', { a: true })).toBe(2);
    expect(compute('a', { a: false })).toBe(0);
    expect(compute('a', { a: 'x' })).toBeNaN();
    expect(expression('a', ['a'])({})).toBeNaN();
    // An object has a toString of its own; no input has.
    expect(expression('toString', ['toString'])({})).toBeNaN();
  });

  it('computes no more than the branch that counts', () => {
    expect(compute('a == 0 ? 0 : 1 / a', { a: 0 })).toBe(0);
    expect(compute('a == 0 || 1 / a > 2', { a: 0 })).toBe(1);
  });
});

describe('integers of 64 bits', () => {
  const big = 2n ** 60n;

  it.each<[string, number | bigint]>([
    ['a + 1', big + 1n],
    ['1 + a', big + 1n],
    ['a - 1', big - 1n],
    ['a * 3', big * 3n],
    ['a % 7', big % 7n],
    ['-a', -big],
    ['abs(-a - 1)', big + 1n],
    ['max(a, a + 1)', big + 1n],
    ['min(a, a + 1)', big],
    ['floor(a + 1)', big + 1n],
    ['a + 1 > a', 1],
    ['a + 1 == a', 0],
    ['a == 1152921504606846976', 1],
    ['a != 1152921504606846977', 1],
    ['a == 0x1000000000000000', 1],
    ['1152921504606846977 - a', 1n],
    ['a == 2 ^ 60', 1],
    ['2 ^ 60 == a', 1],
    ['2 ^ 60 != a + 1', 1],
  ])('are exact in %s', (text, value) => {
    expect(compute(text, { a: big })).toBe(value);
  });

  it.each([
    ['a / 2', 2 ** 59],
    ['a * 0.5', 2 ** 59],
    ['a + 0.5', 2 ** 60],
    ['a ^ 2', 2 ** 120],
    ['sqrt(a)', 2 ** 30],
    ['sign(-a)', -1],
    ['a % 0', Number.NaN],
    ['a % 0.75', 2 ** 60 % 0.75],
    ['!a', 0],
    ['(a - a) ? 1 : 2', 2],
    ['isNaN(a) + isFinite(a)', 1],
  ])('are doubles in %s', (text, value) => {
    expect(compute(text, { a: big })).toBe(value);
  });
});

describe('what is no expression', () => {
  it.each([
    ['', 'at character 1: a number, a name or ( expected, found the end'],
    ['1 +', 'at character 4: a number, a name or ( expected, found the end'],
    ['(1', 'at character 3: ) or an operator expected, found the end'],
    ['1)', 'at character 2: an operator or the end expected, found ")"'],
    ['a b', 'at character 3: an operator or the end expected, found "b"'],
    ['a + c', 'at character 5: there is no input c; the inputs are a, b'],
    ['a = 1', 'at character 3: "=" is no operator; did you mean == ?'],
    ['a & b', 'at character 3: "&" is no operator; did you mean && ?'],
    ['a | b', 'at character 3: "|" is no operator; did you mean || ?'],
    ['a # b', 'at character 3: "#" is no operator; did you mean != ?'],
    ['a; b', 'at character 2: ";" is no operator'],
    ['a + \u{1F600}', 'at character 5: "\u{1F600}" is no operator'],
    ['2a', 'at character 1: "2a" is no number'],
    ['0xfg', 'at character 1: "0xfg" is no number'],
    ['1.2.3', 'at character 1: "1.2.3" is no number'],
    ['1 < a < 2', 'at character 7: comparisons do not chain; write a < b && b < c'],
    ['a ? b', 'at character 6: : or an operator expected, found the end'],
    ['a ** 2', 'at character 4: a number, a name or ( expected, found "*"'],
    ['sqrt', 'at character 5: ( expected, found the end'],
    ['sqrt()', 'at character 1: sqrt takes 1, and not 0 arguments'],
    ['sqrt(1, 2)', 'at character 1: sqrt takes 1, and not 2 arguments'],
    ['atan2(1)', 'at character 1: atan2 takes 2, and not 1 arguments'],
    ['max()', 'at character 1: max takes at least 1, and not 0 arguments'],
    ['max(1,)', 'at character 7: a number, a name or ( expected, found ")"'],
    ['a.constructor', 'at character 2: "." is no operator'],
    ['constructor', 'at character 1: there is no input constructor; the inputs are a, b'],
  ])('such as %j is refused', (text, message) => {
    expect(() => expression(text, ['a', 'b'])).toThrow(new LocalProtocolError(message));
  });

  it('names the functions that there are where one is called that is not there', () => {
    expect(() => expression('eval(1)', [])).toThrow(/^at character 1: there is no function eval; there are .*sqrt/);
    expect(() => expression('a(1)', ['a'])).toThrow('there is no function a');
  });

  it('is refused when it is too long', () => {
    hitsLimit('maxExpressionCharacters');
    const limits = { maxExpressionCharacters: 5, maxExpressionDepth: 50 };
    expect(expression('1+2+3', [], limits)({})).toBe(6);
    expect(() => expression('1+2+3 ', [], limits)).toThrow(LimitError);
  });

  it.each([
    ['parentheses', (depth: number) => `${'('.repeat(depth)}1${')'.repeat(depth)}`],
    ['signs', (depth: number) => `${'-'.repeat(depth)}1`],
    ['negations', (depth: number) => `${'!'.repeat(depth)}1`],
    ['powers', (depth: number) => `1${'^1'.repeat(depth)}`],
    ['choices', (depth: number) => `1${'?1:1'.repeat(depth)}`],
    ['calls', (depth: number) => `${'abs('.repeat(depth)}1${')'.repeat(depth)}`],
  ])('is refused when it has too many %s inside each other', (_what, nest) => {
    hitsLimit('maxExpressionDepth');
    expect(Math.abs(Number(expression(nest(40), [])({})))).toBe(1);
    expect(() => expression(nest(51), [])).toThrow(
      /^expression, at character \d+: 51 asked, maxExpressionDepth allows 50/,
    );
  });

  it('has no trouble with a sum as long as an expression may be', () => {
    const text = `1${'+1'.repeat(499)}`;
    expect(compute(text)).toBe(500);
  });
});

describe('the name of an input', () => {
  it('is one that a text can hold, and not taken', () => {
    expect(wrongInputName('x_1')).toBeUndefined();
    expect(wrongInputName('x-1')).toBe('is no name; expected letters, digits and _');
    expect(wrongInputName('1x')).toBe('is no name; expected letters, digits and _');
    expect(wrongInputName('sqrt')).toBe('is the name of a function of expressions');
    expect(wrongInputName('PI')).toBe('is the name of a constant of expressions');
  });
});

describe('any expression', () => {
  interface Tree {
    readonly text: string;
    readonly value: number;
  }

  const OPERATORS: Readonly<Record<string, (left: number, right: number) => number>> = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '%': (left, right) => left % right,
    '^': (left, right) => left ** right,
    '<': (left, right) => Number(left < right),
    '&&': (left, right) => Number(Boolean(left) && Boolean(right)),
    '||': (left, right) => Number(Boolean(left) || Boolean(right)),
  };
  const inputs = { a: 3, b: -0.5, c: 0 };

  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom<Tree>(...Object.entries(inputs).map(([text, value]) => ({ text, value }))),
      fc.nat(1_000).map((value) => ({ text: String(value), value })),
      fc.tuple(fc.constantFrom(...Object.keys(OPERATORS)), tie('tree'), tie('tree')).map(([operator, left, right]) => ({
        text: `(${left.text}) ${operator} (${right.text})`,
        value: OPERATORS[operator]?.(left.value, right.value) ?? Number.NaN,
      })),
      fc.tuple(tie('tree'), tie('tree'), tie('tree')).map(([condition, then, otherwise]) => ({
        text: `(${condition.text}) ? (${then.text}) : (${otherwise.text})`,
        value: condition.value ? then.value : otherwise.value,
      })),
      tie('tree').map((inner) => ({ text: `-(${inner.text})`, value: -inner.value })),
      tie('tree').map((inner) => ({ text: `abs(${inner.text})`, value: Math.abs(inner.value) })),
    ),
  }));

  it('computes what its tree does', () => {
    fc.assert(
      fc.property(tree, ({ text, value }) => {
        const limits = { maxExpressionCharacters: 100_000, maxExpressionDepth: 50 };
        // Zeros of either sign are one number.
        expect(Number(expression(text, ['a', 'b', 'c'], limits)(inputs)) + 0).toBe(value + 0);
      }),
    );
  });

  it('is taken or refused with a position, whatever the text', () => {
    const word = fc.constantFrom(
      'a',
      'b',
      '1',
      '2.5',
      '(',
      ')',
      '+',
      '-',
      '*',
      '^',
      '?',
      ':',
      '<',
      '&&',
      '!',
      'max',
      ',',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word).map((words) => words.join('')),
          fc.string(),
        ),
        (text) => {
          try {
            expect(typeof expression(text, ['a', 'b'])({ a: 1, b: 2 })).toBe('number');
          } catch (thrown) {
            expect(String(thrown)).toMatch(/at character \d+/);
          }
        },
      ),
    );
  });
});
