// Which texts does a pattern fit, and which patterns does it make needless?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Glob } from '../../../src/channels/access/glob.ts';

/** The same by a regular expression; the texts of these tests have nothing that it would take for more than itself. */
function twin(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('?', '.').replaceAll('*', '.*')}$`, 'su');
}

const patterns = fc.stringMatching(/^[ab:*?]{0,8}$/u);
const texts = fc.stringMatching(/^[ab:]{0,8}$/u);

describe('a pattern', () => {
  it.each([
    ['lab:x', 'lab:x', true],
    ['lab:x', 'lab:X', false],
    ['lab:x', 'lab:xy', false],
    ['*', '', true],
    ['*', 'anything:at all', true],
    ['lab:*', 'lab:', true],
    ['lab:*', 'lab', false],
    ['*:temp', 'lab:1:temp', true],
    ['lab:*:temp?', 'lab:a:b:temp9', true],
    ['lab:*:temp?', 'lab:a:temp', false],
    ['?', '', false],
    ['?', 'é', true],
    ['?', '😀', true],
    ['a.b', 'axb', false],
    ['[ab]', 'a', false],
    ['*a*b', 'aaaab', true],
    ['*a*b', 'aaaaba', false],
    ['', '', true],
    ['', 'x', false],
  ])('%j fits %j: %s', (pattern, text, expected) => {
    expect(new Glob(pattern).fits(text)).toBe(expected);
  });

  it('fits what a regular expression of it fits', () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(new Glob(pattern).fits(text)).toBe(twin(pattern).test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for what is made to take long', () => {
    const steps = 20_000;
    expect(new Glob(`${'*a'.repeat(50)}b`).fits('a'.repeat(steps))).toBe(false);
  });
});

describe('a pattern that covers another', () => {
  it.each([
    ['*', 'lab:*', true],
    ['*', '', true],
    ['lab:*', 'lab:x', true],
    ['lab:*', 'lab:*:x', true],
    ['lab:*', '*', false],
    ['lab:x', 'lab:x', true],
    ['lab:x', 'lab:*', false],
    ['?', '*', false],
    ['*?', '?*', true],
    ['?*', '*?', true],
    ['*?*', '??', true],
    ['a*b', 'a?b', true],
    ['a?b', 'a*b', false],
  ])('%j covers %j: %s', (outer, inner, expected) => {
    expect(new Glob(outer).covers(new Glob(inner))).toBe(expected);
  });

  it('fits all that the other fits', () => {
    const looser = fc.constantFrom('same', '?', '*');
    const letters = fc.array(fc.stringMatching(/^[ab]{0,2}$/u), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(patterns, fc.array(looser, { minLength: 8, maxLength: 8 }), letters, (inner, how, fill) => {
        const outer = Array.from(inner, (symbol, at) => (how[at] === 'same' ? symbol : (how[at] ?? ''))).join('');
        fc.pre(new Glob(outer).covers(new Glob(inner)));
        const text = Array.from(inner, (symbol, at) => {
          if (symbol === '*') return fill[at] ?? '';
          return symbol === '?' ? (fill[at]?.[0] ?? 'a') : symbol;
        }).join('');
        expect(new Glob(inner).fits(text)).toBe(true);
        expect(new Glob(outer).fits(text)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('covers itself', () => {
    fc.assert(
      fc.property(patterns, (pattern) => {
        expect(new Glob(pattern).covers(new Glob(pattern))).toBe(true);
      }),
    );
  });
});
