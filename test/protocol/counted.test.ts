// Does one of something have the word for one?

import { expect, it } from 'vitest';

import { counted } from '../../src/protocol/counted.ts';

it.each([
  [0, '0 channels'],
  [1, '1 channel'],
  [2, '2 channels'],
])('%i of a word that takes an s', (count, text) => {
  expect(counted(count, 'channel')).toBe(text);
});

it.each([
  [0, '0 links are open'],
  [1, '1 link is open'],
  [2, '2 links are open'],
])('%i of words that do not', (count, text) => {
  expect(counted(count, 'link is open', 'links are open')).toBe(text);
});
