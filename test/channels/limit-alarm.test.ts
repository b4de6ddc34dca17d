// When does a number go into alarm and out of it again?

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { alarmLimitsOf, limitAlarm, valueAlarmOf, worseAlarm } from '../../src/channels/limit-alarm.ts';
import { alarm, NO_ALARM } from '../../src/protocol/normative/alarm.ts';

const limits = { low: 5, lowWarning: 10, highWarning: 60, high: 80 };

describe('a value', () => {
  it.each([
    [80, 'MAJOR', 'HIHI'],
    [79.9, 'MINOR', 'HIGH'],
    [60, 'MINOR', 'HIGH'],
    [10, 'MINOR', 'LOW'],
    [5, 'MAJOR', 'LOLO'],
    [-1e300, 'MAJOR', 'LOLO'],
    [Number.POSITIVE_INFINITY, 'MAJOR', 'HIHI'],
    [90n, 'MAJOR', 'HIHI'],
  ] as const)('of %d is %s %s', (value, severity, message) => {
    expect(limitAlarm(value, limits)).toEqual(alarm(severity, 'DEVICE', message));
  });

  it('between its limits has no alarm, nor has one without limits', () => {
    expect(limitAlarm(30, limits)).toBe(NO_ALARM);
    expect(limitAlarm(1e9, {})).toBe(NO_ALARM);
  });

  it('that is no number is invalid', () => {
    expect(limitAlarm(Number.NaN, limits)).toEqual(alarm('INVALID', 'DEVICE', 'NaN'));
  });
});

it('stays in alarm until the value is back by the hysteresis', () => {
  const sticky = { ...limits, hysteresis: 2 };
  const messages: string[] = [];
  let before = NO_ALARM;
  for (const value of [79, 80, 78.5, 78, 77.9, 58.1, 57.9, 5, 6.9, 7.1, 11.9, 12.1]) {
    before = limitAlarm(value, sticky, before);
    messages.push(before.message);
  }
  expect(messages).toEqual(['HIGH', 'HIHI', 'HIHI', 'HIHI', 'HIGH', 'HIGH', '', 'LOLO', 'LOLO', 'LOW', 'LOW', '']);
});

it('tells clients the limits, and which of them do not count', () => {
  expect(valueAlarmOf({ high: 80, lowWarning: -3, hysteresis: 1 })).toEqual({
    active: true,
    lowAlarmLimit: 0,
    lowWarningLimit: -3,
    highWarningLimit: 0,
    highAlarmLimit: 80,
    lowAlarmSeverity: 0,
    lowWarningSeverity: 1,
    highWarningSeverity: 0,
    highAlarmSeverity: 2,
    hysteresis: 1,
  });
});

describe('integers of 64 bits', () => {
  const limit = 9_007_199_254_740_993n;

  it.each([
    [limit, 'HIHI'],
    [limit - 1n, ''],
    [limit + 1n, 'HIHI'],
    [-limit, 'LOLO'],
    [-limit + 1n, ''],
    [-limit - 1n, 'LOLO'],
  ])('are exact: %d has the alarm %j', (value, message) => {
    expect(limitAlarm(value, { high: limit, low: -limit }).message).toBe(message);
  });

  it('have an exact hysteresis', () => {
    const limits = { high: limit, low: -limit, hysteresis: 2 };
    const [hihi, lolo] = [limitAlarm(limit, limits), limitAlarm(-limit, limits)];
    expect(limitAlarm(limit - 2n, limits, hihi).message).toBe('HIHI');
    expect(limitAlarm(limit - 3n, limits, hihi).message).toBe('');
    expect(limitAlarm(2n - limit, limits, lolo).message).toBe('LOLO');
    expect(limitAlarm(3n - limit, limits, lolo).message).toBe('');
  });

  it('may have limits that are doubles', () => {
    expect(limitAlarm(10n, { high: 9.5 }).message).toBe('HIHI');
    expect(limitAlarm(9n, { high: 9.5 }).message).toBe('');
    expect(limitAlarm(9n, { high: 9.5, hysteresis: 1 }, limitAlarm(10n, { high: 9.5 })).message).toBe('HIHI');
  });
});

describe('severities', () => {
  it('are those that are named', () => {
    const severities = { low: 'INVALID', lowWarning: 'MAJOR', high: 'MINOR' } as const;
    expect(limitAlarm(80, { ...limits, severities })).toEqual(alarm('MINOR', 'DEVICE', 'HIHI'));
    expect(limitAlarm(60, { ...limits, severities })).toEqual(alarm('MINOR', 'DEVICE', 'HIGH'));
    expect(limitAlarm(10, { ...limits, severities })).toEqual(alarm('MAJOR', 'DEVICE', 'LOW'));
    expect(limitAlarm(5, { ...limits, severities })).toEqual(alarm('INVALID', 'DEVICE', 'LOLO'));
  });

  it('of NO_ALARM switch a limit off, and the next one counts', () => {
    expect(limitAlarm(80, { ...limits, severities: { high: 'NO_ALARM' } })).toEqual(alarm('MINOR', 'DEVICE', 'HIGH'));
  });
});

