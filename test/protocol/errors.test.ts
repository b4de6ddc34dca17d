// What text does a thing that was thrown have?
import { expect, test } from 'vitest';
import { PvaError, reasonOf } from '../../src/protocol/errors.ts';

test.each([
  ['an error', new Error('the pump is off'), 'the pump is off'],
  ['an error of this package', new PvaError('READ_ONLY', 'this PV is read-only'), 'this PV is read-only'],
  ['an error whose message is none', Object.assign(new Error(), { message: 5 }), '5'],
  ['a text', 'no', 'no'],
  ['nothing', undefined, 'undefined'],
  ['a symbol', Symbol('x'), 'Symbol(x)'],
])('%s', (_, thrown, text) => {
  expect(reasonOf(thrown)).toBe(text);
});

test.each([
  ['without a prototype', Object.create(null)],
  [
    'whose text throws',
    {
      toString() {
        throw new Error('no text');
      },
    },
  ],
])('an object %s has no text, and that is said', (_, thrown) => {
  expect(reasonOf(thrown)).toBe('the reason cannot be put into words');
});
