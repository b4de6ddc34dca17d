// Does a bucket give so many a second, and as many at once after a rest, and no more?

import { describe, expect, test } from 'vitest';
import { RateBucket } from '../../../src/protocol/machines/rate-bucket.ts';

describe('a bucket of ten a second', () => {
  test('gives ten at once, and then one each tenth of a second', () => {
    const bucket = new RateBucket(10, 1_000);
    for (let count = 0; count < 10; count++) {
      expect(bucket.hasSome(1_000)).toBe(true);
      bucket.take(1);
    }
    expect(bucket.hasSome(1_000)).toBe(false);
    expect(bucket.hasSome(1_050)).toBe(false);
    expect(bucket.hasSome(1_150)).toBe(true);
    bucket.take(1);
    expect(bucket.hasSome(1_150)).toBe(false);
    expect(bucket.hasSome(1_250)).toBe(true);
  });

  test('holds no more than ten after any rest', () => {
    const bucket = new RateBucket(10, 0);
    expect(bucket.hasSome(60_000)).toBe(true);
    bucket.take(10);
    expect(bucket.hasSome(60_000)).toBe(false);
  });

  test('has what was taken too much filled first', () => {
    const bucket = new RateBucket(10, 0);
    bucket.take(20);
    expect(bucket.hasSome(1_050)).toBe(false);
    expect(bucket.hasSome(1_150)).toBe(true);
  });

  test('owes nothing for what was taken as far as it is there', () => {
    const bucket = new RateBucket(10, 0);
    bucket.takeSome(20);
    expect(bucket.hasSome(50)).toBe(false);
    expect(bucket.hasSome(150)).toBe(true);
  });
});
