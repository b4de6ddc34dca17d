// Which of the choices does a label or an index name, and what is said where there is none?

import { expect, test } from 'vitest';

import { LocalProtocolError } from '../../src/protocol/errors.ts';
import { enumIndex } from '../../src/protocol/values/enum-index.ts';

const CHOICES = ['Off', 'On', '0', ' 1'];

test.each<[choice: unknown, index: number]>([
  ['Off', 0],
  ['On', 1],
  // A label wins over an index.
  ['0', 2],
  [' 1', 3],
  ['1', 1],
  ['\t3 ', 3],
  ['0000000001', 1],
  [0, 0],
  [3, 3],
  [0n, 0],
  [3n, 3],
])('%s names the choice %i', (choice, index) => {
  expect(enumIndex(CHOICES, choice)).toBe(index);
});

test.each<[choice: unknown, given: string]>([
  ['off', "text 'off' given"],
  ['', "text '' given"],
  ['4', "text '4' given"],
  ['-1', "text '-1' given"],
  ['1 1', "text '1 1' given"],
  ['1e0', "text '1e0' given"],
  ['00000000001', "text '00000000001' given"],
  [4, 'number 4 given'],
  [-1, 'number -1 given'],
  [0.5, 'number 0.5 given'],
  [4n, 'bigint 4 given'],
  [-1n, 'bigint -1 given'],
  [true, 'boolean true given'],
  [null, 'null given'],
  [['1'], 'a list of 1 given'],
])('%s names none', (choice, given) => {
  expect(() => enumIndex(CHOICES, choice)).toThrow(
    new LocalProtocolError(`one of 'Off', 'On', '0', ' 1', or an index from 0 to 3 expected, ${given}`),
  );
});

test('of many choices sixteen are shown', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  const shown = many(16)
    .map((label) => `'${label}'`)
    .join(', ');
  expect(() => enumIndex(many(16), 'x')).toThrow(`one of ${shown}, or an index from 0 to 15 expected`);
  expect(() => enumIndex(many(18), 'x')).toThrow(`one of ${shown} and 2 more, or an index from 0 to 17 expected`);
});

test('where no choices are known, every index that an int holds is taken, and no label', () => {
  expect([0, '7', 0x7fff_ffff, 5n].map((choice) => enumIndex([], choice))).toEqual([0, 7, 0x7fff_ffff, 5]);
  for (const choice of [0x8000_0000, 'On', '2147483648']) {
    expect(() => enumIndex([], choice)).toThrow('the index of a choice (no labels are known) expected, ');
  }
});
