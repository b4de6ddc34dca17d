// Does time move only by hand, and everything in its order?
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalProtocolError, TimeoutError } from '../../src/protocol/errors.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';

describe('the manual clock', () => {
  it('runs timers in the order of their times, and of their setting', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (delays) => {
        const clock = new ManualClock();
        const fired: { readonly delay: number; readonly index: number; readonly at: number }[] = [];
        for (const [index, delay] of delays.entries()) {
          clock.after(delay, () => fired.push({ delay, index, at: clock.now() }));
        }
        clock.advance(20);
        const expected = delays
          .map((delay, index) => ({ delay, index, at: delay }))
          .toSorted((a, b) => a.delay - b.delay || a.index - b.index);
        expect(fired).toEqual(expected);
      }),
    );
  });

  it('tells wall time from the origin given', () => {
    const clock = new ManualClock(1000);
    clock.advance(2.5);
    expect([clock.now(), clock.wallTime()]).toEqual([2.5, 1002.5]);
    expect(new ManualClock().wallTime()).toBe(Date.UTC(2026, 0, 1));
  });

  it('repeats until cancelled, also from inside', () => {
    const clock = new ManualClock();
    const times: number[] = [];
    const timer = clock.every(10, () => {
      times.push(clock.now());
      if (times.length === 3) timer.cancel();
    });
    clock.advance(100);
    timer.cancel();
    expect(times).toEqual([10, 20, 30]);
    expect(clock.timerCount).toBe(0);
  });

  it('refuses to repeat without time passing', () => {
    expect(() => new ManualClock().every(0, () => {})).toThrow(LocalProtocolError);
  });

  it('runs timers that timers set, if they are due', () => {
    const clock = new ManualClock();
    const times: number[] = [];
    clock.after(10, () => {
      clock.after(5, () => times.push(clock.now()));
      clock.after(50, () => times.push(clock.now()));
    });
    clock.advance(20);
    expect(times).toEqual([15]);
    expect(clock.timerCount).toBe(1);
  });

  it('does what is wanted soon after each timer, before the next', () => {
    const clock = new ManualClock();
    const calls: string[] = [];
    clock.after(1, () => {
      calls.push('first');
      clock.soon(() => calls.push('soon'));
    });
    clock.after(1, () => calls.push('second'));
    clock.soon(() => calls.push('at once'));
    expect(calls).toEqual([]);
    clock.advance(1);
    expect(calls).toEqual(['at once', 'first', 'soon', 'second']);
  });

  it('lets promises settle between timers when asked to', async () => {
    const clock = new ManualClock();
    const calls: string[] = [];
    const first = new Promise<void>((resolve) => void clock.after(1, resolve));
    const chain = first.then(() => Promise.resolve()).then(() => calls.push(`promise at ${clock.now()}`));
    clock.after(2, () => calls.push('timer'));
    await clock.advanceAsync(10);
    await chain;
    expect(calls).toEqual(['promise at 1', 'timer']);
    expect(clock.now()).toBe(10);
  });

  it('moves from timer to timer until a promise settles', async () => {
    const clock = new ManualClock();
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
    const work = async (): Promise<string> => {
      await wait(10);
      await wait(20);
      return 'done';
    };
    clock.every(7, () => {});
    expect(await clock.until(work())).toBe('done');
    expect(clock.now()).toBe(30);
    await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('says so when a promise cannot settle in time', async () => {
    const clock = new ManualClock();
    await expect(clock.until(new Promise(() => {}))).rejects.toBeInstanceOf(TimeoutError);
    clock.every(10, () => {});
    await expect(clock.until(new Promise(() => {}), 100)).rejects.toBeInstanceOf(TimeoutError);
    expect(clock.now()).toBe(100);
  });

  it('notices acts that call each other for ever', () => {
    const clock = new ManualClock();
    const again = (): void => clock.soon(again);
    again();
    expect(() => clock.advance(0)).toThrow(LocalProtocolError);
  });

  it('never fires what waits for ever', () => {
    const clock = new ManualClock();
    const calls: string[] = [];
    clock.after(Infinity, () => calls.push('never')).cancel();
    clock.after(Infinity, () => calls.push('never'));
    clock.advance(1e12);
    expect(calls).toEqual([]);
  });
});
