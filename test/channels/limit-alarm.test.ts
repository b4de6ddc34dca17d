// When does a number go into alarm and out of it again?

import { describe, expect, it } from 'vitest';

import { limitAlarm, valueAlarmOf } from '../../src/channels/limit-alarm.ts';
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
