// How much may a server send? What becomes of the limits themselves is tested where each of them holds (test/limits.test.ts).

import { expect, test } from 'vitest';

import { DEFAULT_LIMITS, mostSentBytes } from '../../src/protocol/limits.ts';

test('a server sends as much as peers with the default read, even if it reads less itself, and more if it reads more', () => {
  const sentBy = (maxBodyBytes: number) => mostSentBytes({ ...DEFAULT_LIMITS, maxBodyBytes });
  expect(sentBy(1_000)).toBe(64 * 1024 * 1024);
  expect(mostSentBytes(DEFAULT_LIMITS)).toBe(64 * 1024 * 1024);
  expect(sentBy(100 * 1024 * 1024)).toBe(100 * 1024 * 1024);
});
