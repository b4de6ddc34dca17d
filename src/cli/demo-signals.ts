// The demo PVs that are numbers and move by themselves.

import { limitAlarm, SharedPV, valueAlarmOf, type AlarmLimits, type Clock } from '../index.ts';
import { DISPLAY_FORMS, double, int, NO_ALARM, ntScalar, ntScalarArray, timeStamp, uint } from '../protocol/index.ts';
import { moving, type DemoPv } from './demo-pv.ts';

/** How to show a number: the first of the forms, as it is. */
const FORM = { index: 0, choices: DISPLAY_FORMS };
const MS_PER_SECOND = 1_000;
const SINE_AMPLITUDE = 10;
const SINE_PERIOD_S = 10;
const SINE_LEVELS: AlarmLimits = { low: -9, lowWarning: -7, highWarning: 7, high: 9 };

/** Swings through all its alarm levels and back in ten seconds. */
export function sinePv(clock: Clock): DemoPv {
  const next = (): unknown => {
    const turns = clock.now() / MS_PER_SECOND / SINE_PERIOD_S;
    const value = SINE_AMPLITUDE * Math.sin(2 * Math.PI * turns);
    return { value, alarm: limitAlarm(value, SINE_LEVELS), timeStamp: timeStamp(clock.wallTime()) };
  };
  const type = ntScalar(double, { form: true, valueAlarm: true });
  const display = {
    description: 'sine of ten seconds with alarms at the top and at the bottom',
    units: 'V',
    limitLow: -SINE_AMPLITUDE,
    limitHigh: SINE_AMPLITUDE,
    precision: 3,
    form: FORM,
  };
  return moving(new SharedPV(type, { initial: { display, valueAlarm: valueAlarmOf(SINE_LEVELS) } }), 100, next);
}

export function counterPv(clock: Clock): DemoPv {
  let count = 0;
  const next = (): unknown => ({ value: count++, timeStamp: timeStamp(clock.wallTime()) });
  const display = {
    description: 'counts the seconds that the server runs',
    units: 's',
    limitLow: 0,
    limitHigh: 86_400,
  };
  return moving(new SharedPV(ntScalar(int, { display: true }), { initial: { alarm: NO_ALARM, display } }), 1_000, next);
}

/** A hundred changes a second: monitors show how they squash. */
export function fastPv(clock: Clock): DemoPv {
  let count = 0;
  const next = (): unknown => ({ value: count++, timeStamp: timeStamp(clock.wallTime()) });
  const display = { description: 'counts hundredths of a second', units: '', limitLow: 0, limitHigh: 1_000_000 };
  return moving(new SharedPV(ntScalar(uint, { display: true }), { initial: { alarm: NO_ALARM, display } }), 10, next);
}

export function slowPv(clock: Clock): DemoPv {
  let degrees = 20;
  const next = (): unknown => {
    degrees = degrees >= 24.5 ? 20 : degrees + 0.5;
    return { value: degrees, timeStamp: timeStamp(clock.wallTime()) };
  };
  const display = {
    description: 'a temperature, every ten seconds',
    units: 'C',
    limitLow: 15,
    limitHigh: 30,
    precision: 1,
    form: FORM,
  };
  return moving(
    new SharedPV(ntScalar(double, { form: true }), { initial: { alarm: NO_ALARM, display } }),
    10_000,
    next,
  );
}

const POINTS = 200;

/** Two sines that beat, and travel. */
export function waveformPv(clock: Clock): DemoPv {
  const next = (): unknown => {
    const phase = clock.now() / MS_PER_SECOND;
    const value = Float64Array.from({ length: POINTS }, (_, index) => {
      const x = (2 * Math.PI * index) / POINTS;
      return Math.sin(5 * x - phase) + 0.5 * Math.sin(7 * x - 2 * phase);
    });
    return { value, timeStamp: timeStamp(clock.wallTime()) };
  };
  const display = {
    description: `${POINTS} points of two travelling sines`,
    units: 'mV',
    limitLow: -1.5,
    limitHigh: 1.5,
  };
  return moving(
    new SharedPV(ntScalarArray(double, { display: true }), { initial: { alarm: NO_ALARM, display } }),
    500,
    next,
  );
}
