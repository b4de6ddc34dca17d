// Does the system's clock tell the time and keep its appointments?
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/transport/clocks.ts';

const DAY_MS = 86_400_000;

describe('the system clock', () => {
  afterEach(() => vi.useRealTimers());

  it('tells wall time within two milliseconds of the system, with fractions', () => {
    expect(Math.abs(systemClock.wallTime() - Date.now())).toBeLessThan(2);
    const times = Array.from({ length: 50 }, () => systemClock.wallTime());
    expect(times.some((time) => !Number.isInteger(time))).toBe(true);
  });

  it('follows within a millisecond when the system’s clock is set', () => {
    const ahead = Date.now() + DAY_MS;
    vi.spyOn(Date, 'now').mockReturnValue(ahead);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1);
    expect(Math.abs(systemClock.wallTime() - ahead)).toBeLessThan(2);
  });

  it('never goes backwards', () => {
    const first = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(first);
  });

  it('calls once after, again and again for every, and not at all when cancelled', () => {
    vi.useFakeTimers();
    const calls: string[] = [];
    systemClock.after(10, () => calls.push('after'));
    const ticking = systemClock.every(4, () => calls.push('every'));
    systemClock.after(5, () => calls.push('cancelled')).cancel();
    vi.advanceTimersByTime(11);
    ticking.cancel();
    ticking.cancel();
    vi.advanceTimersByTime(100);
    expect(calls).toEqual(['every', 'every', 'after']);
  });

  it('waits longer than one timeout of the system can, and for ever', () => {
    vi.useFakeTimers();
    const calls: string[] = [];
    systemClock.after(60 * DAY_MS, () => calls.push('sixty days'));
    const never = systemClock.after(Infinity, () => calls.push('never'));
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(calls).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(calls).toEqual(['sixty days']);
    never.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does what is wanted soon in order, also when something of it throws', () => {
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const calls: string[] = [];
    systemClock.soon(() => calls.push('first'));
    systemClock.soon(() => {
      throw new Error('broken');
    });
    systemClock.soon(() => calls.push('third'));
    expect(() => vi.runOnlyPendingTimers()).toThrow('broken');
    expect(calls).toEqual(['first']);
    vi.runOnlyPendingTimers();
    expect(calls).toEqual(['first', 'third']);
  });

  it('does what is wanted soon after the promises of this turn', async () => {
    const calls: string[] = [];
    const soon = new Promise<void>((resolve) => {
      systemClock.soon(() => {
        calls.push('soon');
        resolve();
      });
    });
    const promises = Promise.resolve()
      .then(() => calls.push('promise'))
      .then(() => calls.push('its promise'));
    calls.push('now');
    await Promise.all([soon, promises]);
    expect(calls).toEqual(['now', 'promise', 'its promise', 'soon']);
  });
});
