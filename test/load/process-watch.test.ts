// Are memory and handles of a process told as the system tells them, and is their slope that of a straight line?

import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { Pace } from '../../src/load/pace.ts';
import { processReading, ProcessWatch, Trend } from '../../src/load/process-watch.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

const NO_PID = 0x7fff_fffe;

describe('a reading', () => {
  it('tells memory and handles of a process', () => {
    const reading = processReading([process.pid]);
    expect(reading?.memoryBytes).toBeGreaterThan(10_000_000);
    expect(reading?.handles).toBeGreaterThan(3);
    expect(processReading([process.pid, process.pid])?.handles).toBe((reading?.handles ?? 0) * 2);
  });

  it('sees a file that is opened', () => {
    const before = processReading([process.pid])?.handles ?? 0;
    const file = openSync('/dev/null', 'r');
    expect(processReading([process.pid])?.handles).toBe(before + 1);
    closeSync(file);
  });

  it.each([[[]], [[NO_PID]], [[process.pid, NO_PID]]])('is null for %j', (pids) => {
    expect(processReading(pids)).toBeNull();
  });
});

describe('a watch', () => {
  it('tells what was first, last and most', () => {
    const clock = new ManualClock();
    const watch = new ProcessWatch([process.pid], clock);
    clock.advance(2_000);
    watch.sample();
    const use = watch.use();
    expect(use).toMatchObject({ samples: 2, seconds: 2 });
    expect(use?.memoryBytes.max).toBe(Math.max(use?.memoryBytes.first ?? 0, use?.memoryBytes.last ?? 0));
  });

  it('has nothing to tell of a process that is gone', () => {
    expect(new ProcessWatch([NO_PID], new ManualClock()).use()).toBeNull();
  });
});

describe('a trend', () => {
  it('is the slope of a straight line, also of large figures', () => {
    const trend = new Trend();
    for (let second = 0; second < 10_000; second++) trend.add(second * 1_000, 5e11 + second * 3);
    expect(trend.growth()).toMatchObject({ first: 5e11, last: 5e11 + 9_999 * 3, max: 5e11 + 9_999 * 3 });
    expect(trend.growth()?.perHour).toBeCloseTo(3 * 3_600, 2);
  });

  it('has the least squares', () => {
    const trend = new Trend();
    for (const [at, value] of [
      [0, 1],
      [1, 3],
      [2, 2],
      [3, 6],
    ] as const) {
      trend.add(at * 3_600_000, value);
    }
    // By hand: mean 1.5 and 3; shared 7, spread 5.
    expect(trend.growth()).toMatchObject({ first: 1, last: 6, max: 6 });
    expect(trend.growth()?.perHour).toBeCloseTo(1.4, 9);
  });

  it.each([
    [[], null],
    [[7], { first: 7, last: 7, max: 7, perHour: 0 }],
  ])('of %j', (values, growth) => {
    const trend = new Trend();
    for (const value of values) trend.add(5, value);
    expect(trend.growth()).toEqual(growth);
  });
});

describe('a pace', () => {
  it('gives turns at its rate', async () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 100);
    const times: number[] = [];
    const all = Array.from({ length: 5 }, () => pace.turn().then(() => times.push(Math.round(clock.now()))));
    const start = clock.now();
    await clock.until(Promise.all(all));
    expect(times.map((time) => time - start)).toEqual([10, 20, 30, 40, 50]);
  });

  it('lets everybody go when it ends', async () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 1);
    const all = Promise.all([pace.turn(), pace.turn()]);
    pace.end();
    await all;
    expect(clock.timerCount).toBe(0);
  });
});
