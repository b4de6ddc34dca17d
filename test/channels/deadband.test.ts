// Which posts are told to subscribers of a PV with a deadband?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { valueAlarmOf } from '../../src/channels/limit-alarm.ts';
import { SharedPV } from '../../src/channels/shared-pv.ts';
import { ntEnum } from '../../src/protocol/normative/nt-enum.ts';
import { ntScalar, ntScalarArray } from '../../src/protocol/normative/nt-scalar.ts';
import { double, long, string } from '../../src/protocol/types/type-desc.ts';
import { ManualClock } from '../../src/transport/manual-clock.ts';
import { watch } from '../support/watch.ts';

const NAN = Number.NaN;
const INF = Number.POSITIVE_INFINITY;

function make(deadband: number, value = 0) {
  const clock = new ManualClock();
  const type = ntScalar(double, { display: true, valueAlarm: true });
  const initial = { value, valueAlarm: valueAlarmOf({ high: 100 }) };
  return new SharedPV(type, { deadband, limitAlarms: true, timeStamps: 'auto', clock, initial });
}

describe('a deadband', () => {
  it.each<[string, number, readonly number[], readonly number[]]>([
    ['tells what moved by more than it', 1, [0.5, 1, 1.1, 2, 2.2], [1.1, 2.2]],
    ['counts from what was told last, so that a slow drift is told', 1, [0.4, 0.8, 1.2, 1.6, 2, 2.4], [1.2, 2.4]],
    ['counts both ways', 1, [-0.9, -1.1, -0.2, 0], [-1.1, 0]],
    ['of 0 tells whatever is not the same', 0, [0, 1e-300, 1e-300, -0, 0], [1e-300, -0]],
    ['tells that there is no number, and again that there is', 1, [NAN, NAN, 0.5, 0.6], [NAN, 0.5]],
    ['tells infinities once', 1, [INF, INF, -INF, 0.5], [INF, -INF, 0.5]],
    ['that is infinite tells nothing finite', INF, [1, 1e300, -1e300], []],
  ])('%s', (_what, deadband, posts, told) => {
    const pv = new SharedPV(ntScalar(double), { deadband, initial: { value: 0 } });
    const { values } = watch(pv);
    for (const value of posts) pv.post({ value });
    expect(values()).toEqual(told);
    expect(pv.value.value).toBe(posts.at(-1));
  });

  it('shows every value to those who read, and to those who come later', () => {
    const pv = make(1);
    pv.post({ value: 0.5 });
    expect(pv.value.value).toBe(0.5);
    const first: unknown[] = [];
    pv.subscribe({ update: ({ value }) => void first.push(value['value']), finish: () => undefined });
    expect(first).toEqual([0.5]);
  });

  it('tells those who keep a copy of the state what it tells nobody else', () => {
    const pv = make(1);
    const heard: unknown[] = [];
    const hear =
      (kind: string) =>
      ({ value }: { readonly value: object }) =>
        heard.push([kind, (value as { readonly value: number }).value]);
    pv.subscribe({ update: hear('update'), settle: hear('settle'), finish: () => undefined });
    pv.post({ value: 0.5 });
    pv.post({ value: 3 });
    expect(heard).toEqual([
      ['update', 0],
      ['settle', 0.5],
      ['update', 3],
    ]);
  });

  it('always tells a change of the alarm, with the value that brings it', () => {
    const pv = make(10, 95);
    const { values, alarms } = watch(pv);
    for (const value of [99, 100, 101, 99]) pv.post({ value });
    expect(values()).toEqual([100, 99]);
    expect(alarms()).toEqual(['HIHI', '']);
    pv.post({ alarm: { severity: 3, message: 'no device' } });
    pv.post({ alarm: { severity: 3, message: 'no device' } });
    expect(alarms()).toEqual(['HIHI', '', 'no device']);
  });

  it('always tells a change of another field, and with it what was held back', () => {
    const pv = make(10);
    const { paths, values } = watch(pv);
    pv.post({ value: 1 });
    pv.post({ display: { units: 'V' } });
    pv.post({ value: 2 });
    pv.post({ value: 20 });
    expect(values()).toEqual([1, 20]);
    const stamp = ['timeStamp.secondsPastEpoch', 'timeStamp.nanoseconds'];
    expect(paths()).toEqual([
      ['value', ...stamp, 'display.units'],
      ['value', ...stamp],
    ]);
  });

  it('does not tell a new time stamp alone', () => {
    const pv = make(0);
    const { told } = watch(pv);
    pv.post({ timeStamp: { secondsPastEpoch: 5n } });
    expect(told).toEqual([]);
  });

  it('is exact for integers of 64 bits', () => {
    const big = 9_007_199_254_740_993n;
    const pv = new SharedPV(ntScalar(long), { deadband: 2, initial: { value: big } });
    const { values } = watch(pv);
    for (const value of [big + 1n, big + 2n, big + 3n, big + 2n, big]) pv.post({ value });
    expect(values()).toEqual([big + 3n, big]);
  });

  it('of an array looks for any number that moved by more than it, and at the length', () => {
    const pv = new SharedPV(ntScalarArray(double), { deadband: 1, initial: { value: [0, 0] } });
    const { values } = watch(pv);
    for (const value of [[1, -1], [1, 1.5], [1, 2], [1], [0.5]]) pv.post({ value });
    expect(values()).toEqual([Float64Array.of(1, 1.5), Float64Array.of(1)]);
  });

  it('holds back without subscribers too, and then tells from what it would have told', () => {
    const pv = make(1);
    pv.post({ value: 5 });
    pv.post({ value: 5.5 });
    const { values } = watch(pv);
    pv.post({ value: 5.9 });
    pv.post({ value: 6.1 });
    expect(values()).toEqual([6.1]);
  });

  it('tells the first value, however near it is to what a PV without one shows', () => {
    const pv = new SharedPV(ntScalar(double, { display: true }), { deadband: 1, initial: { display: { units: 'V' } } });
    const { values } = watch(pv);
    pv.post({ value: 0.5 });
    pv.post({ value: 0.6 });
    expect(values()).toEqual([0.5]);
  });

  it('needs a number not below 0, and a type with numbers', () => {
    expect(() => make(-1)).toThrow('deadband is -1; a number not below 0 is expected');
    expect(() => make(NAN)).toThrow('deadband is NaN');
    expect(() => new SharedPV(ntScalar(string), { deadband: 1 })).toThrow('holds numbers');
    expect(() => new SharedPV(ntEnum, { deadband: 1 })).toThrow('holds numbers');
  });

  it('never leaves a subscriber farther from the value than it, nor tells two values that are nearer', () => {
    const moves = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { maxLength: 50 });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 20, noNaN: true }), moves, (deadband, posts) => {
        const pv = new SharedPV(ntScalar(double), { deadband, initial: { value: 0 } });
        let known = 0;
        pv.subscribe({
          update: ({ value }) => {
            const now = Number(value['value']);
            if (now !== known) expect(Math.abs(now - known)).toBeGreaterThan(deadband);
            known = now;
          },
          finish: () => undefined,
        });
        for (const value of posts) {
          pv.post({ value });
          expect(Math.abs(value - known)).toBeLessThanOrEqual(deadband);
        }
      }),
    );
  });
});
