// Does the histogram of latencies tell quantiles within 1 %, and extremes exactly?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/load/histogram.ts';

describe('the histogram of latencies', () => {
  it('says nothing but zeros when nothing was counted', () => {
    expect(new Histogram().summary()).toEqual({ min: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
  });

  it('tells one time as it is', () => {
    const histogram = new Histogram();
    histogram.add(0.0125);
    expect(histogram.summary()).toEqual({ min: 12.5, p50: 12.5, p90: 12.5, p99: 12.5, p999: 12.5, max: 12.5 });
  });

  it('tells quantiles within 1 % of those of the sorted times', () => {
    const times = fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(times, (each) => {
        const histogram = new Histogram();
        for (const ms of each) histogram.add(ms);
        const sorted = each.toSorted((a, b) => a - b);
        const quantile = (part: number): number => (sorted[Math.ceil(each.length * part) - 1] ?? 0) * 1_000;
        const { min, p50, p90, p99, p999, max } = histogram.summary();
        expect(min).toBeCloseTo(quantile(0) || (sorted[0] ?? 0) * 1_000, 2);
        expect(max).toBeCloseTo((sorted.at(-1) ?? 0) * 1_000, 2);
        for (const [told, true_] of [
          [p50, quantile(0.5)],
          [p90, quantile(0.9)],
          [p99, quantile(0.99)],
          [p999, quantile(0.999)],
        ] as const) {
          expect(Math.abs(told - true_)).toBeLessThanOrEqual(Math.max(0.02, true_ * 0.01));
        }
      }),
    );
  });

  it('counts a minute and more as 67 s, but knows the longest', () => {
    const histogram = new Histogram();
    histogram.add(3_600_000);
    expect(histogram.summary()).toMatchObject({ min: 3_600_000_000, max: 3_600_000_000 });
    histogram.clear();
    expect(histogram.count).toBe(0);
  });
});