describe('valueAlarm', () => {
  it('read backwards gives the limits that it was made of', () => {
    const given = { low: 5, high: 80n, hysteresis: 1.5, severities: { low: 'MINOR', high: 'INVALID' } } as const;
    expect(alarmLimitsOf(valueAlarmOf(given))).toEqual(given);
  });

  it('that is not active limits nothing', () => {
    expect(alarmLimitsOf({ ...valueAlarmOf(limits), active: false })).toEqual({});
    expect(alarmLimitsOf({})).toEqual({});
  });

  it('counts a severity past the last as INVALID, and one below the first as none', () => {
    const { severities } = alarmLimitsOf({ ...valueAlarmOf(limits), highAlarmSeverity: 77, lowAlarmSeverity: -1 });
    expect(severities).toEqual({ high: 'INVALID', highWarning: 'MINOR', lowWarning: 'MINOR' });
  });

  it('with a limit that is NaN has none there', () => {
    expect(alarmLimitsOf({ ...valueAlarmOf(limits), highAlarmLimit: Number.NaN })).not.toHaveProperty('high');
  });

  it.each([-3, Number.NaN, 'x'])('with a hysteresis of %s has none', (hysteresis) => {
    expect(alarmLimitsOf({ ...valueAlarmOf(limits), hysteresis }).hysteresis).toBe(0);
  });
});

it('the worse of two alarms is the first of two that are equally bad', () => {
  const [one, other] = [alarm('MINOR', 'DEVICE', 'a'), alarm('MINOR', 'DEVICE', 'b')];
  expect(worseAlarm(one, other)).toBe(one);
  expect(worseAlarm(NO_ALARM, other)).toBe(other);
});

describe('hysteresis', () => {
  // At the very edge, `limit - hysteresis` in doubles, the alarm holds: `>=` and `<=`, as in records.
  it.each([
    ['HIHI', 80, 79, 77.9],
    ['HIGH', 60, 58, 57.9],
    ['LOLO', 5, 7, 7.1],
    ['LOW', 10, 12, 12.1],
  ])('keeps %s that began at %d up to %d, and not at %d', (message, at, edge, past) => {
    const sticky = { ...limits, hysteresis: 2 };
    const begun = limitAlarm(at, sticky);
    expect(begun.message).toBe(message);
    expect(limitAlarm(edge, sticky, begun).message).toBe(message);
    expect(limitAlarm(past, sticky, begun).message).not.toBe(message);
    expect(limitAlarm(edge, sticky).message).not.toBe(message);
  });

  it('is that of the last alarm alone', () => {
    const sticky = { ...limits, hysteresis: 25 };
    const hihi = limitAlarm(80, sticky);
    // Inside of the band of HIGH as well, but HIGH was not the alarm.
    expect(limitAlarm(54, sticky, hihi)).toBe(NO_ALARM);
  });

  it('never lets an alarm flap as long as the value moves by no more than it', () => {
    const step = fc.double({ min: -1, max: 1, noNaN: true });
    const limit = fc.constantFrom(5, 10, 60, 80);
    fc.assert(
      fc.property(limit, fc.array(step, { maxLength: 40 }), (at, steps) => {
        // Noise of less than the hysteresis around a limit: the alarm begins once, and does not end.
        const sticky = { ...limits, hysteresis: 2 };
        let [before, changes] = [limitAlarm(at, sticky), 0];
        for (const noise of steps) {
          const now = limitAlarm(at + noise, sticky, before);
          if (now.message !== before.message) changes++;
          before = now;
        }
        expect(changes).toBe(0);
      }),
    );
  });

  it('never shows an alarm of a limit that is farther away than it', () => {
    const values = fc.array(fc.double({ min: -20, max: 120, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 10, noNaN: true }), (moves, hysteresis) => {
        const sticky = { ...limits, hysteresis };
        let before = NO_ALARM;
        for (const value of moves) {
          before = limitAlarm(value, sticky, before);
          const isBeyond = {
            HIHI: value >= 80 - hysteresis,
            HIGH: value >= 60 - hysteresis,
            LOLO: value <= 5 + hysteresis,
            LOW: value <= 10 + hysteresis,
            '': value < 60 && value > 10,
          }[before.message];
          expect(isBeyond).toBe(true);
        }
      }),
    );
  });
});
